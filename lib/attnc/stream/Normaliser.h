#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// A map that is linear in the weights of keys, with coefficients that are the same for all keys of a query, such as a
/// division by their sum. It commutes with a fold over the keys: Σ_j map(w_j) v_j = map(Σ_j w_j v_j).
struct Normaliser {
  mlir::linalg::GenericOp map;
  unsigned weights;                // the operand
  Read read;                       // the weights
  llvm::SmallVector<Read, 4> rest; // its other operands, in order
};
std::optional<Normaliser> normaliserOf(const Read &read, unsigned keyLoop);

/// The sums that a normaliser is made of, looked for through maps.
void collectMeasures(const Normaliser &normaliser, llvm::SmallVectorImpl<Read> &sums);

/// The normaliser of what was folded. `folded` runs along `loops` of the nest; where the array `sum` is met, `measure`
/// is read, and what was made of it is made anew.
mlir::Value normalise(mlir::RewriterBase &rewriter, const Normaliser &normaliser, mlir::Value folded,
                      llvm::ArrayRef<unsigned> loops, mlir::Value sum, mlir::Value measure);

} // namespace attnc
