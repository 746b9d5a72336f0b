#include "attnc/stream/Access.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
namespace scf = mlir::scf;
using mlir::Value;

Value shaped(Value array) {
  if (auto softmax = array.getDefiningOp<dialect::SoftmaxOp>())
    return shaped(softmax.getArray());
  if (auto op = array.getDefiningOp<mlir::DestinationStyleOpInterface>())
    return shaped(op.getTiedOpOperand(mlir::cast<mlir::OpResult>(array))->get());
  return array;
}

linalg::GenericOp mapOf(Value array) {
  auto op = array.getDefiningOp<linalg::GenericOp>();
  if (!op || op->getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return nullptr;
  mlir::OpOperand *output = op.getDpsInitOperand(0);
  if (!op.getMatchingIndexingMap(output).isPermutation() || op.payloadUsesValueFromOperand(output))
    return nullptr;
  return op;
}

bool hasVectorCode(linalg::GenericOp map) {
  return llvm::all_of(map.getBody()->without_terminator(), [](mlir::Operation &op) {
    return mlir::isa<arith::ConstantOp, linalg::IndexOp>(op) || mlir::OpTrait::hasElementwiseMappableTraits(&op);
  });
}

unsigned loopOf(linalg::GenericOp map, unsigned loop, const Read &result) {
  mlir::AffineMap output = map.getMatchingIndexingMap(map.getDpsInitOperand(0));
  return result.loops[*output.getResultPosition(mlir::getAffineDimExpr(loop, map.getContext()))];
}

std::optional<Read> operandRead(linalg::GenericOp map, unsigned operand, const Read &result) {
  mlir::AffineMap indices = map.getIndexingMapsArray()[operand];
  if (!indices.isProjectedPermutation())
    return std::nullopt;
  Read read{map->getOperand(operand), {}};
  for (unsigned axis = 0; axis < indices.getNumResults(); ++axis)
    read.loops.push_back(loopOf(map, indices.getDimPosition(axis), result));
  return read;
}

/// The operand whose element the body gives as it is.
static std::optional<unsigned> copied(linalg::GenericOp map) {
  auto argument = mlir::dyn_cast<mlir::BlockArgument>(map.getBody()->getTerminator()->getOperand(0));
  if (!argument || argument.getOwner() != map.getBody())
    return std::nullopt;
  return argument.getArgNumber();
}

Read source(Read read) {
  while (linalg::GenericOp map = mapOf(read.array)) {
    auto operand = copied(map);
    auto before = operand ? operandRead(map, *operand, read) : std::nullopt;
    if (!before)
      break;
    read = *before;
  }
  return read;
}

void collectFactors(const Read &read, llvm::SmallVectorImpl<Read> &factors) {
  Read at = source(read);
  if (linalg::GenericOp map = mapOf(at.array))
    if (auto product = map.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>()) {
      llvm::SmallVector<Read, 2> parts;
      for (Value side : product->getOperands())
        if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(side); argument && argument.getOwner() == map.getBody())
          if (auto part = operandRead(map, argument.getArgNumber(), at))
            parts.push_back(*part);
      if (parts.size() == 2) {
        for (const Read &part : parts)
          collectFactors(part, factors);
        return;
      }
    }
  factors.push_back(at);
}

/// The choice of an element where its indices are inside, of 0 otherwise: the condition, the element. Where there is
/// always something to read, both sides of the choice are computed.
static std::pair<Value, mlir::tensor::ExtractOp> extractionOf(linalg::GenericOp map) {
  Value given = map.getBody()->getTerminator()->getOperand(0), condition, then, otherwise;
  if (auto choice = given.getDefiningOp<scf::IfOp>(); choice && choice->getNumResults() == 1) {
    condition = choice.getCondition();
    then = choice.thenYield().getOperand(0);
    otherwise = choice.elseYield().getOperand(0);
  } else if (auto select = given.getDefiningOp<arith::SelectOp>()) {
    condition = select.getCondition();
    then = select.getTrueValue();
    otherwise = select.getFalseValue();
  }
  if (!condition || !mlir::matchPattern(otherwise, mlir::m_AnyZeroFloat()))
    return {};
  return {condition, then.getDefiningOp<mlir::tensor::ExtractOp>()};
}

