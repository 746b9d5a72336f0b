#pragma once
#include "attnc/stream/Access.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

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

/// The element of an array that is the same everywhere, where it is known; null else.
mlir::Value constantElement(mlir::OpBuilder &builder, const Read &read);
/// The body of a map on the elements of its operands, with the index of a loop of the fold where it asks for one; null
/// where one of them is.
mlir::Value inlineMap(mlir::OpBuilder &builder, mlir::linalg::GenericOp map, const Read &read,
                      llvm::function_ref<mlir::Value(const Read &)> element,
                      llvm::function_ref<mlir::Value(unsigned)> index);

/// Gathers the region of a stream: from the values a fold reads back to what is kept in memory. What varies with both
/// the query and the key is computed inside, and so is arithmetic of indices; everything else is an operand.
class Score {
public:
  /// Arrays that the region needs are made before the fold. A plain score has one contraction, and the indices of its
  /// elements are those of the loops.
  Score(mlir::RewriterBase &rewriter, mlir::Operation *fold, const Roles &roles, bool plain);
  /// The element of a value at the query and key; null when it would take a second contraction.
  mlir::Value element(Read read);

  /// The same of an array that is kept in memory as it is.
  mlir::Value stored(const Read &read);

  mlir::OpBuilder &body() { return builder; }
  /// Makes one contraction of all there are; false where they are not summed.
  bool joinContractions();
  /// The block of the region; without an argument for a contraction where there is none.
  std::unique_ptr<mlir::Block> takeBlock();
  bool contracted() const { return !operands.empty(); }
  /// Whether a value of the region is made from the contraction.
  bool contracts(mlir::Value of) const;

  /// Reads what is gathered from where it is, at places that the region gives; which says whether they are inside, null
  /// where nothing is gathered, and nothing where they cannot be told.
  std::optional<mlir::Value> placed(Read &read);
  /// The same where the rows that are gathered differ by query, which leaves the condition out: there is 0 outside.
  /// False where the places cannot be told.
  bool slides(Read &read);

  /// Of the contraction: the queries, the keys, the second keys of a joint one; those of its terms.
  llvm::SmallVector<Read, 3> operands;
  std::unique_ptr<mlir::Block> term; // of the contraction, where it is not a product
  llvm::SmallVector<Read, 4> others;
  llvm::SmallVector<mlir::Value, 2> places;

private:
  mlir::Value inlined(mlir::linalg::GenericOp map, const Read &read);
  bool contracts(const Read &read);
  bool contractsJointly(llvm::ArrayRef<Read> factors);
  bool contracts(llvm::ArrayRef<Read> factors);
  mlir::Value atPlaces(const Read &read);
  bool isIndexCode(mlir::Value array, unsigned depth = 0);
  bool isInside(const Read &read) const;
  bool isAttention(const Read &factor) const;

  /// A contraction beside the first one.
  struct Part {
    Read query, key;
    mlir::Value value;
  };

  mlir::RewriterBase &rewriter;
  mlir::Operation *fold;
  Roles roles;
  bool plain;
  llvm::SmallVector<Part, 2> parts;
  std::unique_ptr<mlir::Block> block = std::make_unique<mlir::Block>();
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value contraction, product; // the argument, and what stands for it
  llvm::SmallVector<std::pair<Read, mlir::Value>, 16> known;
};

} // namespace attnc
