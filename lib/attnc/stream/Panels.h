#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// An array seen as a matrix, its other axes held fast.
struct Matrix {
  mlir::Value array;
  llvm::SmallVector<mlir::Value, 6> indices; // of all axes; those of rows and columns are replaced
  std::optional<unsigned> rowAxis, columnAxis;

  llvm::SmallVector<mlir::Value, 6> at(mlir::Value row, mlir::Value column) const;
  /// Whether a row lies in memory as a vector.
  bool hasContiguousRows() const;
};

/// Whether the last axis of the array runs along memory.
bool isContiguous(mlir::Value array);

/// Turned blocks between a matrix and a panel, a dense array in which column c of the block begins at c * pitch:
///
///     panel[offset + c * pitch + r] = matrix(first + r, column + c),  0 ≤ r < block, 0 where r ≥ rows
///
/// for all of `columns`, from `column` on; whole squares go through registers.
struct Panel {
  mlir::Value array, offset;
  int64_t pitch, block;
  mlir::Value column = nullptr; // the first one, 0 if null
};
void gatherRows(Code &code, const Matrix &matrix, mlir::Value first, mlir::Value rows, mlir::Value columns,
                const Panel &panel);
/// The way back: matrix(first + r, c) = panel[offset + c * pitch + r] for r < rows.
void scatterRows(Code &code, const Matrix &matrix, mlir::Value first, mlir::Value rows, mlir::Value columns,
                 const Panel &panel);

/// panel[offset + r * block + c] = matrix(first + r, column + c) for r < rows; 0 for c past the columns.
void copyStrip(Code &code, const Matrix &matrix, mlir::Value first, mlir::Value rows, mlir::Value column,
               mlir::Value columns, mlir::Value array, mlir::Value offset, int64_t block);

} // namespace attnc
