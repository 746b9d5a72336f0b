#include "attnc/lower/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attnc {

namespace {

namespace linalg = mlir::linalg;
namespace scf = mlir::scf;

/// Iterations of the innermost body from which a nest is shared out to threads: about ten times what starting
/// them costs. A nest whose extents are not known when it is compiled stays with one thread.
constexpr int64_t worthThreads = 1 << 17;

/// Nests of `linalg` become loops. Of a large nest the outermost parallel loop is marked as such; no two of
/// its iterations write the same element and none is reordered inside, so that the result does not depend, to
/// the bit, on the number of threads.
struct Loops : mlir::PassWrapper<Loops, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Loops)
  llvm::StringRef getArgument() const final { return "attnc-loops"; }
  llvm::StringRef getDescription() const final { return "nests become loops, the outer ones of large nests parallel"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect, mlir::memref::MemRefDialect, scf::SCFDialect>();
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
      rewriter.eraseOp(nest);
      if (shared)
        makeParallel(rewriter, mlir::cast<scf::ForOp>((*loops)[*shared]));
    }
  }

private:
  /// The loop to share out: the first of more than one iteration, if it is parallel and the nest is large.
  static std::optional<unsigned> sharedLoop(linalg::LinalgOp nest) {
    llvm::SmallVector<int64_t> extents = nest.getStaticLoopRanges();
    int64_t work = 1;
    for (int64_t extent : extents) {
      if (mlir::ShapedType::isDynamic(extent))
        return std::nullopt;
      work *= extent;
    }
    if (work < worthThreads)
      return std::nullopt;
    for (auto [loop, iterator] : llvm::enumerate(nest.getIteratorTypesArray())) {
      if (!linalg::isParallelIterator(iterator))
        return std::nullopt;
      if (extents[loop] > 1)
        return loop;
    }
    return std::nullopt;
  }

  static void makeParallel(mlir::IRRewriter &rewriter, scf::ForOp loop) {
    rewriter.setInsertionPoint(loop);
    auto parallel = scf::ParallelOp::create(rewriter, loop.getLoc(), mlir::ValueRange(loop.getLowerBound()),
                                            mlir::ValueRange(loop.getUpperBound()), mlir::ValueRange(loop.getStep()));
    rewriter.eraseOp(loop.getBody()->getTerminator());
    rewriter.inlineBlockBefore(loop.getBody(), parallel.getBody()->getTerminator(), parallel.getInductionVars());
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
