#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// A fold whose weights are sums and differences of softmaxes along its loop is those of a fold for each, which is a
/// stream; a choice of 0 in place of a weight is a factor of it:
///
///     Σ_j (a_j − λ b_j) v_j = Σ_j a_j v_j − Σ_j λ b_j v_j,  Σ_j (c_j ? 0 : a_j) v_j = Σ_j a_j (c_j ? 0 : 1) v_j
///
/// The folds, in place of which the result stands; none where the weights are not such.
llvm::SmallVector<Sum, 2> splitFold(mlir::RewriterBase &rewriter, const Sum &sum);

} // namespace attnc