std::optional<Gather> gatherOf(const Read &read) {
  linalg::GenericOp map = mapOf(read.array);
  auto [inside, extract] = map ? extractionOf(map) : std::pair<Value, mlir::tensor::ExtractOp>();
  if (!extract)
    return std::nullopt;
  llvm::SmallDenseMap<Value, Value> bounds;
  llvm::SmallVector<Value> conditions{inside};
  while (!conditions.empty()) {
    Value condition = conditions.pop_back_val();
    if (auto both = condition.getDefiningOp<arith::AndIOp>())
      conditions.append({both.getLhs(), both.getRhs()});
    else if (auto below = condition.getDefiningOp<arith::CmpIOp>();
             below && below.getPredicate() == arith::CmpIPredicate::ult)
      bounds[below.getLhs()] = below.getRhs();
    else
      return std::nullopt;
  }
  Gather gather{{extract.getTensor(), {}}, {}};
  for (auto [axis, given] : llvm::enumerate(extract.getIndices())) {
    Value at = given;
    if (auto loop = at.getDefiningOp<linalg::IndexOp>()) {
      gather.read.loops.push_back(loopOf(map, loop.getDim(), read));
      continue;
    }
    if (auto clamped = at.getDefiningOp<arith::SelectOp>())
      at = clamped.getTrueValue();
    auto cast = at.getDefiningOp<arith::IndexCastOp>();
    auto element = cast ? mlir::dyn_cast<mlir::BlockArgument>(cast.getIn()) : nullptr;
    auto index = element && element.getOwner() == map.getBody() && bounds.contains(at)
                     ? operandRead(map, element.getArgNumber(), read)
                     : std::nullopt;
    if (!index)
      return std::nullopt;
    gather.read.loops.push_back(~0u);
    gather.picks.push_back({unsigned(axis), *index, bounds[at]});
  }
  return bounds.size() == gather.picks.size() ? std::optional(std::move(gather)) : std::nullopt;
}

Value extentOf(mlir::OpBuilder &builder, linalg::GenericOp nest, unsigned loop) {
  for (mlir::OpOperand &operand : nest->getOpOperands())
    if (auto axis = nest.getMatchingIndexingMap(&operand).getResultPosition(builder.getAffineDimExpr(loop)))
      return builder.createOrFold<mlir::tensor::DimOp>(nest.getLoc(), shaped(operand.get()), *axis);
  return nullptr;
}

bool isZero(Value array) {
  Value given;
  if (auto fill = array.getDefiningOp<linalg::FillOp>())
    given = fill.getInputs()[0];
  else if (linalg::GenericOp map = mapOf(array))
    given = map.getBody()->getTerminator()->getOperand(0);
  return given && mlir::matchPattern(given, mlir::m_AnyZeroFloat());
}

std::optional<llvm::SmallVector<Read, 2>> termOf(linalg::GenericOp op) {
  if (op->getNumResults() != 1 || op.getNumReductionLoops() == 0 ||
      !op.getDpsInits()[0].getDefiningOp<linalg::FillOp>() || !isZero(op.getDpsInits()[0]) ||
      !mlir::getElementTypeOrSelf(op.getResult(0)).isF32())
    return std::nullopt;
  auto sum = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum)
    return std::nullopt;
  Value accumulator = op.getBody()->getArguments().back(), term;
  if (sum.getLhs() == accumulator)
    term = sum.getRhs();
  else if (sum.getRhs() == accumulator)
    term = sum.getLhs();
  if (!term || !accumulator.hasOneUse())
    return std::nullopt;

  llvm::SmallVector<Read, 2> factors;
  llvm::SmallVector<Value, 2> parts{term};
  if (auto product = term.getDefiningOp<arith::MulFOp>())
    parts.assign({product.getLhs(), product.getRhs()});
  for (Value part : parts) {
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(part);
    if (!argument || argument.getOwner() != op.getBody() || argument == accumulator)
      return std::nullopt;
    mlir::AffineMap indices = op.getIndexingMapsArray()[argument.getArgNumber()];
    if (!indices.isProjectedPermutation())
      return std::nullopt;
    Read read{op->getOperand(argument.getArgNumber()), {}};
    for (unsigned axis = 0; axis < indices.getNumResults(); ++axis)
      read.loops.push_back(indices.getDimPosition(axis));
    collectFactors(read, factors);
  }
  return factors;
}

std::optional<Sum> sumOf(Value array) {
  auto op = array.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumReductionLoops() != 1)
    return std::nullopt;
  auto factors = termOf(op);
  if (!factors)
    return std::nullopt;
  llvm::SmallVector<unsigned> folded;
  op.getReductionDims(folded);
  return Sum{op, folded[0], std::move(*factors)};
}

} // namespace attnc
