#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Nest.h"
#include "attnc/lower/Passes.h"
#include "attnc/lower/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
using mlir::Value;
using mlir::ValueRange;

/// The softmaxes through which no stream runs, as three passes: maximum; exponentials and their sum; product with
/// the reciprocal of the sum. Where the maximum is -inf, 0 is subtracted instead, so that the exponentials are 0, and
/// the sum is taken as 1.
struct Expansion {
  mlir::OpBuilder &builder;
  mlir::Location location;
  mlir::Type real;
  unsigned rows;                                    // axes that are not normalised over
  llvm::SmallVector<mlir::OpFoldResult, 6> extents; // of all axes

  mlir::TypedAttr lowest = unitOf(Cap::Max, real), zero = unitOf(Cap::Sum, real), one = unitOf(Cap::Prod, real);

  Value expand(Value x, Value sink) {
    Value maximum = fold(Cap::Max, x, sink ? sink : filled(lowest));
    Value shift = map(rows, {maximum}, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
      return whereLowest(b, l, e[0], zero, e[0]);
    });
    auto power = [](mlir::OpBuilder &b, mlir::Location l, ValueRange e) -> Value {
      return mlir::math::ExpOp::create(b, l, arith::SubFOp::create(b, l, e[0], e[1]));
    };
    Value powers = map(extents.size(), {x, shift}, power);
    Value sum = fold(Cap::Sum, powers, sink ? map(rows, {sink, shift}, power) : filled(zero));
    Value scale = map(rows, {sum, maximum}, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) -> Value {
      return arith::DivFOp::create(b, l, arith::ConstantOp::create(b, l, one), whereLowest(b, l, e[1], one, e[0]));
    });
    return map(extents.size(), {powers, scale}, [](mlir::OpBuilder &b, mlir::Location l, ValueRange e) -> Value {
      return arith::MulFOp::create(b, l, e[0], e[1]);
    });
  }

private:
  Nest nest(unsigned loops, llvm::ArrayRef<Value> reads) {
    Nest result{builder, location, {}, {}};
    result.extents.append(extents.begin(), extents.begin() + loops);
    for (Value array : reads) {
      unsigned axes = mlir::cast<mlir::RankedTensorType>(array.getType()).getRank();
      Access access{array, {}};
      for (unsigned axis = 0; axis < axes; ++axis)
        access.loops.push_back(axis);
      result.reads.push_back(access);
    }
    return result;
  }
  Value map(unsigned loops, llvm::ArrayRef<Value> reads, Payload payload) {
    return nest(loops, reads).map(real, payload);
  }
  Value fold(Cap cap, Value array, Value initial) {
    llvm::SmallVector<bool> folded(rows, false);
    folded.resize(extents.size(), true);
    return nest(extents.size(), {array}).fold(folded, initial, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
      return emitFold(b, l, cap, e.back(), e.front());
    });
  }
  Value filled(mlir::TypedAttr value) {
    return filledTensor(builder, location, llvm::ArrayRef(extents).take_front(rows), value);
  }
  Value whereLowest(mlir::OpBuilder &b, mlir::Location l, Value maximum, mlir::TypedAttr then, Value otherwise) {
    Value masked =
        arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, maximum, arith::ConstantOp::create(b, l, lowest));
    return arith::SelectOp::create(b, l, masked, arith::ConstantOp::create(b, l, then), otherwise);
  }
};

struct ExpandSoftmax : mlir::PassWrapper<ExpandSoftmax, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandSoftmax)
  llvm::StringRef getArgument() const final { return "attnc-expand-softmax"; }
  llvm::StringRef getDescription() const final { return "softmax as folds and maps"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, mlir::linalg::LinalgDialect, mlir::math::MathDialect,
                    mlir::tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    getOperation()->walk([&](dialect::SoftmaxOp op) {
      rewriter.setInsertionPoint(op);
      Value x = op.getArray();
      Expansion expansion{rewriter, op.getLoc(), mlir::getElementTypeOrSelf(x), unsigned(op.getRows()), {}};
      auto sizes = mlir::tensor::getMixedSizes(rewriter, op.getLoc(), x);
      expansion.extents.append(sizes.begin(), sizes.end());
      Value result = expansion.expand(x, op.getSink());
      if (result.getType() != x.getType())
        result = mlir::tensor::CastOp::create(rewriter, op.getLoc(), x.getType(), result);
      rewriter.replaceOp(op, result);
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createExpandSoftmaxPass() { return std::make_unique<ExpandSoftmax>(); }

} // namespace attnc
