#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

namespace attnc {

namespace {

namespace bufferization = mlir::bufferization;
using dialect::StreamOp;

/// A stream writes its result whole into the array it is given.
struct StreamBufferization : bufferization::DstBufferizableOpInterfaceExternalModel<StreamBufferization, StreamOp> {
  bool bufferizesToMemoryRead(mlir::Operation *op, mlir::OpOperand &operand,
                              const bufferization::AnalysisState &) const {
    return !mlir::cast<StreamOp>(op).isDpsInit(&operand);
  }

  mlir::LogicalResult bufferize(mlir::Operation *op, mlir::RewriterBase &rewriter,
                                const bufferization::BufferizationOptions &options,
                                bufferization::BufferizationState &state) const {
    auto stream = mlir::cast<StreamOp>(op);
    rewriter.setInsertionPoint(op);
    llvm::SmallVector<mlir::Value> arrays;
    for (mlir::Value operand : op->getOperands()) {
      auto array = bufferization::getBuffer(rewriter, operand, options, state);
      if (failed(array))
        return mlir::failure();
      arrays.push_back(*array);
    }
    mlir::OperationState placed(op->getLoc(), op->getName(), arrays, {}, op->getAttrs());
    placed.addRegion()->takeBody(stream.getScore());
    rewriter.create(placed);
    bufferization::replaceOpWithBufferizedValues(rewriter, op, arrays.back());
    return mlir::success();
  }
};

} // namespace

void registerStreamBufferization(mlir::DialectRegistry &registry) {
  registry.addExtension(+[](mlir::MLIRContext *context, dialect::AttncDialect *) {
    StreamOp::attachInterface<StreamBufferization>(*context);
  });
}

} // namespace attnc
