#include "attnc/stream/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using mlir::Value;

linalg::GenericOp mapOf(Value array) {
  auto op = array.getDefiningOp<linalg::GenericOp>();
  if (!op || op->getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return nullptr;
  mlir::OpOperand *output = op.getDpsInitOperand(0);
  if (!op.getMatchingIndexingMap(output).isPermutation() || op.payloadUsesValueFromOperand(output))
    return nullptr;
  return op;
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

static bool isZero(Value array) {
  auto fill = array.getDefiningOp<linalg::FillOp>();
  return fill && mlir::matchPattern(fill.getInputs()[0], mlir::m_AnyZeroFloat());
}

std::optional<Sum> sumOf(Value array) {
  auto op = array.getDefiningOp<linalg::GenericOp>();
  if (!op || op->getNumResults() != 1 || op.getNumReductionLoops() != 1 || !isZero(op.getDpsInits()[0]) ||
      !mlir::getElementTypeOrSelf(array).isF32())
    return std::nullopt;
  llvm::SmallVector<unsigned> folded;
  op.getReductionDims(folded);
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

  Sum result{op, folded[0], {}};
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
    collectFactors(read, result.factors);
  }
  return result;
}

} // namespace attnc
