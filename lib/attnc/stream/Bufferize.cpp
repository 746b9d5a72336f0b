#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

namespace attnc {

namespace {

namespace bufferization = mlir::bufferization;
using dialect::ChunksOp;
using dialect::ProductOp;
using dialect::StreamOp;

/// Streams, chunked scans and products write their results whole into the arrays they are given.
template <class Op>
struct WholeBufferization : bufferization::DstBufferizableOpInterfaceExternalModel<WholeBufferization<Op>, Op> {
  bool bufferizesToMemoryRead(mlir::Operation *op, mlir::OpOperand &operand,
                              const bufferization::AnalysisState &) const {
    return mlir::isa<mlir::TensorType>(operand.get().getType()) && !mlir::cast<Op>(op).isDpsInit(&operand);
  }

  mlir::LogicalResult bufferize(mlir::Operation *op, mlir::RewriterBase &rewriter,
                                const bufferization::BufferizationOptions &options,
                                bufferization::BufferizationState &state) const {
    rewriter.setInsertionPoint(op);
    llvm::SmallVector<mlir::Value> arrays, written;
    for (mlir::OpOperand &use : op->getOpOperands()) {
      mlir::Value operand = use.get();
      if (operand.getType().isIndex()) {
        arrays.push_back(operand);
        continue;
      }
      auto array = bufferization::getBuffer(rewriter, operand, options, state);
      if (failed(array))
        return mlir::failure();
      arrays.push_back(*array);
      if (mlir::cast<Op>(op).isDpsInit(&use))
        written.push_back(*array);
    }
    mlir::OperationState placed(op->getLoc(), op->getName(), arrays, {}, op->getAttrs());
    for (mlir::Region &region : op->getRegions())
      placed.addRegion()->takeBody(region);
    rewriter.create(placed);
    bufferization::replaceOpWithBufferizedValues(rewriter, op, written);
    return mlir::success();
  }
};

} // namespace

void registerStreamBufferization(mlir::DialectRegistry &registry) {
  registry.addExtension(+[](mlir::MLIRContext *context, dialect::AttncDialect *) {
    StreamOp::attachInterface<WholeBufferization<StreamOp>>(*context);
    ChunksOp::attachInterface<WholeBufferization<ChunksOp>>(*context);
    ProductOp::attachInterface<WholeBufferization<ProductOp>>(*context);
  });
}

} // namespace attnc
