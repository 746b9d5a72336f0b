#include "attnc/stream/Steps.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace attnc {

namespace linalg = mlir::linalg;
namespace tensor = mlir::tensor;
using mlir::AffineMap;
using mlir::OpFoldResult;
using mlir::Value;
using Extents = llvm::SmallVector<OpFoldResult, 6>;

std::optional<Value> Steps::outside(Value value) {
  if (loop.isDefinedOutsideOfLoop(value))
    return value;
  if (Value copy = copies.lookupOrNull(value))
    return copy;
  mlir::Operation *op = value.getDefiningOp();
  if (!op || op->getParentOp() != loop || !mlir::isPure(op) ||
      (op->getNumRegions() > 0 && !mlir::isa<linalg::FillOp>(op)))
    return std::nullopt;
  for (Value operand : op->getOperands()) {
    auto before = outside(operand);
    if (!before)
      return std::nullopt;
    copies.map(operand, *before);
  }
  mlir::OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  rewriter.clone(*op, copies);
  return copies.lookup(value);
}

std::optional<Stacked> Steps::all(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  if (auto same = outside(value))
    return Stacked{*same, std::nullopt};
  mlir::OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  std::optional<Stacked> made = make(value);
  known[value] = made;
  return made;
}

std::optional<Stacked> Steps::make(Value value) {
  mlir::Operation *op = value.getDefiningOp();
  if (!op || op->getParentOp() != loop)
    return std::nullopt;
  if (auto collapse = mlir::dyn_cast<tensor::CollapseShapeOp>(op))
    return slice(collapse);
  if (auto nested = mlir::dyn_cast<linalg::GenericOp>(op))
    return nest(nested);
  if (auto softmax = mlir::dyn_cast<dialect::SoftmaxOp>(op)) {
    unsigned position = std::min<unsigned>(axis, softmax.getRows());
    auto array = along(position, softmax.getArray());
    auto sink = softmax.getSink() ? along(position, softmax.getSink()) : std::optional<Value>(Value());
    if (!array || !sink)
      return std::nullopt;
    return Stacked{
        dialect::SoftmaxOp::create(rewriter, op->getLoc(), array->getType(), *array, *sink, softmax.getRows() + 1)
            .getResult(),
        position};
  }
  // The number of the step as a wire.
  if (auto wire = mlir::dyn_cast<tensor::FromElementsOp>(op))
    if (auto number = wire.getElements()[0].getDefiningOp<mlir::arith::IndexCastOp>();
        number && wire.getElements().size() == 1 && number.getIn() == loop.getInductionVar()) {
      Value empty = tensor::EmptyOp::create(rewriter, op->getLoc(), {count()}, rewriter.getI64Type());
      auto numbers = linalg::GenericOp::create(
          rewriter, op->getLoc(), empty.getType(), {}, empty, {rewriter.getMultiDimIdentityMap(1)},
          {mlir::utils::IteratorType::parallel}, [](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange) {
            Value step = linalg::IndexOp::create(b, l, 0);
            linalg::YieldOp::create(b, l, mlir::arith::IndexCastOp::create(b, l, b.getI64Type(), step).getResult());
          });
      return Stacked{numbers.getResult(0), 0};
    }
  return std::nullopt;
}

/// A slice of one step, its axis dropped.
std::optional<Stacked> Steps::slice(tensor::CollapseShapeOp collapse) {
  auto slice = collapse.getSrc().getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || !loop.isDefinedOutsideOfLoop(slice.getSource()) || !slice.hasUnitStride() ||
      collapse.getResultType().getRank() + 1 != slice.getSourceType().getRank())
    return std::nullopt;
  std::optional<unsigned> steps;
  for (auto [i, offset] : llvm::enumerate(slice.getMixedOffsets()))
    if (auto at = mlir::dyn_cast<Value>(offset); at && at == loop.getInductionVar() && !steps)
      steps = i;
    else if (!mlir::isConstantIntValue(offset, 0))
      return std::nullopt;
  if (!steps || !mlir::isConstantIntValue(slice.getMixedSizes()[*steps], 1))
    return std::nullopt;
  // The axis is joined to one of its neighbours; the extents of the others are whole.
  for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices()))
    if (group.size() > 1 && (group.size() != 2 || !llvm::is_contained(group, int64_t(*steps))))
      return std::nullopt;
  return Stacked{slice.getSource(), steps};
}

/// A map with the loop of the steps as loop `at`.
static AffineMap shifted(AffineMap map, unsigned at) {
  llvm::SmallVector<mlir::AffineExpr> dims;
  for (unsigned i = 0; i < map.getNumDims(); ++i)
    dims.push_back(mlir::getAffineDimExpr(i < at ? i : i + 1, map.getContext()));
  return map.replaceDimsAndSymbols(dims, {}, map.getNumDims() + 1, 0);
}

static AffineMap inserted(AffineMap map, unsigned position, unsigned dim) {
  llvm::SmallVector<mlir::AffineExpr> axes(map.getResults());
  axes.insert(axes.begin() + position, mlir::getAffineDimExpr(dim, map.getContext()));
  return AffineMap::get(map.getNumDims(), 0, axes, map.getContext());
}

