#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/IRMapping.h"

namespace attnc {

/// The loops of a fold by the part they play in a stream. Each query may have keys of its own: all its loops are of the
/// batch then, and rows of keys and values are where the region says.
struct Roles {
  llvm::SmallVector<unsigned, 4> batch;
  unsigned key = 0, depth = 0, firstPlace = 0; // depth, places: numbers that no loop of the fold has
  std::optional<unsigned> query, feature;
  bool hasDepth = true;
  bool joint = false; // the fold runs over `query` too: the axis of second keys

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

  /// Reads what is gathered from where it is, at places that the region gives; which says whether they are inside, null
  /// where nothing is gathered, and nothing where they cannot be told.
  std::optional<mlir::Value> placed(Read &read);
  /// The same where the rows that are gathered differ by query, which leaves the condition out: there is 0 outside.
  /// False where the places cannot be told.
  bool slides(Read &read);

  std::optional<Read> query, key, second; // the operands of the contraction; `second` of a joint one
  llvm::SmallVector<Read, 4> others;
  llvm::SmallVector<mlir::Value, 2> places; // casts of i64

private:
  mlir::Value inlined(mlir::linalg::GenericOp map, const Read &read);
  bool contracts(const Read &read);
  bool contractsJointly(llvm::ArrayRef<Read> factors);
  bool isIndexCode(mlir::Value array, unsigned depth = 0);
  bool isInside(const Read &read) const;

  Roles roles;
  std::unique_ptr<mlir::Block> block = std::make_unique<mlir::Block>();
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value contraction, product; // the argument, and what stands for it
  llvm::SmallVector<std::pair<Read, mlir::Value>, 16> known;
};

} // namespace attnc
