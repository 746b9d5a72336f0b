#include "attnc/stream/Parts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace linalg = mlir::linalg;
namespace tensor = mlir::tensor;
using mlir::OpFoldResult;
using mlir::Value;

Read joined(mlir::RewriterBase &rewriter, mlir::Location location, llvm::ArrayRef<Read> parts, unsigned loop) {
  Read all;
  llvm::SmallVector<OpFoldResult> sizes;
  auto sizeOf = [&](const Read &part, unsigned of) {
    auto axis = llvm::find(part.loops, of) - part.loops.begin();
    return tensor::getMixedSize(rewriter, location, part.array, axis);
  };
  for (const Read &part : parts)
    for (unsigned of : part.loops)
      if (of != loop && !all.along(of)) {
        all.loops.push_back(of);
        sizes.push_back(sizeOf(part, of));
      }
  all.loops.push_back(loop);
  llvm::SmallVector<OpFoldResult> starts{rewriter.getIndexAttr(0)};
  for (const Read &part : parts) {
    OpFoldResult before = starts.back(), size = sizeOf(part, loop);
    auto known = mlir::getConstantIntValue(before), more = mlir::getConstantIntValue(size);
    if (known && more) {
      starts.push_back(rewriter.getIndexAttr(*known + *more));
      continue;
    }
    Value sum = mlir::arith::AddIOp::create(rewriter, location,
                                            mlir::getValueOrCreateConstantIndexOp(rewriter, location, before),
                                            mlir::getValueOrCreateConstantIndexOp(rewriter, location, size));
    starts.push_back(sum);
  }
  sizes.push_back(starts.back());
  mlir::Type element = mlir::getElementTypeOrSelf(parts[0].array);
  all.array = tensor::EmptyOp::create(rewriter, location, sizes, element);
  unsigned rank = all.loops.size();
  for (auto [part, start] : llvm::zip(parts, starts)) {
    sizes.back() = sizeOf(part, loop);
    if (llvm::any_of(sizes, [](OpFoldResult size) { return mlir::isZeroInteger(size); })) // nowhere to begin
      continue;
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned of : part.loops)
      axes.push_back(rewriter.getAffineDimExpr(llvm::find(all.loops, of) - all.loops.begin()));
    llvm::SmallVector<mlir::AffineMap> maps{mlir::AffineMap::get(rank, 0, axes, rewriter.getContext()),
                                            rewriter.getMultiDimIdentityMap(rank)};
    llvm::SmallVector<mlir::utils::IteratorType> parallel(rank, mlir::utils::IteratorType::parallel);
    Value empty = tensor::EmptyOp::create(rewriter, location, sizes, element);
    Value copy = linalg::GenericOp::create(rewriter, location, empty.getType(), part.array, empty, maps, parallel,
                                           [](mlir::OpBuilder &builder, mlir::Location at, mlir::ValueRange arguments) {
                                             linalg::YieldOp::create(builder, at, arguments[0]);
                                           })
                     .getResult(0);
    llvm::SmallVector<OpFoldResult> offsets(rank, rewriter.getIndexAttr(0)), steps(rank, rewriter.getIndexAttr(1));
    offsets.back() = start;
    all.array = tensor::InsertSliceOp::create(rewriter, location, copy, all.array, offsets, sizes, steps);
  }
  return all;
}

} // namespace attnc
