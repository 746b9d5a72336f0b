#pragma once
#include "attnc/stream/Blocks.h"

namespace attnc {

/// Rounds sixteen f32, to even. Processors that multiply pairs have it, and only they.
inline constexpr llvm::StringLiteral roundIntrinsic = "llvm.x86.avx512bf16.cvtneps2bf16.512";

/// Products of matrices kept in bf16, for machines that multiply pairs (Machine.h). Two elements that follow one
/// another along the axis that is summed are a pair, a word of the array of f32 in which tiles keep all. The left
/// matrix comes in blocks of rows, the right one as a panel of the pairs of some vectors of columns:
///
///                                       dot products, blocks of 8          tile registers, blocks of 2 × 16
///     pair j of row r of a block        at + j * 8 + r                     at + (j / 16 * 2 + r / 16) * 256 + r % 16 *
///     16 + j % 16 pair j of column c                at + j * wide * lanes + c          the same
///
/// What is missing of a block, and of a pair, is 0; so is what is missing of 16 pairs where there are tile registers.
/// Products are exact and added up in f32, two at a time.
class Pairs {
public:
  Pairs(Blocks &blocks, const Machine &machine) : blocks(blocks), machine(machine) {}

  /// Pairs of the left matrix (r, k) of `columns` elements in a row, block b from at + b * step on.
  void packLeft(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch,
                mlir::Value at, mlir::Value step, mlir::Value count);
  /// Pairs of the right matrix, of which it is given the rows, up to `wide` vectors of them, that become columns.
  void packRight(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch,
                 mlir::Value at, unsigned wide);
  /// The right matrix from `count` rows of f32 in the same place, rounded.
  void round(Code &code, mlir::Value scratch, mlir::Value at, mlir::Value count, unsigned wide);

  /// Rows of `wide` vectors times the vectors at `scaleAt`.
  void scale(Code &code, mlir::Value scratch, mlir::Value at, mlir::Value rows, mlir::Value scaleAt, unsigned wide);
  /// As Blocks::accumulate, where `count` is of elements; by tile registers it is added to what is there as it is,
  /// where there are scales.
  void accumulate(Code &code, mlir::Value scratch, Blocks::Product product, unsigned wide);

  /// Around all products of a thread.
  void begin(Code &code);
  void end(Code &code);

private:
  struct Layout;
  void pack(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch, mlir::Value at,
            mlir::Value step, mlir::Value count, const Layout &layout);

  Blocks &blocks;
  Machine machine;
};

} // namespace attnc
