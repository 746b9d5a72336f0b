#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"

namespace attnc {

/// An operation on scalars in `lanes` lanes, where one of the operands given is a vector; else on these scalars.
mlir::Value inLanes(Code &code, mlir::Operation &op, llvm::ArrayRef<mlir::Value> operands, unsigned lanes);

/// The region of a stream on vectors of queries (or, with one lane, single ones) and single keys,
/// or on vectors of keys for a query. What does not vary
/// with the key is computed once, before the loops over keys; what varies with neither stays a scalar.
class Region {
public:
  /// What lies in the lanes of a vector.
  enum class Along { Queries, Keys };
  /// `batch`: the indices of the batch's loops; `first`: the first query, or the one there is; `end`: where what lies
  /// in lanes ends.
  Region(Code &code, dialect::StreamOp stream, unsigned lanes, unsigned vectors, llvm::ArrayRef<mlir::Value> batch,
         mlir::Value first, mlir::Value end, Along along = Along::Queries);

  /// The score of a key for the queries of a vector, or of the keys from `key` on; or another value of the region in
  /// its place.
  Lanes score(unsigned vector, mlir::Value key, mlir::Value contraction, mlir::Value other = nullptr);
  /// The factor of the key's weight; nothing when it is 1.
  std::optional<Lanes> factor(unsigned vector, mlir::Value key);
  /// What is summed beside the result, where something is.
  std::optional<Lanes> measure(unsigned vector, mlir::Value key, mlir::Value contraction);
  /// The score that stands beside those of the keys, where one does.
  std::optional<Lanes> sink(unsigned vector);
  /// A place: an index for each lane, or one for all.
  mlir::Value place(unsigned number, mlir::Value key);

  /// The arrays of one element for each query and key whose queries do not lie along memory.
  llvm::SmallVector<unsigned> turnedOthers() const;
  /// For keys from `from` on, such an array is read in `panel` at offset + (key - from) * pitch.
  void usePanel(unsigned other, mlir::Value panel, mlir::Value offset, mlir::Value from, int64_t pitch);

private:
  using Values = llvm::DenseMap<mlir::Value, mlir::Value>;
  mlir::Value evaluate(mlir::Value of, unsigned vector, mlir::Value key, mlir::Value contraction);
  Lanes inLanes(mlir::Value of, unsigned vector, mlir::Value key, mlir::Value contraction);
  mlir::Value indices(mlir::Value from, unsigned vector);
  std::optional<Lanes> optional(mlir::Value of, unsigned vector, mlir::Value key, mlir::Value contraction);
  mlir::Value value(const Values &values, mlir::Value of) const;
  void clone(mlir::Operation &op, unsigned vector, Values &values);
  mlir::Value load(unsigned other, unsigned vector, mlir::Value key);
  mlir::AffineMap mapOf(unsigned other) const;
  bool isPlaced(unsigned other) const;
  mlir::Value loadAtPlaces(unsigned other, unsigned vector, mlir::Value key);
  mlir::Value followingQueries(mlir::Value place, mlir::Value key);

  struct Turned {
    mlir::Value panel, offset, from;
    int64_t pitch;
  };

  Code &code;
  dialect::StreamOp stream;
  unsigned lanes;
  llvm::SmallVector<mlir::Value> batch;
  mlir::Value first, end;
  Along along;
  llvm::DenseSet<mlir::Value> varying; // with the key
  llvm::SmallVector<Values> fixed;     // what does not vary, by vector
  llvm::SmallVector<Values> inverses;  // of fixed divisors
  llvm::DenseMap<unsigned, Turned> panels;
};

} // namespace attnc
