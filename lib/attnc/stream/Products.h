#pragma once
#include "attnc/stream/Pairs.h"

namespace attnc {

/// The products of tiles, as a machine computes them: of f32, or of pairs of bf16. The left matrix lies in blocks of
/// `machine.rows()` rows, the right one in a panel whose columns are in the lanes of some vectors, both in one array.
class Products {
public:
  explicit Products(const Machine &machine) : blocks(machine), pairs(blocks, machine), machine(machine) {}

  /// `count` blocks of the left matrix, block b from at + b * step on: of (r, k), or of (k, r).
  void packRows(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch,
                mlir::Value at, mlir::Value step, mlir::Value count);
  void packColumns(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch,
                   mlir::Value at, mlir::Value step, mlir::Value count);
  /// The right matrix from the rows that become its columns.
  void packRight(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, mlir::Value scratch,
                 mlir::Value at, unsigned wide);
  /// The right matrix from `count` rows of f32 where it is to be.
  void toRight(Code &code, mlir::Value scratch, mlir::Value at, mlir::Value count, unsigned wide);
  /// As Blocks::accumulate, where `count` is of elements; but where `scalesApart`, what is there is not multiplied.
  void accumulate(Code &code, mlir::Value scratch, const Blocks::Product &product, unsigned wide);

  /// Whether what a product is added to is multiplied in memory, apart from it.
  bool scalesApart() const { return machine.pairs == Machine::Pairs::Tiles; }
  /// Where it is, keeps references until the greatest score is above by more than 2⁸ in weights, which a result does
  /// not show and seldom happens. Tells where they have grown; nothing else.
  llvm::SmallVector<mlir::Value> keepReferences(Code &code, llvm::MutableArrayRef<mlir::Value> references,
                                                mlir::ValueRange before) const;
  /// Multiplies rows of vectors by those at `scaleAt` where some have grown.
  void scale(Code &code, mlir::ValueRange grown, mlir::Value scratch, mlir::Value at, mlir::Value rows,
             mlir::Value scaleAt);

  /// Around all products of a thread.
  void begin(Code &code) { pairs.begin(code); }
  void end(Code &code) { pairs.end(code); }

  Blocks blocks;

private:
  Pairs pairs;
  Machine machine;
};

} // namespace attnc
