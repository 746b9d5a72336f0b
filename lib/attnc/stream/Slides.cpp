#include "attnc/stream/Slides.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attnc {

namespace arith = mlir::arith;
using mlir::Value;

namespace {

/// By what each index of a region is multiplied in a sum.
using Coefficients = llvm::SmallVector<int64_t, 6>;

std::optional<Coefficients> coefficientsOf(dialect::StreamOp stream, Value value) {
  mlir::Block &block = stream.getScore().front();
  unsigned indices = stream.getBatch() + 2;
  Coefficients none(indices, 0);
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value); argument && argument.getOwner() == &block) {
    unsigned at = argument.getArgNumber(), others = indices + stream.isContracted();
    if (at < indices) {
      none[at] = 1;
      return none;
    }
    bool same = at >= others && mlir::cast<mlir::ShapedType>(stream.getOthers()[at - others].getType()).getRank() == 0;
    return same ? std::optional(none) : std::nullopt;
  }
  mlir::Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &block)
    return none;
  llvm::SmallVector<Coefficients, 3> parts;
  for (Value operand : op->getOperands()) {
    auto part = coefficientsOf(stream, operand);
    if (!part)
      return std::nullopt;
    parts.push_back(*part);
  }
  if (mlir::isa<arith::IndexCastOp>(op))
    return parts[0];
  if (mlir::isa<arith::AddIOp, arith::SubIOp>(op)) {
    int64_t sign = mlir::isa<arith::AddIOp>(op) ? 1 : -1;
    for (auto [sum, other] : llvm::zip(parts[0], parts[1]))
      sum += sign * other;
    return parts[0];
  }
  return llvm::all_of(parts, [&](const Coefficients &part) { return part == none; }) ? std::optional(none)
                                                                                     : std::nullopt;
}

} // namespace

std::optional<unsigned> slidingLoop(dialect::StreamOp stream, unsigned place, unsigned own) {
  auto coefficients = coefficientsOf(stream, stream.scoreOp().getPlaces()[place]);
  if (!coefficients || (*coefficients)[own] != 1)
    return std::nullopt;
  (*coefficients)[own] = 0;
  auto *loop = llvm::find(*coefficients, 1);
  if (loop == coefficients->end() || llvm::count(*coefficients, 0) + 1 != int64_t(coefficients->size()))
    return std::nullopt;
  unsigned found = loop - coefficients->begin();
  return found < stream.getBatch() ? std::optional(found) : std::nullopt;
}

} // namespace attnc
