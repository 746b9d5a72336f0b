#include "attnc/stream/StreamLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

#include <numeric>

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
using mlir::Value;

View Operand::at(Code &code, llvm::ArrayRef<Value> batch, Value row) const {
  View view = whole;
  for (auto [loop, stride] : llvm::zip(loops, strides))
    view.start = add(code, view.start, multiply(code, batch[loop], stride));
  view.start = add(code, view.start, multiply(code, row, view.rowStride));
  return view;
}

View Operand::at(Code &code, llvm::ArrayRef<Value> batch, Value row, Value column) const {
  View view = at(code, batch, row);
  view.start = add(code, view.start, multiply(code, column, view.columnStride));
  return view;
}

StreamLoops::StreamLoops(Code &code, mlir::Operation *op, mlir::ArrayAttr maps, unsigned batch, unsigned loops)
    : code(code), op(op), maps(maps), extents(loops), all(batch) {
  std::iota(all.begin(), all.end(), 0);
  for (auto [i, array] : llvm::enumerate(op->getOperands().take_front(maps.size())))
    for (unsigned axis = 0; axis < mapOf(i).getNumResults(); ++axis)
      if (unsigned loop = mapOf(i).getDimPosition(axis);
          loop < loops && (!extents[loop] || !mlir::getConstantIntValue(extents[loop])))
        extents[loop] = code.createOrFold<memref::DimOp>(array, axis);
  if (auto stream = mlir::dyn_cast<dialect::StreamOp>(op)) {
    if (stream.getKeys())
      extents[stream.keyLoop()] = stream.getKeys();
    if (stream.getQueries())
      extents[stream.queryLoop()] = stream.getQueries();
  }
  for (Value &extent : extents)
    if (!extent)
      extent = index(code, 1);
}

Operand StreamLoops::operand(unsigned number, unsigned rowLoop, std::optional<unsigned> columnLoop) {
  Value array = op->getOperand(number);
  mlir::AffineMap map = mapOf(number);
  auto parts = memref::ExtractStridedMetadataOp::create(code, array);
  auto flat = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, mlir::getElementTypeOrSelf(array));
  Value none = index(code, 0);
  Operand operand;
  // Its length is asked by nobody.
  operand.whole.array =
      memref::ReinterpretCastOp::create(code, flat, parts.getBaseBuffer(), mlir::OpFoldResult(code.getIndexAttr(0)),
                                        llvm::ArrayRef<mlir::OpFoldResult>{mlir::OpFoldResult(extents[all.size()])},
                                        llvm::ArrayRef<mlir::OpFoldResult>{mlir::OpFoldResult(code.getIndexAttr(1))});
  operand.whole.start = parts.getOffset();
  operand.whole.rowStride = operand.whole.columnStride = none;
  llvm::SmallVector<int64_t> known;
  int64_t offset;
  bool isKnown = succeeded(mlir::cast<mlir::MemRefType>(array.getType()).getStridesAndOffset(known, offset));
  for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
    unsigned loop = map.getDimPosition(axis);
    Value stride = isKnown && !mlir::ShapedType::isDynamic(known[axis]) ? index(code, known[axis])
                                                                        : Value(parts.getStrides()[axis]);
    if (loop == rowLoop) {
      operand.whole.rowStride = stride;
      operand.hasRows = true;
    } else if (loop == columnLoop) {
      operand.whole.columnStride = stride;
      operand.hasColumns = true;
    } else if (loop < all.size()) {
      operand.loops.push_back(loop);
      operand.strides.push_back(stride);
    } else if (loop >= extents.size()) {
      operand.placed.push_back(
          {unsigned(loop - extents.size()), stride, code.createOrFold<memref::DimOp>(array, axis)});
    }
  }
  return operand;
}

Value StreamLoops::count(llvm::ArrayRef<unsigned> loops) {
  Value all = index(code, 1);
  for (unsigned loop : loops)
    all = multiply(code, all, extents[loop]);
  return all;
}

Value StreamLoops::number(llvm::ArrayRef<unsigned> loops, llvm::ArrayRef<Value> at) {
  Value number = index(code, 0);
  for (unsigned loop : loops)
    number = add(code, multiply(code, number, extents[loop]), at[loop]);
  return number;
}

llvm::SmallVector<Value> StreamLoops::indices(llvm::ArrayRef<unsigned> loops, Value number) {
  llvm::SmallVector<Value> at(all.size(), index(code, 0));
  for (unsigned loop : llvm::reverse(loops)) {
    at[loop] = code.createOrFold<arith::RemUIOp>(number, extents[loop]);
    number = code.createOrFold<arith::DivUIOp>(number, extents[loop]);
  }
  return at;
}

Value StreamLoops::work() {
  Value work = index(code, 1);
  for (Value extent : extents)
    work = multiply(code, work, extent);
  return work;
}

Operand StreamOperands::output() {
  std::optional<unsigned> feature;
  if (stream.isValued() || stream.isRanked())
    feature = stream.featureLoop();
  return loops.operand(firstOutput(), stream.queryLoop(), feature);
}

} // namespace attnc
