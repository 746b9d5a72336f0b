#pragma once
#include "attnc/stream/StreamLoops.h"

namespace attnc {

/// The contraction of a stream of terms, on vectors of queries: for each key and each d the elements of queries come
/// out of a panel, those of keys and of what is neither are broadcast.
class TermLoops {
public:
  TermLoops(Code &code, StreamLoops &loops, dialect::StreamOp stream, unsigned lanes);

  /// Floats of the panels for tiles of `width` queries.
  mlir::Value room(mlir::Value width);
  /// Panels of the `wide` vectors of queries from `first` on, at `panel` of `scratch`.
  void gather(Blocks &blocks, unsigned wide, llvm::ArrayRef<mlir::Value> batch, mlir::Value first, mlir::Value queries,
              mlir::Value scratch, mlir::Value panel);
  /// scratch[scores + row * width ..] = Σ_d of the terms, for `count` keys from `from` on.
  void contract(unsigned wide, llvm::ArrayRef<mlir::Value> batch, mlir::Value from, mlir::Value count,
                mlir::Value scratch, mlir::Value panel, mlir::Value scores);

private:
  struct Array {
    Operand operand;
    bool ofQueries, ofKeys;
  };
  mlir::Value panelOf(mlir::Value panel, unsigned number, mlir::Value width);
  mlir::Value term(llvm::ArrayRef<mlir::Value> elements);

  Code &code;
  dialect::StreamOp stream;
  unsigned lanes;
  mlir::Value depth;
  llvm::SmallVector<Array> arrays;
};

} // namespace attnc
