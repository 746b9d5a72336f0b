#pragma once
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace attnc {

/// A matrix in memory: element (r, c) is array[start + r * rowStride + c * columnStride]. A stride is 0 along an axis
/// that the array does not have.
struct View {
  mlir::Value array; // of one axis, contiguous
  mlir::Value start, rowStride, columnStride;
};

/// A dense array in which column c of a matrix begins at offset + c * pitch and its rows follow one another. Matrices
/// are turned whole squares at a time: a panel has room for a multiple of the block of columns.
struct Panel {
  mlir::Value array, offset, pitch;
};

/// What tiles do whatever their stream: functions of the module, made when they are first called and shared by all
/// streams of a kernel, which keeps small what LLVM compiles. None allocates.
class Blocks {
public:
  explicit Blocks(const Machine &machine) : machine(machine) {}

  /// panel[offset + c * pitch + r] = matrix(r, c) for all columns; 0 for r from `rows` up to `count` blocks of `block`.
  void gather(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, const Panel &panel, int64_t block,
              int64_t count);
  /// The way back: matrix(r, c) = panel[offset + c * pitch + r] for r < rows.
  void scatter(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, const Panel &panel,
               int64_t count);
  /// panel[offset + s * step + r * block + c] = matrix(r, s * block + c): strips of `block` columns, the last one
  /// filled with 0.
  void strips(Code &code, const View &matrix, mlir::Value rows, mlir::Value columns, const Panel &panel, int64_t block);

  /// For each of `blocks`: out[row][v] = Σ_k left[row of k] right[k][v], over `rows` rows by `wide` vectors, with
  ///
  ///     left[row of k] = scratch[leftAt + block * leftStep + k * rows + row],   right[k] = scratch[rightAt + k * width
  ///     ..], out[row]       = scratch[outAt + (block * rows + row) * width ..],   width = wide * lanes;
  ///
  /// added to what is there times the `wide` vectors at scaleAt, or, where that is null, in its place.
  struct Product {
    mlir::Value leftAt, leftStep, rightAt, count, outAt, blocks, scaleAt = nullptr;
  };
  /// With dot products an element is a pair of bf16.
  void accumulate(Code &code, mlir::Value scratch, const Product &product, unsigned wide);

  /// out(r, c) = Σ_k left(r, k) right[k][c] for `rows` rows and `columns` up to the `wide` vectors of a strip, with
  /// right[k] = panel[at + k * wide * lanes ..]; added to what is there where `adds` holds. Columns of `out` follow one
  /// another in memory. `whole`: there are as many columns as the strip has.
  struct Rows {
    View left;
    mlir::Value panel, at, count;
    View out;
    mlir::Value rows, columns, adds;
    bool whole;
  };
  void multiplyRows(Code &code, const Rows &product, unsigned wide);

  /// Calls the function of that name, whose body is given.
  using Body = llvm::function_ref<void(Code &, mlir::ValueRange)>;
  void call(Code &code, llvm::StringRef name, mlir::ValueRange arguments, Body body);

private:
  Machine machine;
};

} // namespace attnc
