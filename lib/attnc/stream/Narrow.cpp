#include "attnc/stream/Narrow.h"

#include "attnc/stream/Access.h"
#include "attnc/stream/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

using dialect::StreamOp;
using mlir::Value;

Value narrowOperand(Value operand, mlir::AffineMap &map) {
  Read read{operand, {}};
  mlir::AffineMap given = map;
  for (unsigned axis = 0; axis < given.getNumResults(); ++axis)
    read.loops.push_back(given.getDimPosition(axis));
  mlir::linalg::GenericOp widens = mapOf(read.array);
  if (!widens)
    return nullptr;
  auto extended = widens.getBody()->getTerminator()->getOperand(0).getDefiningOp<mlir::arith::ExtFOp>();
  auto argument = extended ? mlir::dyn_cast<mlir::BlockArgument>(extended.getIn()) : nullptr;
  if (!argument || argument.getOwner() != widens.getBody() || !argument.getType().isBF16())
    return nullptr;
  auto source = operandRead(widens, argument.getArgNumber(), read);
  if (!source)
    return nullptr;
  llvm::SmallVector<mlir::AffineExpr> axes;
  for (unsigned loop : source->loops)
    axes.push_back(mlir::getAffineDimExpr(loop, operand.getContext()));
  map = mlir::AffineMap::get(given.getNumDims(), 0, axes, operand.getContext());
  return source->array;
}

namespace {

namespace linalg = mlir::linalg;

struct Narrow : mlir::PassWrapper<Narrow, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Narrow)
  explicit Narrow(std::function<bool(StreamOp)> chosen) : chosen(std::move(chosen)) {}
  llvm::StringRef getArgument() const final { return "attnc-narrow"; }
  llvm::StringRef getDescription() const final {
    return "streams read and write arrays in bf16 as they are kept, and compute what is constant";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<dialect::AttncDialect, mlir::tensor::TensorDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    if (!chosen) // scans are chosen by none
      getOperation()->walk([](dialect::ChunksOp scan) { reads(scan, 3 + scan.isGated()); });
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp stream) {
      if (!chosen || chosen(stream))
        streams.push_back(stream);
    });
    for (StreamOp stream : streams) {
      constants(stream);
      if (!stream.isTermed()) // terms compute in f32
        reads(stream, stream.getContraction().size() + stream.getValue().size());
      writes(rewriter, stream);
    }
  }

private:
  /// A number that is made of constants alone needs no kernel that puts it into an array.
  static void constants(StreamOp stream) {
    unsigned before = stream.getContraction().size() + stream.getValue().size();
    mlir::Block &region = stream.getScore().front();
    for (unsigned i = stream.getOthers().size(); i-- > 0;) {
      auto made = stream.getOthers()[i].getDefiningOp<linalg::GenericOp>();
      if (!made || made->getNumResults() != 1 || made.getNumLoops() != 0 ||
          made.payloadUsesValueFromOperand(made.getDpsInitOperand(0)))
        continue;
      auto code = mlir::OpBuilder::atBlockBegin(&region);
      mlir::IRMapping values;
      bool known = llvm::all_of(llvm::enumerate(made.getDpsInputs()), [&](auto input) {
        mlir::DenseElementsAttr elements;
        if (!mlir::matchPattern(input.value(), mlir::m_Constant(&elements)))
          return false;
        auto element = elements.getSplatValue<mlir::TypedAttr>();
        values.map(made.getBody()->getArgument(input.index()),
                   mlir::arith::ConstantOp::create(code, stream.getLoc(), element).getResult());
        return true;
      });
      if (!known)
        continue;
      for (mlir::Operation &op : made.getBody()->without_terminator())
        code.clone(op, values);
      Value number = values.lookupOrDefault(made.getBody()->getTerminator()->getOperand(0));
      unsigned argument = stream.getBatch() + 2 + stream.isContracted() + i;
      region.getArgument(argument).replaceAllUsesWith(number);
      region.eraseArgument(argument);
      llvm::SmallVector<mlir::Attribute> maps(stream.getMaps().getValue());
      maps.erase(maps.begin() + before + i);
      stream.getOthersMutable().erase(i);
      stream.setMapsAttr(mlir::ArrayAttr::get(stream.getContext(), maps));
    }
  }

  /// The first `count` operands.
  template <class Op> static void reads(Op op, unsigned count) {
    llvm::SmallVector<mlir::Attribute> maps(op.getMaps().getValue());
    for (unsigned i = 0; i < count; ++i) {
      mlir::AffineMap map = op.mapOf(i);
      if (Value array = narrowOperand(op->getOperand(i), map)) {
        op->setOperand(i, array);
        maps[i] = mlir::AffineMapAttr::get(map);
      }
    }
    op.setMapsAttr(mlir::ArrayAttr::get(op.getContext(), maps));
  }

  /// Results that are only asked for in bf16 are written so.
  static void writes(mlir::IRRewriter &rewriter, StreamOp stream) {
    if (stream->getNumResults() != 1 || !stream->getResult(0).hasOneUse())
      return;
    auto map = mlir::dyn_cast<linalg::GenericOp>(*stream->getResult(0).user_begin());
    if (!map || map->getNumResults() != 1 || mapOf(map.getResult(0)) != map || map.getNumDpsInputs() != 1)
      return;
    auto rounded = map.getBody()->getTerminator()->getOperand(0).getDefiningOp<mlir::arith::TruncFOp>();
    auto argument = rounded ? mlir::dyn_cast<mlir::BlockArgument>(rounded.getIn()) : nullptr;
    if (!argument || argument != map.getBody()->getArgument(0) || !rounded.getType().isBF16())
      return;
    unsigned output = stream.arrays().size() - 1; // the only one
    mlir::AffineMap in = map.getIndexingMapsArray()[0], out = map.getIndexingMapsArray()[1], old = stream.mapOf(output);
    if (!in.isPermutation())
      return;
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (mlir::AffineExpr loop : out.getResults())
      axes.push_back(old.getResult(*in.getResultPosition(loop)));
    llvm::SmallVector<mlir::Attribute> maps(stream.getMaps().getValue());
    maps[output] = mlir::AffineMapAttr::get(mlir::AffineMap::get(old.getNumDims(), 0, axes, stream.getContext()));
    rewriter.setInsertionPoint(map);
    llvm::SmallVector<Value> operands(stream->getOperands());
    operands[output] = map.getDpsInits()[0];
    mlir::OperationState state(stream.getLoc(), stream->getName(), operands, map->getResultTypes(), stream->getAttrs());
    state.addRegion()->takeBody(stream.getScore());
    mlir::Operation *made = rewriter.create(state);
    mlir::cast<StreamOp>(made).setMapsAttr(mlir::ArrayAttr::get(stream.getContext(), maps));
    rewriter.replaceOp(map, made->getResults());
    rewriter.eraseOp(stream);
  }

  std::function<bool(StreamOp)> chosen; // all where there is none
};

} // namespace

std::unique_ptr<mlir::Pass> createNarrowPass(std::function<bool(StreamOp)> chosen) {
  return std::make_unique<Narrow>(std::move(chosen));
}

} // namespace attnc
