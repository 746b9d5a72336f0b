#pragma once
#include "attnc/dialect/AttncDialect.h"

namespace attnc {

/// The array in bf16 from which a stream's operand is extended, element by element; null where there is none.
mlir::Value narrowOperand(dialect::StreamOp stream, unsigned operand, mlir::AffineMap &map);

/// Whether an operand is kept in bf16.
bool isNarrow(dialect::StreamOp stream, unsigned operand);

} // namespace attnc
