#include "attnc/stream/Slice.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
namespace tensor = mlir::tensor;
using dialect::SoftmaxOp;
using mlir::Value;

/// The number that an array without axes holds, where it is known.
static std::optional<int64_t> numberOf(const Read &read) {
  Read at = source(read);
  if (!at.loops.empty())
    return std::nullopt;
  Value given;
  if (auto fill = at.array.getDefiningOp<linalg::FillOp>())
    given = fill.getInputs()[0];
  else if (auto scalar = at.array.getDefiningOp<tensor::FromElementsOp>())
    given = scalar.getElements()[0];
  else if (linalg::GenericOp map = mapOf(at.array))
    given = map.getBody()->getTerminator()->getOperand(0);
  llvm::APInt number;
  return given && mlir::matchPattern(given, mlir::m_ConstantInt(&number)) ? std::optional(number.getSExtValue())
                                                                          : std::nullopt;
}

/// The slice of an array at an index of an axis. What maps and folds make is made of the slices of their operands.
static Value sliced(mlir::RewriterBase &rewriter, Value array, unsigned axis, int64_t at) {
  mlir::Location location = array.getLoc();
  auto type = mlir::cast<mlir::RankedTensorType>(array.getType());
  llvm::SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + axis);
  auto less = mlir::RankedTensorType::get(shape, type.getElementType());
  auto without = [&](Value of) {
    llvm::SmallVector<mlir::OpFoldResult> sizes = tensor::getMixedSizes(rewriter, location, of);
    sizes.erase(sizes.begin() + axis);
    return sizes;
  };
  if (auto empty = array.getDefiningOp<tensor::EmptyOp>())
    return tensor::EmptyOp::create(rewriter, location, without(array), type.getElementType());
  if (auto fill = array.getDefiningOp<linalg::FillOp>())
    return linalg::FillOp::create(rewriter, location, fill.getInputs()[0],
                                  sliced(rewriter, fill.getOutputs()[0], axis, at))
        .getResult(0);
  if (auto softmax = array.getDefiningOp<SoftmaxOp>(); softmax && axis < softmax.getRows()) {
    Value sink = softmax.getSink() ? sliced(rewriter, softmax.getSink(), axis, at) : Value();
    return SoftmaxOp::create(rewriter, location, less, sliced(rewriter, softmax.getArray(), axis, at), sink,
                             softmax.getRows() - 1);
  }
  auto op = array.getDefiningOp<linalg::GenericOp>();
  auto isPlain = [](mlir::Operation &inside) { return inside.getNumRegions() == 0; }; // whose indices can be renumbered
  bool known =
      op && op->getNumResults() == 1 && llvm::all_of(*op.getBody(), isPlain) &&
      llvm::all_of(op.getIndexingMapsArray(), [](mlir::AffineMap map) { return map.isProjectedPermutation(); });
  if (!known && llvm::is_contained(shape, 0)) // nowhere to begin
    return tensor::EmptyOp::create(rewriter, location, without(array), type.getElementType());
  if (!known) {
    llvm::SmallVector<mlir::OpFoldResult> sizes = tensor::getMixedSizes(rewriter, location, array),
                                          offsets(type.getRank(), rewriter.getIndexAttr(0)),
                                          steps(type.getRank(), rewriter.getIndexAttr(1));
    offsets[axis] = rewriter.getIndexAttr(at);
    sizes[axis] = rewriter.getIndexAttr(1);
    return tensor::ExtractSliceOp::create(rewriter, location, less, array, offsets, sizes, steps);
  }
  unsigned loop = op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getDimPosition(axis);
  llvm::SmallVector<mlir::utils::IteratorType> kinds = op.getIteratorTypesArray();
  kinds.erase(kinds.begin() + loop);
  llvm::SmallVector<Value> operands;
  llvm::SmallVector<mlir::AffineMap> maps;
  for (auto [operand, map] : llvm::zip(op->getOperands(), op.getIndexingMapsArray())) {
    auto along = map.getResultPosition(rewriter.getAffineDimExpr(loop));
    operands.push_back(along ? sliced(rewriter, operand, *along, at) : operand);
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (mlir::AffineExpr axis : map.getResults())
      if (unsigned number = mlir::cast<mlir::AffineDimExpr>(axis).getPosition(); number != loop)
        axes.push_back(rewriter.getAffineDimExpr(number - (number > loop)));
    maps.push_back(mlir::AffineMap::get(kinds.size(), 0, axes, rewriter.getContext()));
  }
  return linalg::GenericOp::create(
             rewriter, location, operands.back().getType(), llvm::ArrayRef(operands).drop_back(), operands.back(), maps,
             kinds,
             [&](mlir::OpBuilder &builder, mlir::Location place, mlir::ValueRange arguments) {
               mlir::IRMapping values;
               values.map(op.getBody()->getArguments(), arguments);
               for (mlir::Operation &inside : *op.getBody()) {
                 auto index = mlir::dyn_cast<linalg::IndexOp>(inside);
                 if (index && index.getDim() == loop)
                   values.map(index.getResult(), arith::ConstantIndexOp::create(builder, place, at).getResult());
                 else if (index)
                   values.map(
                       index.getResult(),
                       linalg::IndexOp::create(builder, place, index.getDim() - (index.getDim() > loop)).getResult());
                 else
                   builder.clone(inside, values);
               }
             })
      .getResult(0);
}

std::optional<Read> sliceOf(mlir::RewriterBase &rewriter, const Read &read) {
  auto gather = gatherOf(read);
  if (!gather || gather->picks.size() != 1 || !gather->read.array.getDefiningOp<SoftmaxOp>())
    return std::nullopt;
  const Gather::Pick &pick = gather->picks[0];
  auto at = numberOf(pick.index), bound = mlir::getConstantIntValue(pick.bound);
  if (!at || !bound || *at < 0 || *at >= *bound)
    return std::nullopt;
  Read slice = gather->read;
  slice.array = sliced(rewriter, slice.array, pick.axis, *at);
  slice.loops.erase(slice.loops.begin() + pick.axis);
  return slice;
}

} // namespace attnc
