#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"
#include "attnc/lower/Parallel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attnc {

namespace {

namespace linalg = mlir::linalg;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
using mlir::Value;

/// Every operation on elements goes into one `scf.parallel` whose points depend on none of the others; what is folded
/// is a loop inside it. What stays outside is for the host: scratch, loops with grids in them, index arithmetic.
struct Grids : mlir::PassWrapper<Grids, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Grids)
  llvm::StringRef getArgument() const final { return "attnc-grids"; }
  llvm::StringRef getDescription() const final { return "nests of loops become grids of independent points"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect, mlir::arith::ArithDialect, memref::MemRefDialect, scf::SCFDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    llvm::SmallVector<memref::CopyOp> copies;
    getOperation()->walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
    }
    llvm::SmallVector<linalg::LinalgOp> nests;
    getOperation()->walk([&](linalg::LinalgOp nest) { nests.push_back(nest); });
    for (linalg::LinalgOp nest : nests)
      if (failed(spread(rewriter, nest)))
        return signalPassFailure();
    if (failed(spread(rewriter, getOperation().getBody().front())))
      signalPassFailure();
  }

private:
  /// The parallel loops of a nest become the grid, whatever their order; the folds stay in theirs.
  static mlir::LogicalResult spread(mlir::IRRewriter &rewriter, linalg::LinalgOp nest) {
    rewriter.setInsertionPoint(nest);
    if (nest.getNumParallelLoops() == 0) {
      scf::ParallelOp grid = gridOf(rewriter, nest.getLoc(), {});
      rewriter.setInsertionPointToStart(grid.getBody());
      nest->moveBefore(grid.getBody()->getTerminator());
      rewriter.setInsertionPoint(nest);
      if (failed(linalg::linalgOpToLoops(rewriter, nest)))
        return mlir::failure();
    } else {
      if (auto generic = mlir::dyn_cast<linalg::GenericOp>(*nest)) {
        llvm::SmallVector<unsigned> parallel, order;
        generic.getParallelDims(order);
        generic.getReductionDims(parallel);
        order.append(parallel);
        if (!llvm::is_sorted(order)) {
          auto turned = linalg::interchangeGenericOp(rewriter, generic, order);
          if (failed(turned))
            return mlir::failure();
          nest = *turned;
        }
      }
      if (failed(linalg::linalgOpToParallelLoops(rewriter, nest)))
        return mlir::failure();
    }
    rewriter.eraseOp(nest);
    return mlir::success();
  }

  static scf::ParallelOp gridOf(mlir::IRRewriter &rewriter, mlir::Location location, llvm::ArrayRef<Value> extents) {
    Value zero = mlir::arith::ConstantIndexOp::create(rewriter, location, 0);
    Value one = mlir::arith::ConstantIndexOp::create(rewriter, location, 1);
    llvm::SmallVector<Value> ends(extents);
    if (ends.empty())
      ends.push_back(one);
    llvm::SmallVector<Value> begins(ends.size(), zero), steps(ends.size(), one);
    return scf::ParallelOp::create(rewriter, location, begins, ends, steps);
  }

  /// What stands outside grids and works on elements gets a grid too: loops, by those of their loops that are known to
  /// be independent (`attnc.parallel`), and single stores.
  mlir::LogicalResult spread(mlir::IRRewriter &rewriter, mlir::Block &block) {
    llvm::SmallPtrSet<mlir::Operation *, 8> taken;
    for (mlir::Operation *op : llvm::map_to_vector(block, [](mlir::Operation &op) { return &op; })) {
      auto loop = mlir::dyn_cast<scf::ForOp>(op);
      if (taken.contains(op))
        continue;
      if (loop && isHostLoop(loop)) {
        if (failed(spread(rewriter, *loop.getBody())))
          return mlir::failure();
      } else if (loop || mlir::isa<memref::StoreOp>(op)) {
        auto group = together(op);
        if (failed(group))
          return mlir::failure();
        taken.insert(group->begin(), group->end());
        spread(rewriter, op, group->getArrayRef());
      }
    }
    return mlir::success();
  }

  /// An operation with all that is made of its results in its block.
  static mlir::FailureOr<llvm::SetVector<mlir::Operation *>> together(mlir::Operation *op) {
    llvm::SetVector<mlir::Operation *> group;
    group.insert(op);
    mlir::Operation *last = op;
    for (mlir::Operation *other = op->getNextNode(); other; other = other->getNextNode())
      if (llvm::any_of(group, [&](mlir::Operation *member) { return llvm::is_contained(member->getUsers(), other); })) {
        group.insert(other);
        last = other;
      }
    mlir::Operation *next = nullptr;
    for (mlir::Operation *other = op; other != last; other = next) {
      next = other->getNextNode();
      if (mlir::isa<memref::DeallocOp>(other))
        other->moveAfter(last);
      else if (!group.contains(other) && !mlir::isMemoryEffectFree(other) && !mlir::isa<memref::AllocOp>(other))
        return last->emitOpError() << "uses an element that was computed before '" << other->getName() << "'";
    }
    return group;
  }

  static void spread(mlir::IRRewriter &rewriter, mlir::Operation *first, llvm::ArrayRef<mlir::Operation *> group) {
    auto spreadable = [&](scf::ForOp inner) {
      mlir::Operation *bound = inner.getUpperBound().getParentBlock()->getParentOp();
      return inner->hasAttr(parallelAttribute) && inner.getInitArgs().empty() && !first->isAncestor(bound) &&
             mlir::isConstantIntValue(inner.getLowerBound(), 0) && mlir::isConstantIntValue(inner.getStep(), 1);
    };
    llvm::SmallVector<scf::ForOp> loops;
    first->walk<mlir::WalkOrder::PreOrder>([&](scf::ForOp inner) {
      if (spreadable(inner))
        loops.push_back(inner);
    });
    llvm::SmallVector<Value> extents;
    for (scf::ForOp inner : loops)
      extents.push_back(inner.getUpperBound());
    rewriter.setInsertionPointAfter(group.back());
    scf::ParallelOp grid = gridOf(rewriter, first->getLoc(), extents);
    for (mlir::Operation *op : group)
      op->moveBefore(grid.getBody()->getTerminator());
    for (auto [inner, at] : llvm::zip(loops, grid.getInductionVars())) {
      rewriter.eraseOp(inner.getBody()->getTerminator());
      rewriter.inlineBlockBefore(inner.getBody(), inner, at);
      rewriter.eraseOp(inner);
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createGridsPass() { return std::make_unique<Grids>(); }

} // namespace attnc
