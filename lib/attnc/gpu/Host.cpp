#include "attnc/gpu/Host.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

namespace attnc {

bool isHostLoop(mlir::scf::ForOp loop) {
  auto found = loop->walk([](mlir::Operation *op) {
    return mlir::isa<mlir::scf::ParallelOp, mlir::memref::AllocOp>(op) ? mlir::WalkResult::interrupt()
                                                                       : mlir::WalkResult::advance();
  });
  return found.wasInterrupted();
}

mlir::Value denseView(mlir::OpBuilder &builder, mlir::Location location, mlir::MemRefType type, mlir::Value array,
                      llvm::ArrayRef<mlir::OpFoldResult> extents) {
  llvm::SmallVector<mlir::OpFoldResult> strides(type.getRank());
  auto [fixed, offset] = type.getStridesAndOffset();
  mlir::Value stride = mlir::arith::ConstantIndexOp::create(builder, location, 1);
  for (int64_t axis = type.getRank(); axis-- > 0;) {
    strides[axis] = mlir::ShapedType::isDynamic(fixed[axis]) ? mlir::OpFoldResult(stride)
                                                             : mlir::OpFoldResult(builder.getIndexAttr(fixed[axis]));
    stride = mlir::arith::MulIOp::create(builder, location, stride,
                                         mlir::getValueOrCreateConstantIndexOp(builder, location, extents[axis]));
  }
  return mlir::memref::ReinterpretCastOp::create(builder, location, type, array,
                                                 mlir::OpFoldResult(builder.getIndexAttr(0)), extents, strides);
}

} // namespace attnc
