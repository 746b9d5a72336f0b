#pragma once
#include "attnc/stream/KeyRange.h"
#include "attnc/stream/Machine.h"
#include "attnc/stream/Region.h"
#include "attnc/stream/Sharing.h"
#include "attnc/stream/StreamLoops.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

/// What emitters share that take a query at a time, with the keys of a vector in its lanes: keys are rows along memory,
/// read where they lie. Tasks are the queries of all streams, by parts of their keys.
class QueryRows {
public:
  QueryRows(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name);

protected:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  /// Keys in a tile: their scores stay in the first cache.
  static constexpr int64_t keyTile = 128;

  void findOperands();
  /// Where rows of an operand are at places, there is always something to read.
  void guardPlaces(Operand &operand);

  /// The index of the batch and the query of a task.
  std::pair<Values, Value> queryOf(Value task);

  mlir::VectorType vectorType() { return mlir::VectorType::get({lanes}, code.getF32Type()); }
  mlir::VectorType maskType() { return mlir::VectorType::get({lanes}, code.getI1Type()); }
  Value loadLanes(Value offset);
  void storeLanes(Value lanes, Value offset);
  Lanes number(Value value) { return {&code, value}; }
  Value inLanes(Value scalar) { return broadcast(code, scalar, lanes); }
  Value maskOf(Value count);
  Value onlyWhere(Value mask, Value lanes, double otherwise);
  Value reduce(mlir::vector::CombiningKind kind, Value lanes);

  /// Calls `body` for each vector of a row of `count` elements: whole ones, then what is left of one with a mask.
  void alongRow(Value count, llvm::function_ref<void(Value at, Value mask)> body);
  Value wholePart(Value count, int64_t step);
  Value loadRow(Value array, Value at, Value mask);
  static bool isRow(const View &view);

  /// The query as whole vectors, filled up with 0.
  void copyQuery(llvm::ArrayRef<Value> batch, Value row, Value panel);
  /// Where the rows of the keys from `from` on begin, one for each lane; past the last key the last one again.
  Value rowStarts(const Operand &operand, Region &region, llvm::ArrayRef<Value> batch, Value from, Value last);
  /// The products of a query with the rows that begin there, one in each lane.
  Value products(Value starts, Value panel);

  Code &code;
  dialect::StreamOp stream;
  StreamLoops loops;
  Sharing sharing;
  int64_t lanes;
  Operand query, key, value;
  Value keys, depth, tasks; // extents, and how many queries there are
  KeyParts parts;
  Value scratch; // floats
};

} // namespace attnc
