#include "attnc/stream/Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

static View transposed(const View &matrix) {
  return {matrix.array, matrix.start, matrix.columnStride, matrix.rowStride};
}

void Products::packRows(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at, Value step,
                        Value count) {
  if (machine.pairs != Machine::Pairs::None)
    return pairs.packLeft(code, matrix, rows, columns, scratch, at, step, count);
  Value side = index(code, machine.rows());
  loop(code, index(code, 0), count, 1, [&](Value block) {
    Value first = multiply(code, block, side);
    View from = matrix;
    from.start = add(code, from.start, multiply(code, first, from.rowStride));
    blocks.gather(code, from, subtract(code, rows, first), columns,
                  {scratch, add(code, at, multiply(code, block, step)), side}, machine.rows(), 1);
  });
}

void Products::packColumns(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at,
                           Value step, Value count) {
  if (machine.pairs != Machine::Pairs::None)
    return pairs.packLeft(code, transposed(matrix), columns, rows, scratch, at, step, count);
  blocks.strips(code, matrix, rows, columns, {scratch, at, step}, machine.rows());
}

void Products::packRight(Code &code, const View &matrix, Value rows, Value columns, Value scratch, Value at,
                         unsigned wide) {
  if (machine.pairs != Machine::Pairs::None)
    return pairs.packRight(code, matrix, rows, columns, scratch, at, wide);
  blocks.gather(code, matrix, rows, columns, {scratch, at, index(code, wide * machine.lanes())}, machine.lanes(), wide);
}

void Products::toRight(Code &code, Value scratch, Value at, Value count, unsigned wide) {
  if (machine.pairs != Machine::Pairs::None)
    pairs.round(code, scratch, at, count, wide);
}

void Products::accumulate(Code &code, Value scratch, const Blocks::Product &product, unsigned wide) {
  if (machine.pairs != Machine::Pairs::None)
    pairs.accumulate(code, scratch, product, wide);
  else
    blocks.accumulate(code, scratch, product, wide);
}

llvm::SmallVector<Value> Products::keepReferences(Code &code, llvm::MutableArrayRef<Value> references,
                                                  ValueRange before) const {
  constexpr double most = 5.545177444479562; // ln 2⁸
  llvm::SmallVector<Value> grown;
  if (!scalesApart())
    return grown;
  for (auto [reference, kept] : llvm::zip(references, before)) {
    Value bound = arith::AddFOp::create(code, kept, splat(code, kept.getType(), most));
    grown.push_back(arith::CmpFOp::create(code, arith::CmpFPredicate::OGT, reference, bound));
    reference = choose(code, grown.back(), reference, kept);
  }
  return grown;
}

void Products::scale(Code &code, ValueRange grown, Value scratch, Value at, Value rows, Value scaleAt) {
  Value any = grown.front();
  for (Value mask : grown.drop_front())
    any = arith::OrIOp::create(code, any, mask);
  any = vector::ReductionOp::create(code, vector::CombiningKind::OR, any);
  branch(code, any, [&] { pairs.scale(code, scratch, at, rows, scaleAt, grown.size()); }, [] {});
}

} // namespace attnc
