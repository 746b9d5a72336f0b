#include "attnc/lower/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

// What bufferisation leaves open: where loops keep their states, and how strided arrays are copied.
namespace attnc {

namespace {

namespace bufferization = mlir::bufferization;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using mlir::Value;

/// After this pass bufferisation finds a place for everything: each value is computed into an array of its
/// own, and what a loop carries stays in the array it came in, so that no step makes new ones.
struct Places : mlir::PassWrapper<Places, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Places)
  llvm::StringRef getArgument() const final { return "attnc-places"; }
  llvm::StringRef getDescription() const final {
    return "values do not share arrays; loops keep their states in place";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() final {
    mlir::OpBuilder builder(&getContext());
    getOperation()->walk([&](mlir::Operation *op) { separate(builder, op); });
    llvm::SmallVector<tensor::EmptyOp> empties;
    getOperation()->walk([&](tensor::EmptyOp empty) { empties.push_back(empty); });
    for (tensor::EmptyOp empty : empties) {
      for (mlir::OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
        builder.setInsertionPoint(use.getOwner());
        use.set(builder.clone(*empty)->getResult(0));
      }
      empty->erase();
    }
    getOperation()->walk([&](scf::ForOp loop) { keepInPlace(builder, loop); });
    getOperation()->walk([&](bufferization::MaterializeInDestinationOp write) {
      builder.setInsertionPoint(write);
      write.getSourceMutable().assign(settled(builder, write.getLoc(), write.getSource()));
    });
  }

private:
  /// Gives an operation that continues an array, others using it too, an array of its own to continue. Those that have
  /// read an element of it before do not count: a sum into an array reads and writes each step.
  static void separate(mlir::OpBuilder &builder, mlir::Operation *op) {
    auto continued = [&](mlir::OpOperand &operand) {
      if (auto structured = mlir::dyn_cast<mlir::DestinationStyleOpInterface>(op))
        return structured.isDpsInit(&operand);
      auto loop = mlir::dyn_cast<scf::ForOp>(op);
      return loop && operand.getOperandNumber() >= loop.getNumControlOperands();
    };
    auto done = [&](mlir::Operation *user) {
      return mlir::isa<tensor::ExtractOp>(user) && user->getBlock() == op->getBlock() && user->isBeforeInBlock(op);
    };
    for (mlir::OpOperand &operand : op->getOpOperands()) {
      if (!mlir::isa<mlir::RankedTensorType>(operand.get().getType()) || !continued(operand) ||
          llvm::all_of(operand.get().getUses(),
                       [&](mlir::OpOperand &use) { return &use == &operand || done(use.getOwner()); }))
        continue;
      mlir::Operation *producer = operand.get().getDefiningOp();
      if (mlir::isa_and_nonnull<tensor::EmptyOp>(producer))
        continue;
      builder.setInsertionPoint(op);
      if (mlir::isa_and_nonnull<mlir::linalg::FillOp>(producer))
        operand.set(builder.clone(*producer)->getResult(0));
      else
        operand.set(copied(builder, op->getLoc(), operand.get()));
    }
  }

  static void keepInPlace(mlir::OpBuilder &builder, scf::ForOp loop) {
    if (loop.getInitArgs().empty())
      return;
    mlir::Operation *end = loop.getBody()->getTerminator();
    builder.setInsertionPoint(end);
    llvm::SmallVector<std::pair<unsigned, Value>> moved;
    for (auto [i, carried, next] : llvm::enumerate(loop.getRegionIterArgs(), end->getOperands())) {
      if (!mlir::isa<mlir::RankedTensorType>(carried.getType()) || destinationOf(next) == carried)
        continue;
      // A state that becomes (a view of) another one would be read after that one has been overwritten.
      Value source = mlir::isa<mlir::BlockArgument>(sourceOf(next)) ? copied(builder, loop.getLoc(), next) : next;
      moved.push_back({i, source});
    }
    for (auto [i, source] : moved) {
      Value place = loop.getRegionIterArg(i);
      if (mlir::linalg::GenericOp op = computableIn(place, source)) {
        op.getDpsInitsMutable()[0].set(place);
        end->setOperand(i, source);
      } else {
        builder.setInsertionPoint(end);
        end->setOperand(i, mlir::linalg::CopyOp::create(builder, loop.getLoc(), source, place).getResult(0));
      }
    }
  }

  /// The operation that gives a next state, when it can write over the state before: it has no other place,
  /// moves no elements, and nobody looks at the state after it.
  static mlir::linalg::GenericOp computableIn(Value place, Value next) {
    auto op = next.getDefiningOp<mlir::linalg::GenericOp>();
    auto plain = [&](mlir::OpOperand &operand) { return op.getMatchingIndexingMap(&operand).isIdentity(); };
    if (!op || op->getBlock() != place.getParentBlock() || op.getNumParallelLoops() != op.getNumLoops() ||
        !plain(op.getDpsInitsMutable()[0]) || !op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>())
      return nullptr;
    for (mlir::OpOperand &use : place.getUses()) {
      mlir::Operation *user = use.getOwner();
      bool read = mlir::isa<mlir::linalg::LinalgOp>(user) && user->getBlock() == op->getBlock();
      if (!read || !(user == op ? plain(use) : user->isBeforeInBlock(op)))
        return nullptr;
    }
    return op;
  }

  static Value copied(mlir::OpBuilder &builder, mlir::Location location, Value value) {
    auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
    return bufferization::AllocTensorOp::create(builder, location, type, mlir::ValueRange{}, value);
  }

  /// The value, or a copy of one that is a view: else what it is a view of might be computed into the place
  /// the view is to be written to, whose type may be the same though its extents are others.
  static Value settled(mlir::OpBuilder &builder, mlir::Location location, Value value) {
    if (sourceOf(value) == value)
      return value;
    auto type = mlir::cast<mlir::RankedTensorType>(value.getType());
    Value empty = tensor::EmptyOp::create(builder, location, tensor::getMixedSizes(builder, location, value),
                                          type.getElementType());
    return mlir::linalg::CopyOp::create(builder, location, value, empty).getResult(0);
  }

  /// What a value is a view of.
  static Value sourceOf(Value value) {
    while (mlir::Operation *op = value.getDefiningOp()) {
      if (!mlir::isa<tensor::ExtractSliceOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ReshapeOp,
                     tensor::CastOp>(op))
        break;
      value = op->getOperand(0);
    }
    return value;
  }

  /// The array into which insertions have built a value.
  static Value destinationOf(Value value) {
    while (mlir::Operation *op = value.getDefiningOp()) {
      if (auto insert = mlir::dyn_cast<tensor::InsertOp>(op))
        value = insert.getDest();
      else if (auto slice = mlir::dyn_cast<tensor::InsertSliceOp>(op))
        value = slice.getDest();
      else if (auto loop = mlir::dyn_cast<scf::ForOp>(op))
        value = loop.getInitArgs()[mlir::cast<mlir::OpResult>(value).getResultNumber()];
      else
        break;
    }
    return value;
  }
};

/// Copies between arrays that are not dense as loops; the others become calls of memcpy later.
struct Copies : mlir::PassWrapper<Copies, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Copies)
  llvm::StringRef getArgument() const final { return "attnc-copies"; }
  llvm::StringRef getDescription() const final { return "copies of strided arrays as loops"; }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    getOperation()->walk([&](mlir::memref::CopyOp copy) {
      auto dense = [](Value array) { return mlir::cast<mlir::MemRefType>(array.getType()).getLayout().isIdentity(); };
      if (dense(copy.getSource()) && dense(copy.getTarget()))
        return;
      rewriter.setInsertionPoint(copy);
      mlir::linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createPlacesPass() { return std::make_unique<Places>(); }
std::unique_ptr<mlir::Pass> createCopiesPass() { return std::make_unique<Copies>(); }

} // namespace attnc
