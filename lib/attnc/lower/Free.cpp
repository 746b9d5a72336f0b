#include "attnc/lower/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "llvm/Support/MathExtras.h"

namespace attnc {

namespace {

/// Gives each array of scratch back after its last use. All buffers are those of values that live in one
/// block: loops write their results into arrays from outside, so none leaves the block it is made in.
struct Free : mlir::PassWrapper<Free, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Free)
  llvm::StringRef getArgument() const final { return "attnc-free"; }
  llvm::StringRef getDescription() const final { return "free each buffer after its last use"; }

  void runOnOperation() final {
    mlir::OpBuilder builder(&getContext());
    auto result = getOperation()->walk([&](mlir::memref::AllocOp alloc) {
      if (alloc.getType().hasStaticShape() && !addressable(alloc.getType())) {
        alloc.emitOpError() << "is larger than any memory";
        return mlir::WalkResult::interrupt();
      }
      mlir::Operation *last = lastUse(alloc);
      if (!last)
        return mlir::WalkResult::interrupt();
      builder.setInsertionPointAfter(last);
      mlir::memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
      return mlir::WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  static bool addressable(mlir::MemRefType type) {
    std::int64_t bytes = 8; // the widest element
    for (std::int64_t extent : type.getShape())
      if (llvm::MulOverflow(bytes, extent, bytes))
        return false;
    return true;
  }

  /// The operation of the buffer's block in or at which it or a view of it is used last; null, with an
  /// error, when it leaves the block.
  static mlir::Operation *lastUse(mlir::memref::AllocOp alloc) {
    mlir::Operation *last = alloc;
    llvm::SmallVector<mlir::Value> views{alloc};
    while (!views.empty())
      for (mlir::Operation *user : views.pop_back_val().getUsers()) {
        if (user->hasTrait<mlir::OpTrait::IsTerminator>()) {
          alloc.emitOpError() << "leaves its block by '" << user->getName() << "'";
          return nullptr;
        }
        if (mlir::isa<mlir::ViewLikeOpInterface>(user))
          views.append(user->result_begin(), user->result_end());
        mlir::Operation *ancestor = alloc->getBlock()->findAncestorOpInBlock(*user);
        if (last->isBeforeInBlock(ancestor))
          last = ancestor;
      }
    return last;
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createFreePass() { return std::make_unique<Free>(); }

} // namespace attnc
