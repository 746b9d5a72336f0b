#pragma once
#include "attnc/dialect/AttncDialect.h"

#include "mlir/IR/TypeUtilities.h"

namespace attnc {

/// The array in bf16 from which the operand of a stream or of a chunked scan is extended, element by element; null
/// where there is none. `map`: that of the operand, then the array's.
mlir::Value narrowOperand(mlir::Value operand, mlir::AffineMap &map);

/// Whether an operand is kept in bf16.
template <class Op> bool isNarrow(Op op, unsigned operand) {
  mlir::AffineMap map = op.mapOf(operand);
  mlir::Value array = op->getOperand(operand);
  return mlir::getElementTypeOrSelf(array).isBF16() || narrowOperand(array, map);
}

} // namespace attnc
