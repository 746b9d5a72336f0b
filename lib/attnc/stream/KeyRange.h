#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"

namespace attnc {

/// The keys at which a tile of queries can have a weight: from `from`, before `to`. From `sureFrom` on, before
/// `sureTo`, the comparisons hold for all its queries: the score is `inner` there, which asks them no more.
struct KeyRange {
  mlir::Value from, to, sureFrom, sureTo, inner;
};

/// Solves the comparisons of indices on which a score depends, where a false one makes the weight 0: `j ≤ i + c`,
/// `i − j < w` and their like, together, for queries from `first` to `last`. Keys outside the range are neither read
/// nor computed.
KeyRange solveKeyRange(Code &code, dialect::StreamOp stream, llvm::ArrayRef<mlir::Value> batch, mlir::Value first,
                       mlir::Value last, mlir::Value keys);
/// The same for the queries at which some of the keys can have a weight.
KeyRange solveQueryRange(Code &code, dialect::StreamOp stream, llvm::ArrayRef<mlir::Value> batch, mlir::Value queries,
                         mlir::Value keys);
/// Runs the body with `inner` where the range is sure of `count` keys from `from` on, and with the whole score else.
llvm::SmallVector<mlir::Value> whereSure(Code &code, dialect::StreamOp stream, const KeyRange &range, mlir::Value from,
                                         mlir::Value count, mlir::TypeRange types,
                                         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value)> body);

/// Keys in parts that are folded apart and merged, where few tasks meet many keys. The sizes alone decide, never the
/// number of threads.
struct KeyParts {
  mlir::Value count, length; // of parts; of each but the last

  bool canBeMany() const; // as far as is known
  bool isKnown() const;
  mlir::Value isMany(Code &code) const;
  KeyRange within(Code &code, const KeyRange &range, mlir::Value part) const;
};
/// Up to `most` parts, of a multiple of `tile` keys, so that there are up to `wanted` tasks with them.
KeyParts partKeys(Code &code, mlir::Value keys, mlir::Value tasks, int64_t tile, int64_t wanted, mlir::Value most);
/// The same for threads of a processor.
KeyParts partKeys(Code &code, mlir::Value keys, mlir::Value tasks, int64_t tile);

} // namespace attnc
