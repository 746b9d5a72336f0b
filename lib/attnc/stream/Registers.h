#pragma once
#include "attnc/stream/Blocks.h"

namespace attnc {

/// Whether the columns of a row follow one another in memory, as far as it is known.
bool isContiguous(const View &matrix);

/// A block of registers, rows by vectors, over panels that lie in one array.
struct Registers {
  Code &code;
  mlir::Value array;
  unsigned lanes, rows;

  using Values = llvm::SmallVector<mlir::Value>;
  /// Of row r at step k the element array[at + k * step + r * row].
  struct Left {
    mlir::Value at, step, row;
  };
  /// Of vector v at step k the elements from array[at + k * step + v * lanes] on.
  struct Right {
    mlir::Value at, step;
  };

  mlir::VectorType type() const { return mlir::VectorType::get({int64_t(lanes)}, code.getF32Type()); }
  Lanes load(mlir::Value at) const;
  void store(Lanes vector, mlir::Value at) const;
  /// array[at] in every lane.
  Lanes spread(mlir::Value at) const;

  Values zeros(unsigned wide) const;
  /// initial[r * wide + v] + Σ_(k < count) left[k r] * right[k v]
  Values product(unsigned wide, Left left, Right right, mlir::Value count, mlir::ValueRange initial) const;

  /// matrix(row, column)
  mlir::Value element(const View &matrix, mlir::Value row, mlir::Value column) const;
  void setElement(const View &matrix, mlir::Value row, mlir::Value column, mlir::Value number) const;
  void setVector(const View &matrix, mlir::Value row, mlir::Value column, Lanes vector) const;
  /// Asks for the memory of a row, from a column on, before it is needed.
  void prefetch(const View &matrix, mlir::Value row, mlir::Value from, mlir::Value width) const;
  /// Vectors of a row of a matrix, columns from `from` on, the last one filled up with `filling`: body(column, vector).
  /// A row that does not lie in memory as vectors is copied to array[spare + column] first, which has room for whole
  /// ones.
  void forRow(const View &matrix, mlir::Value row, mlir::Value from, mlir::Value width, double filling,
              mlir::Value spare, llvm::function_ref<void(mlir::Value, Lanes)> body) const;
  /// matrix(row, column) = array[at + column] for columns from `from` on.
  void writeRow(const View &matrix, mlir::Value row, mlir::Value from, mlir::Value width, mlir::Value at) const;
};

/// Some vectors side by side in groups for blocks of registers. A known number is shared out evenly to groups of at
/// most `most`; one that is not, to groups of so many and single ones.
struct Groups {
  Code &code;
  mlir::Value vectors;
  unsigned most;

  mlir::Value number() const;
  /// body(wide, v) for the first vector of the groups whose number is `part` modulo `parts`.
  void forEach(mlir::Value part, mlir::Value parts,
               llvm::function_ref<void(unsigned wide, mlir::Value first)> body) const;

private:
  struct Run {
    unsigned wide;
    mlir::Value first, number;
  };
  llvm::SmallVector<Run, 2> runs() const;
};

/// Runs the body for as many vectors, up to `most`, as the `left` elements take. Of a number that is not known there
/// are two widths only, for each is code of its own; of `known` elements in all, those that occur.
void branchOnWidth(Code &code, unsigned most, int64_t lanes, std::optional<int64_t> known, mlir::Value left,
                   llvm::function_ref<void(unsigned wide)> body);

/// Carries values while the condition holds.
llvm::SmallVector<mlir::Value> loopWhile(Code &code, mlir::ValueRange initial,
                                         llvm::function_ref<mlir::Value(mlir::ValueRange)> condition,
                                         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange)> body);

} // namespace attnc
