#include "attnc/lower/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;

enum class Work { None, Little, Much };

/// What one iteration of a producer costs to do again: nothing when it only moves elements or looks at
/// indices, little for a few sums and products, much for divisions and functions.
Work workOf(linalg::GenericOp op) {
  unsigned operations = 0;
  for (mlir::Operation &inner : op.getBody()->without_terminator()) {
    if (mlir::isa<arith::ConstantOp, arith::IndexCastOp, arith::CmpIOp, arith::ExtUIOp, linalg::IndexOp,
                  mlir::affine::AffineApplyOp>(inner))
      continue;
    if (!mlir::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp, arith::ExtFOp, arith::CmpFOp,
                   arith::SelectOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::AddIOp, arith::SubIOp,
                   arith::MulIOp, arith::MaximumFOp, arith::MinimumFOp, arith::SIToFPOp>(inner))
      return Work::Much;
    ++operations;
  }
  return operations == 0 ? Work::None : operations <= 6 ? Work::Little : Work::Much;
}

/// A producer goes into its consumer when nothing is computed twice (the consumer's loops are the producer's,
/// and nobody else wants it) or what is computed twice costs less than writing and reading it. In particular
/// the products of a contraction are never written, and exponentials are never computed in a larger loop.
bool worthFusing(mlir::OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = mlir::dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer)
    return false;
  Work work = workOf(producer);
  if (work == Work::None)
    return true;
  mlir::AffineMap map = consumer.getMatchingIndexingMap(operand);
  if (!map.isPermutation())
    return false;
  bool onlyHere = llvm::all_of(operand->get().getUsers(), [&](mlir::Operation *user) { return user == consumer; });
  return onlyHere || work == Work::Little;
}

/// MLIR's own set of fusion patterns takes an accumulator that is not read for one that need not be filled. A fold
/// that has become constant (`any` of true) does not read it, and over an empty axis it is the result.
struct FuseProducer : mlir::OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  mlir::LogicalResult matchAndRewrite(linalg::GenericOp consumer, mlir::PatternRewriter &rewriter) const final {
    for (mlir::OpOperand &operand : consumer->getOpOperands()) {
      if (!linalg::areElementwiseOpsFusable(&operand) || !worthFusing(&operand))
        continue;
      mlir::Operation *producer = operand.get().getDefiningOp();
      auto fused = linalg::fuseElementwiseOps(rewriter, &operand);
      if (failed(fused))
        return mlir::failure();
      for (auto [old, replacement] : fused->replacements)
        rewriter.replaceUsesWithIf(old, replacement,
                                   [&](mlir::OpOperand &use) { return use.get().getDefiningOp() != producer; });
      rewriter.eraseOp(consumer);
      return mlir::success();
    }
    return mlir::failure();
  }
};

struct Fuse : mlir::PassWrapper<Fuse, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Fuse)
  llvm::StringRef getArgument() const final { return "attnc-fuse"; }
  llvm::StringRef getDescription() const final {
    return "put producers into the loops of their consumers where that pays";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect>();
  }

  void runOnOperation() final {
    mlir::RewritePatternSet patterns(&getContext());
    patterns.add<FuseProducer>(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    mlir::GreedyRewriteConfig config;
    config.enableFolding(true);
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

/// The worth of a loop as the innermost: operands that it walks one element at a time can be loaded as
/// vectors, those it does not move stay in registers, and strides cost most. What is written counts double.
int worthInside(linalg::GenericOp op, unsigned loop) {
  int worth = 0;
  for (mlir::OpOperand &operand : op->getOpOperands()) {
    mlir::AffineMap map = op.getMatchingIndexingMap(&operand);
    int weight = op.isDpsInit(&operand) ? 2 : 1;
    std::optional<unsigned> position = map.getResultPosition(mlir::getAffineDimExpr(loop, op.getContext()));
    if (!position)
      worth += weight;
    else if (*position + 1 == map.getNumResults())
      worth += 2 * weight;
    else
      worth -= 3 * weight;
  }
  return op.getStaticLoopRanges()[loop] == 1 ? worth - 100 : worth;
}

struct OrderLoops : mlir::PassWrapper<OrderLoops, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OrderLoops)
  llvm::StringRef getArgument() const final { return "attnc-order-loops"; }
  llvm::StringRef getDescription() const final { return "make the loop innermost that runs along memory"; }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    getOperation()->walk([&](linalg::GenericOp op) {
      unsigned loops = op.getNumLoops();
      if (loops < 2)
        return;
      unsigned best = loops - 1;
      int most = worthInside(op, best);
      for (unsigned loop = loops - 1; loop-- > 0;)
        if (int worth = worthInside(op, loop); worth > most) {
          best = loop;
          most = worth;
        }
      if (best == loops - 1)
        return;
      llvm::SmallVector<unsigned> order;
      for (unsigned loop = 0; loop < loops; ++loop)
        if (loop != best)
          order.push_back(loop);
      order.push_back(best);
      rewriter.setInsertionPoint(op);
      (void)linalg::interchangeGenericOp(rewriter, op, order); // a nest that cannot be reordered is right as it is
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createFusePass() { return std::make_unique<Fuse>(); }
std::unique_ptr<mlir::Pass> createOrderLoopsPass() { return std::make_unique<OrderLoops>(); }

} // namespace attnc
