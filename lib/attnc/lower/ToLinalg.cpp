#include "attnc/lower/Passes.h"

#include "attnc/lower/Batcher.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attnc {

namespace {

using namespace attnc::dialect;
using mlir::Value;

mlir::Type storedType(mlir::Type type) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  return tensor ? mlir::Type(mlir::RankedTensorType::get(tensor.getShape(), stored(tensor.getElementType()))) : type;
}

/// Replaces the body of each function by what the Batcher makes of it.
struct ToLinalg : mlir::PassWrapper<ToLinalg, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ToLinalg)
  llvm::StringRef getArgument() const final { return "attnc-batch"; }
  llvm::StringRef getDescription() const final {
    return "interpret boxes once, batched over their axes, as linalg on tensors";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::bufferization::BufferizationDialect, mlir::linalg::LinalgDialect,
                    mlir::math::MathDialect, mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::func::FuncOp function = getOperation();
    mlir::Block *old = &function.getBody().front();
    mlir::IRRewriter builder(&getContext());
    mlir::Block *entry = builder.createBlock(&function.getBody(), function.getBody().begin());
    mlir::IRMapping known;
    Batcher batcher(builder, known);

    llvm::SmallVector<Value> sizes;
    for (mlir::BlockArgument argument : old->getArguments()) {
      Value fresh = entry->addArgument(storedType(argument.getType()), argument.getLoc());
      known.map(argument, fresh);
      if (argument.getType().isIndex())
        sizes.push_back(fresh);
    }
    builder.setInsertionPointToStart(entry);
    for (mlir::BlockArgument argument : old->getArguments())
      if (mlir::isa<mlir::RankedTensorType>(argument.getType()))
        batcher.bind(argument, wireOf(builder, function, argument, known.lookup(argument), sizes));

    for (mlir::Operation &op : *old) {
      builder.setInsertionPointToEnd(entry);
      if (mlir::isa<AttncDialect>(op.getDialect())) {
        batcher.interpret(&op);
      } else if (mlir::isa<mlir::func::ReturnOp>(op)) {
        finish(builder, function, batcher, op);
      } else if (mlir::isa<mlir::arith::ExtFOp, mlir::arith::TruncFOp>(op)) {
        batcher.bind(op.getResult(0), converted(builder, op, batcher.wire(op.getOperand(0))));
      } else if (op.getNumResults() == 1 && op.getResult(0).getType().isIndex()) {
        builder.clone(op, known);
      } else {
        op.emitError() << "'" << op.getName() << "' has no place between the operations of a diagram";
        return signalPassFailure();
      }
    }
    old->dropAllReferences();
    old->erase();
    llvm::SmallVector<mlir::Type> results;
    for (mlir::Type type : function.getResultTypes())
      results.push_back(storedType(type));
    function.setFunctionType(mlir::FunctionType::get(&getContext(), entry->getArgumentTypes(), results));
  }

private:
  /// An argument of the function, its extents from the sizes by its shape attribute.
  static Batched wireOf(mlir::IRRewriter &builder, mlir::func::FuncOp function, mlir::BlockArgument argument,
                        Value tensor, llvm::ArrayRef<Value> sizes) {
    Batched wire{tensor, {}, {}};
    auto type = mlir::cast<mlir::RankedTensorType>(tensor.getType());
    auto shape = function.getArgAttrOfType<mlir::AffineMapAttr>(argument.getArgNumber(), shapeAttribute);
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (!type.isDynamicDim(axis))
        wire.extents.push_back(builder.getIndexAttr(type.getDimSize(axis)));
      else if (shape)
        wire.extents.push_back(
            mlir::affine::expandAffineExpr(builder, argument.getLoc(), shape.getValue().getResult(axis), {}, sizes));
      else
        wire.extents.push_back(mlir::tensor::DimOp::create(builder, argument.getLoc(), tensor, axis).getResult());
    return wire;
  }

  static Batched converted(mlir::IRRewriter &builder, mlir::Operation &op, const Batched &wire) {
    Nest loops{builder, op.getLoc(), {}, {}};
    loops.extents.append(wire.extents.begin(), wire.extents.end());
    loops.reads.push_back({wire.tensor, {}});
    for (unsigned axis = 0; axis < wire.extents.size(); ++axis)
      loops.reads[0].loops.push_back(axis);
    mlir::Type element = mlir::getElementTypeOrSelf(op.getResult(0));
    bool widens = mlir::isa<mlir::arith::ExtFOp>(op);
    Value result = loops.map(element, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) -> Value {
      return widens ? mlir::arith::ExtFOp::create(b, l, element, e[0]).getResult()
                    : mlir::arith::TruncFOp::create(b, l, element, e[0]).getResult();
    });
    return {result, {}, wire.extents};
  }

  static void finish(mlir::IRRewriter &builder, mlir::func::FuncOp function, const Batcher &batcher,
                     mlir::Operation &op) {
    llvm::SmallVector<Value> outputs;
    for (auto [value, type] : llvm::zip(op.getOperands(), function.getResultTypes())) {
      Value tensor = batcher.wire(value).tensor;
      mlir::Type wanted = storedType(type);
      outputs.push_back(tensor.getType() == wanted
                            ? tensor
                            : mlir::tensor::CastOp::create(builder, op.getLoc(), wanted, tensor).getResult());
    }
    mlir::func::ReturnOp::create(builder, op.getLoc(), outputs);
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createToLinalgPass() { return std::make_unique<ToLinalg>(); }

} // namespace attnc
