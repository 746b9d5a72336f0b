#pragma once
#include "attnc/stream/Access.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <string>
#include <vector>

namespace attnc {

using Factors = llvm::SmallVector<Read, 2>;

/// A contraction of a state, or of the one after it, with a query.
struct StateRead {
  mlir::linalg::GenericOp op;
  Factors query;                       // along the axes of the state
  bool before;                         // of the state that the step begins with
  llvm::SmallVector<unsigned, 4> axes; // of the state, along which the axes of the result run
};

/// A state of a loop that is affine in itself and read by contractions:
///
///     S ← gate ∘ S + key ⊗ value,  y = Σ_d query S
///
/// The factors, values of the loop's body or from outside of it, run along the axes of the state: its depth, which
/// reads contract, its features, which only values have, and those that are shared by all, the batch. Without an axis
/// of features it is a normaliser, whose values are 1.
struct Recurrence {
  unsigned number; // among what the loop carries
  llvm::SmallVector<unsigned, 4> batch;
  unsigned depth = 0;
  std::optional<unsigned> feature;
  Factors gate, key, value;
  bool negative = false; // key ⊗ value is taken away
  std::vector<StateRead> reads;

  /// The `number`-th carried value seen so, or nothing, and why.
  static std::optional<Recurrence> of(mlir::scf::ForOp loop, unsigned number, std::string &why);

  /// The loops of `attnc.chunks`: the batch, the steps, the depth and the features.
  unsigned stepLoop() const { return batch.size(); }
  unsigned loopCount() const { return batch.size() + 3; }
  unsigned loopOf(unsigned axis) const;

  /// Whether the other one is the same with 1 for the values.
  bool isNormalisedBy(const Recurrence &other) const;
  /// The read with the query of another state's read.
  const StateRead *readLike(const Recurrence &of, const StateRead &read) const;
};

} // namespace attnc
