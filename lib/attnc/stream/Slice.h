#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// A gather from a softmax at a place that is known, and inside, is a softmax of the slices of what it is made of: the
/// read of that, which is made where the rewriter is.
std::optional<Read> sliceOf(mlir::RewriterBase &rewriter, const Read &read);

} // namespace attnc
