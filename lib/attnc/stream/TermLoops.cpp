#include "attnc/stream/TermLoops.h"

#include "attnc/stream/Region.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/ADT/SmallVectorExtras.h"

namespace attnc {

namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

TermLoops::TermLoops(Code &code, StreamLoops &loops, dialect::StreamOp stream, unsigned lanes)
    : code(code), stream(stream), lanes(lanes), depth(loops.extent(stream.depthLoop())) {
  for (unsigned i = 0; i < stream.getContraction().size(); ++i) {
    bool ofQueries = stream.mapOf(i).isFunctionOfDim(stream.queryLoop());
    unsigned rows = ofQueries ? stream.queryLoop() : stream.keyLoop();
    arrays.push_back({loops.operand(i, rows, stream.depthLoop()), ofQueries, false});
    arrays.back().ofKeys = !ofQueries && arrays.back().operand.hasRows;
  }
}

Value TermLoops::panelOf(Value panel, unsigned number, Value width) {
  unsigned before =
      llvm::count_if(llvm::ArrayRef(arrays).take_front(number), [](auto &array) { return array.ofQueries; });
  Value rows = multiply(code, ceilDiv(code, depth, lanes), index(code, lanes)); // whole squares are turned
  return add(code, panel, multiply(code, multiply(code, rows, width), index(code, before)));
}
Value TermLoops::room(Value width) { return panelOf(index(code, 0), arrays.size(), width); }

void TermLoops::gather(Blocks &blocks, unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value queries,
                       Value scratch, Value panel) {
  Value width = index(code, wide * lanes);
  for (auto [i, array] : llvm::enumerate(arrays))
    if (array.ofQueries)
      blocks.gather(code, array.operand.at(code, batch, first), subtract(code, queries, first),
                    array.operand.hasColumns ? depth : smaller(code, depth, index(code, 1)),
                    {scratch, panelOf(panel, i, width), width}, lanes, wide);
}

/// The region on elements, of which some are vectors.
Value TermLoops::term(llvm::ArrayRef<Value> elements) {
  mlir::Block &block = stream.getTerms()[0].front();
  llvm::DenseMap<Value, Value> values;
  auto valueOf = [&](Value of) {
    auto at = values.find(of);
    return at == values.end() ? of : at->second; // from outside the stream
  };
  for (auto [argument, element] : llvm::zip(block.getArguments(), elements))
    values[argument] = element;
  for (mlir::Operation &op : block.without_terminator()) {
    Values operands = llvm::map_to_vector(op.getOperands(), valueOf);
    values[op.getResult(0)] = inLanes(code, op, operands, lanes);
  }
  return valueOf(block.getTerminator()->getOperand(0));
}

void TermLoops::contract(unsigned wide, llvm::ArrayRef<Value> batch, Value from, Value count, Value scratch,
                         Value panel, Value scores) {
  auto type = mlir::VectorType::get({lanes}, code.getF32Type());
  Value width = index(code, wide * lanes), none = index(code, 0), zero = splat(code, type, 0);
  loop(code, none, count, 1, [&](Value row) {
    Value key = add(code, from, row);
    Values sums = loop(code, none, depth, 1, Values(wide, zero), [&](Value d, ValueRange before) {
      Values elements(arrays.size()), next;
      for (auto [i, array] : llvm::enumerate(arrays))
        if (!array.ofQueries) {
          View view = array.operand.at(code, batch, array.ofKeys ? key : none, d);
          elements[i] = memref::LoadOp::create(code, view.array, ValueRange{view.start});
        }
      for (unsigned v = 0; v < wide; ++v) {
        for (auto [i, array] : llvm::enumerate(arrays))
          if (array.ofQueries) {
            Value line = array.operand.hasColumns ? multiply(code, d, width) : none;
            Value at = add(code, add(code, panelOf(panel, i, width), line), index(code, v * lanes));
            elements[i] = vector::LoadOp::create(code, type, scratch, ValueRange{at});
          }
        Lanes sum = Lanes{&code, before[v]} + Lanes{&code, broadcast(code, term(elements), lanes)};
        next.push_back(sum.value);
      }
      return next;
    });
    for (auto [v, sum] : llvm::enumerate(sums)) {
      Value at = add(code, scores, add(code, multiply(code, row, width), index(code, v * lanes)));
      vector::StoreOp::create(code, sum, scratch, ValueRange{at});
    }
  });
}

} // namespace attnc
