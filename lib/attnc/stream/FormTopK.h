#pragma once
#include "attnc/stream/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// A selection along an axis as a stream, or a remark why not.
bool formTopK(mlir::IRRewriter &rewriter, dialect::TopKOp op, const StreamRefusal &refused);

} // namespace attnc
