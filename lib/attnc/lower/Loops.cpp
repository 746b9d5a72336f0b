#include "attnc/lower/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attnc {

namespace {

namespace linalg = mlir::linalg;
namespace omp = mlir::omp;
namespace scf = mlir::scf;

/// Iterations of the innermost body from which a nest is shared out to threads: about ten times what starting
/// them costs.
constexpr uint64_t worthThreads = 1 << 17;
/// What an extent that is not known is taken for. A nest that would be small with it, as all are that run over two axes
/// alone, is not worth the code that asks.
constexpr uint64_t likelyExtent = 1 << 8;

/// Nests of `linalg` become loops. The outermost loop of a large nest is shared out to threads if it is parallel; where
/// the extents are not known, whether it is large is asked when it runs. No two iterations write the same element and
/// none is reordered inside, so that the result does not depend, to the bit, on the number of threads.
struct Loops : mlir::PassWrapper<Loops, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Loops)
  llvm::StringRef getArgument() const final { return "attnc-loops"; }
  llvm::StringRef getDescription() const final {
    return "nests become loops, the outer ones of large nests shared out";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect, mlir::arith::ArithDialect, mlir::memref::MemRefDialect,
                    omp::OpenMPDialect, scf::SCFDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    llvm::SmallVector<linalg::LinalgOp> nests;
    getOperation()->walk([&](linalg::LinalgOp op) { nests.push_back(op); });
    for (linalg::LinalgOp nest : nests) {
      std::optional<unsigned> shared = sharedLoop(nest);
      rewriter.setInsertionPoint(nest);
      auto loops = linalg::linalgOpToLoops(rewriter, nest);
      if (failed(loops))
        return signalPassFailure();
      if (shared)
        share(rewriter, mlir::cast<scf::ForOp>((*loops)[*shared]), isWorthThreads(rewriter, nest, *loops));
      rewriter.eraseOp(nest);
    }
  }

private:
  /// The loop to share out: the first of more than one iteration, if it is parallel and the nest is or may be large.
  static std::optional<unsigned> sharedLoop(linalg::LinalgOp nest) {
    llvm::SmallVector<int64_t> extents = nest.getStaticLoopRanges();
    uint64_t work = 1;
    for (int64_t extent : extents)
      work = llvm::SaturatingMultiply(work, mlir::ShapedType::isDynamic(extent) ? likelyExtent : uint64_t(extent));
    if (work < worthThreads || (mlir::isa<linalg::FillOp>(nest) && nest.hasDynamicShape()))
      return std::nullopt;
    for (auto [loop, iterator] : llvm::enumerate(nest.getIteratorTypesArray())) {
      if (!linalg::isParallelIterator(iterator))
        return std::nullopt;
      if (extents[loop] != 1)
        return loop;
    }
    return std::nullopt;
  }

  /// Whether there is work for threads, or nothing where that is known.
  static mlir::Value isWorthThreads(mlir::IRRewriter &rewriter, linalg::LinalgOp nest,
                                    const linalg::LinalgLoops &loops) {
    if (llvm::none_of(nest.getStaticLoopRanges(), mlir::ShapedType::isDynamic))
      return {};
    rewriter.setInsertionPoint(loops.front());
    mlir::Location location = nest.getLoc();
    mlir::Value work;
    for (mlir::Operation *loop : loops) {
      mlir::Value extent = mlir::cast<scf::ForOp>(loop).getUpperBound();
      work = work ? mlir::arith::MulIOp::create(rewriter, location, work, extent) : extent;
    }
    mlir::Value least = mlir::arith::ConstantIndexOp::create(rewriter, location, worthThreads);
    return mlir::arith::CmpIOp::create(rewriter, location, mlir::arith::CmpIPredicate::uge, work, least);
  }

  /// The loop's iterations by a team of threads, or by one thread if `worth` is there and does not hold.
  static void share(mlir::IRRewriter &rewriter, scf::ForOp loop, mlir::Value worth) {
    mlir::Location location = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    omp::ParallelOperands team;
    team.ifExpr = worth;
    auto parallel = omp::ParallelOp::create(rewriter, location, team);
    rewriter.createBlock(&parallel.getRegion());
    omp::WsloopOperands shares;
    shares.nowait = rewriter.getUnitAttr(); // the team waits at its end
    auto shared = omp::WsloopOp::create(rewriter, location, shares);
    omp::TerminatorOp::create(rewriter, location);
    rewriter.createBlock(&shared.getRegion());
    omp::LoopNestOperands bounds;
    bounds.loopLowerBounds = {loop.getLowerBound()};
    bounds.loopUpperBounds = {loop.getUpperBound()};
    bounds.loopSteps = {loop.getStep()};
    auto nest = omp::LoopNestOp::create(rewriter, location, bounds);
    mlir::Block *body = rewriter.createBlock(&nest.getRegion(), {}, rewriter.getIndexType(), location);
    rewriter.eraseOp(loop.getBody()->getTerminator());
    rewriter.mergeBlocks(loop.getBody(), body, body->getArguments());
    rewriter.setInsertionPointToEnd(body);
    omp::YieldOp::create(rewriter, location);
    rewriter.eraseOp(loop);
  }
};

/// The conversion to OpenMP puts a scope for stack memory round each body, which may hold one block only. No
/// loop of ours takes stack memory.
struct Unscope : mlir::PassWrapper<Unscope, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Unscope)
  llvm::StringRef getArgument() const final { return "attnc-unscope"; }
  llvm::StringRef getDescription() const final { return "drop the scopes of stack memory that nothing takes"; }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    llvm::SmallVector<mlir::memref::AllocaScopeOp> scopes;
    getOperation()->walk([&](mlir::memref::AllocaScopeOp scope) { scopes.push_back(scope); });
    for (mlir::memref::AllocaScopeOp scope : scopes) {
      mlir::Block &body = scope.getBodyRegion().front();
      rewriter.eraseOp(body.getTerminator());
      rewriter.inlineBlockBefore(&body, scope);
      rewriter.eraseOp(scope);
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createUnscopePass() { return std::make_unique<Unscope>(); }
std::unique_ptr<mlir::Pass> createLoopsPass() { return std::make_unique<Loops>(); }

} // namespace attnc
