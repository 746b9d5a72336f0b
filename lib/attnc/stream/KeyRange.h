#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"

namespace attnc {

/// The keys at which a tile of queries can have a weight: from `from`, before `to`.
struct KeyRange {
  mlir::Value from, to;
};

/// Solves the comparisons of indices on which a score depends, where a false one makes the weight 0: `j ≤ i + c`,
/// `i − j < w` and their like, together, for queries from `first` to `last`. Keys outside the range are neither read
/// nor computed; what the comparisons say inside it is still asked for each key.
KeyRange solveKeyRange(Code &code, dialect::StreamOp stream, llvm::ArrayRef<mlir::Value> batch, mlir::Value first,
                       mlir::Value last, mlir::Value keys);

} // namespace attnc