std::optional<Stacked> Steps::nest(linalg::GenericOp op) {
  if (op->getNumResults() != 1 ||
      !llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isProjectedPermutation(); }))
    return std::nullopt;
  AffineMap output = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  unsigned position = std::min(axis, output.getNumResults());
  unsigned at = position < output.getNumResults() ? output.getDimPosition(position) : op.getNumLoops();
  llvm::SmallVector<Value> inputs;
  llvm::SmallVector<AffineMap> maps;
  for (mlir::OpOperand *operand : op.getDpsInputOperands()) {
    auto stacked = all(operand->get());
    if (!stacked)
      return std::nullopt;
    AffineMap map = shifted(op.getMatchingIndexingMap(operand), at);
    inputs.push_back(stacked->array);
    maps.push_back(stacked->steps ? inserted(map, *stacked->steps, at) : map);
  }
  // What a body takes from outside of it must be there before the loop.
  mlir::IRMapping inside;
  bool captures = false;
  op.getBody()->walk([&](mlir::Operation *inner) {
    for (Value operand : inner->getOperands())
      if (operand != loop.getInductionVar() && !op->isAncestor(operand.getParentBlock()->getParentOp())) {
        auto before = outside(operand);
        captures |= !before;
        inside.map(operand, before.value_or(operand));
      }
  });
  auto into = destination(op, position);
  if (captures || !into)
    return std::nullopt;
  maps.push_back(inserted(shifted(output, at), position, at));
  auto iterators = op.getIteratorTypesArray();
  iterators.insert(iterators.begin() + at, mlir::utils::IteratorType::parallel);
  auto result = linalg::GenericOp::create(rewriter, op.getLoc(), into->getType(), inputs, *into, maps, iterators);
  op.getRegion().cloneInto(&result.getRegion(), inside);
  mlir::OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(result.getBody());
  result.getBody()->walk([&](linalg::IndexOp index) { index.setDim(index.getDim() + (index.getDim() >= at)); });
  Value step = linalg::IndexOp::create(rewriter, op.getLoc(), at);
  result.getBody()->walk([&](mlir::Operation *inner) { inner->replaceUsesOfWith(loop.getInductionVar(), step); });
  if (step.use_empty())
    rewriter.eraseOp(step.getDefiningOp());
  return Stacked{result.getResult(0), position};
}

/// The array that a nest writes to, with the steps along `position`: not yet filled, filled with a value, or what a
/// fold begins with.
std::optional<Value> Steps::destination(linalg::GenericOp op, unsigned position) {
  Value init = op.getDpsInits()[0];
  auto fill = init.getDefiningOp<linalg::FillOp>();
  auto empty = (fill ? fill.getOutputs()[0] : init).getDefiningOp<tensor::EmptyOp>();
  if (!empty)
    return along(position, init);
  auto value = fill ? outside(fill.getInputs()[0]) : std::optional<Value>(Value());
  Extents extents(empty.getMixedSizes());
  for (OpFoldResult &extent : extents)
    if (auto size = mlir::dyn_cast<Value>(extent)) {
      auto before = outside(size);
      if (!before)
        return std::nullopt;
      extent = *before;
    }
  if (!value)
    return std::nullopt;
  extents.insert(extents.begin() + position, count());
  Value into = tensor::EmptyOp::create(rewriter, op.getLoc(), extents, empty.getType().getElementType());
  return fill ? linalg::FillOp::create(rewriter, op.getLoc(), *value, into).getResult(0) : into;
}

std::optional<Value> Steps::along(unsigned position, Value value) {
  auto stacked = all(value);
  if (!stacked)
    return std::nullopt;
  if (stacked->steps == position)
    return stacked->array;
  mlir::OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(loop);
  return spread(*stacked, position);
}

/// A copy with the steps along another axis.
Value Steps::spread(const Stacked &stacked, unsigned position) {
  mlir::Location location = loop.getLoc();
  Extents extents = tensor::getMixedSizes(rewriter, location, stacked.array);
  unsigned rank = extents.size() + !stacked.steps;
  llvm::SmallVector<mlir::AffineExpr> axes;
  for (unsigned axis = 0, next = 0; axis < extents.size(); ++axis) {
    next += next == position;
    axes.push_back(rewriter.getAffineDimExpr(axis == stacked.steps ? position : next++));
  }
  if (stacked.steps)
    extents.erase(extents.begin() + *stacked.steps);
  extents.insert(extents.begin() + position, count());
  mlir::Type element = mlir::getElementTypeOrSelf(stacked.array.getType());
  Value empty = tensor::EmptyOp::create(rewriter, location, extents, element);
  llvm::SmallVector<AffineMap, 2> maps{AffineMap::get(rank, 0, axes, rewriter.getContext()),
                                       rewriter.getMultiDimIdentityMap(rank)};
  llvm::SmallVector<mlir::utils::IteratorType> iterators(rank, mlir::utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             rewriter, location, empty.getType(), stacked.array, empty, maps, iterators,
             [](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) { linalg::YieldOp::create(b, l, e[0]); })
      .getResult(0);
}

} // namespace attnc
