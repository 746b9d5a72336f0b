#pragma once
#include "attnc/stream/Access.h"
#include "attnc/stream/Passes.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// Puts a stream over pairs of keys in place of a fold that has another fold inside, with a softmax over the axes of
/// both: Σ_j v1(j, e) Σ_k softmax(s)(j, k) v2(k, e). False where it is none; remarks why where only the stream is
/// refused.
bool formJoint(mlir::IRRewriter &rewriter, const Sum &sum, const StreamRefusal &refused);

} // namespace attnc
