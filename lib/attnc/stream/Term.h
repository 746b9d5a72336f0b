#pragma once
#include "attnc/stream/Score.h"

namespace attnc {

/// A contraction whose terms are no products: Σ_d g(x, y, …), with elements of queries, of keys and of what is neither.
/// Only what varies with both a query and a key is computed in the region; everything else is an operand.
class Term {
public:
  Term(mlir::MLIRContext *context, mlir::Location location, const Roles &roles);

  /// Gathers the terms of a sum whose factors are in the loops of the stream; false where they cannot be told.
  bool gather(llvm::ArrayRef<Read> factors);

  llvm::SmallVector<Read, 4> operands;
  std::unique_ptr<mlir::Block> block = std::make_unique<mlir::Block>();

private:
  mlir::Value element(Read read);
  mlir::Value inlined(mlir::linalg::GenericOp map, const Read &read);

  Roles roles;
  mlir::OpBuilder builder;
  mlir::Location location;
  llvm::SmallVector<std::pair<Read, mlir::Value>, 8> known;
};

} // namespace attnc
