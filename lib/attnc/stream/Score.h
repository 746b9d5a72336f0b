#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/IRMapping.h"

namespace attnc {

/// The loops of a fold by the part they play in a stream.
struct Roles {
  llvm::SmallVector<unsigned, 4> batch;
  unsigned query, key, depth; // depth: a number that no loop of the fold has
  std::optional<unsigned> feature;
  bool hasDepth = true;

  /// The stream's loop for one of the fold; nothing when it has none.
  std::optional<unsigned> streamLoop(unsigned loop) const;
};

/// Gathers the region of a stream: from the values a fold reads back to what is kept in memory. What varies with both
/// the query and the key is computed inside, and so is arithmetic of indices; everything else is an operand.
class Score {
public:
  Score(mlir::MLIRContext *context, mlir::Location location, const Roles &roles);
  /// The element of a value at the query and key; null when it would take a second contraction.
  mlir::Value element(Read read);

  mlir::OpBuilder &body() { return builder; }
  /// The block of the region; without an argument for a contraction where there is none.
  std::unique_ptr<mlir::Block> takeBlock();
  bool contracted() const { return query.has_value(); }
  /// Whether a value of the region is made from the contraction.
  bool contracts(mlir::Value of) const;

  std::optional<Read> query, key; // the operands of the contraction
  llvm::SmallVector<Read, 4> others;

private:
  mlir::Value inlined(mlir::linalg::GenericOp map, const Read &read);
  bool contracts(const Read &read);
  bool isIndexCode(mlir::Value array, unsigned depth = 0);

  Roles roles;
  std::unique_ptr<mlir::Block> block = std::make_unique<mlir::Block>();
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value contraction;
  llvm::SmallVector<std::pair<Read, mlir::Value>, 16> known;
};

} // namespace attnc
