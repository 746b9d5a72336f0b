#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// Arrays side by side along a loop: an array along all the loops that one of them has, `loop` the last one. A sum of
/// contractions is one contraction of such.
Read joined(mlir::RewriterBase &rewriter, mlir::Location location, llvm::ArrayRef<Read> parts, unsigned loop);

} // namespace attnc
