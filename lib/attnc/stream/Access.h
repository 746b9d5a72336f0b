#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace attnc {

/// A value in a nest of loops: axis i of the array runs along loop `loops[i]`.
struct Read {
  mlir::Value array;
  llvm::SmallVector<unsigned, 6> loops;

  bool along(unsigned loop) const { return llvm::is_contained(loops, loop); }
  bool operator==(const Read &other) const { return array == other.array && loops == other.loops; }
};

/// Whether an array is filled with 0, or a map that gives nothing else.
bool isZero(mlir::Value array);

/// Whether a map does one scalar operation for each, so that it can be done on vectors too.
bool hasVectorCode(mlir::linalg::GenericOp map);

/// An array of the same shape that is not computed.
mlir::Value shaped(mlir::Value array);

/// What computes each element of the array from elements of others at permuted coordinates: a map without folds that
/// writes every element once. Null when something else makes it.
mlir::linalg::GenericOp mapOf(mlir::Value array);

/// The i-th operand of a map whose result is read so; nothing when it is not read along loops alone.
std::optional<Read> operandRead(mlir::linalg::GenericOp map, unsigned operand, const Read &result);

/// The loop of the nest along which loop `loop` of the map runs.
unsigned loopOf(mlir::linalg::GenericOp map, unsigned loop, const Read &result);

/// The same value before copies and repetitions of it.
Read source(Read read);

/// Elements of an array at indices that are elements of other arrays; 0 where one is outside.
struct Gather {
  struct Pick {
    unsigned axis;     // of the array
    Read index;        // i64
    mlir::Value bound; // the index is below it
  };
  Read read; // its loop along the axis of a pick is meaningless
  llvm::SmallVector<Pick, 1> picks;
};
std::optional<Gather> gatherOf(const Read &read);

/// A fold by sums from 0 over one loop: `term` is what is summed.
struct Sum {
  mlir::linalg::GenericOp op;
  unsigned loop;                      // of the op
  llvm::SmallVector<Read, 2> factors; // along the loops of the op; their product is the term
};
std::optional<Sum> sumOf(mlir::Value array);
/// What is summed by a fold by sums of f32 from 0, over one loop or several: its factors; nothing by another.
std::optional<llvm::SmallVector<Read, 2>> termOf(mlir::linalg::GenericOp fold);

/// How many indices a loop of a nest has.
mlir::Value extentOf(mlir::OpBuilder &builder, mlir::linalg::GenericOp nest, unsigned loop);

/// The factors of the product that a value is, through multiplications and copies.
void collectFactors(const Read &read, llvm::SmallVectorImpl<Read> &factors);

} // namespace attnc
