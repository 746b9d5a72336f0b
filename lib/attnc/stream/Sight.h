#pragma once
#include "attnc/stream/Region.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace attnc {

/// The condition under which a score is not that of a hidden key, where it is such a choice.
mlir::arith::SelectOp choiceOfMask(dialect::StreamOp stream, mlir::Value score);
/// A bool before it was an array between two maps.
mlir::Value unstored(mlir::Value condition);

/// What a tile of queries sees of a tile of keys where a mask compares numbers of the queries with numbers of the keys,
/// such as the documents they are of: if the least and the greatest of both tell that a comparison holds for no pair,
/// the tile is neither read nor computed.
class Sight {
public:
  explicit Sight(dialect::StreamOp stream);
  /// Whether there are such comparisons.
  bool isLimited() const { return !comparisons.empty(); }

  /// For the queries of so many vectors.
  void look(Code &code, Region &queries, unsigned vectors);
  /// Whether one of `count` keys from `from` on may be seen; `keys` has them in its lanes.
  mlir::Value sees(Code &code, Region &keys, mlir::Value from, mlir::Value count, int64_t lanes) const;

private:
  struct Bounds {
    mlir::Value least, greatest; // i64
  };
  /// `query` predicate `key` holds for a key that is seen.
  struct Comparison {
    mlir::arith::CmpIPredicate predicate;
    mlir::Value query, key;
    Bounds queries;
  };
  void collect(mlir::Value condition);

  dialect::StreamOp stream;
  llvm::SmallVector<Comparison, 2> comparisons;
};

} // namespace attnc
