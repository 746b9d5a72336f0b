#include "attnc/stream/Panels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;

llvm::SmallVector<Value, 6> Matrix::at(Value row, Value column) const {
  llvm::SmallVector<Value, 6> place = indices;
  if (rowAxis)
    place[*rowAxis] = row;
  if (columnAxis)
    place[*columnAxis] = column;
  return place;
}

bool isContiguous(Value array) {
  auto type = mlir::cast<mlir::MemRefType>(array.getType());
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  return type.getRank() > 0 && succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

bool Matrix::hasContiguousRows() const {
  return columnAxis && *columnAxis + 1 == indices.size() && isContiguous(array);
}

namespace {

mlir::VectorType row(Code &code, int64_t length) { return mlir::VectorType::get({length}, code.getF32Type()); }

/// Rows of a square as its columns. Each round interleaves the first half of the rows with the second, which rotates
/// the bits of (row, column) by one; after all bits of the row they are (column, row).
llvm::SmallVector<Value> turned(Code &code, llvm::SmallVector<Value> rows) {
  int64_t size = rows.size(), half = size / 2;
  llvm::SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < half; ++i) {
    low.append({i, size + i});
    high.append({half + i, size + half + i});
  }
  for (int64_t done = 1; done < size; done *= 2) {
    llvm::SmallVector<Value> next;
    for (int64_t i = 0; i < half; ++i) {
      next.push_back(vector::ShuffleOp::create(code, rows[i], rows[i + half], low));
      next.push_back(vector::ShuffleOp::create(code, rows[i], rows[i + half], high));
    }
    rows = next;
  }
  return rows;
}

Value zero(Code &code) { return splat(code, code.getF32Type(), 0); }

} // namespace

void gatherRows(Code &code, const Matrix &matrix, Value first, Value rows, Value columns, const Panel &panel) {
  Value none = index(code, 0), all = index(code, panel.block);
  auto place = [&](Value column, Value r) {
    return add(code, panel.offset, add(code, multiply(code, column, index(code, panel.pitch)), r));
  };
  auto columnOf = [&](Value c) { return panel.column ? add(code, panel.column, c) : c; };
  auto singly = [&](Value from, Value count) {
    loop(code, from, columns, 1, [&](Value c) {
      loop(code, none, count, 1, [&](Value r) {
        Value element = memref::LoadOp::create(code, matrix.array, matrix.at(add(code, first, r), columnOf(c)));
        memref::StoreOp::create(code, element, panel.array, mlir::ValueRange{place(c, r)});
      });
      loop(code, count, all, 1,
           [&](Value r) { memref::StoreOp::create(code, zero(code), panel.array, mlir::ValueRange{place(c, r)}); });
    });
  };
  if (!matrix.hasContiguousRows())
    return singly(none, rows);
  branch(
      code, less(code, rows, all), [&] { singly(none, rows); },
      [&] {
        Value whole = multiply(code, code.createOrFold<mlir::arith::DivUIOp>(columns, all), all);
        loop(code, none, whole, panel.block, [&](Value c) {
          llvm::SmallVector<Value> square;
          for (int64_t r = 0; r < panel.block; ++r)
            square.push_back(vector::LoadOp::create(code, row(code, panel.block), matrix.array,
                                                    matrix.at(add(code, first, index(code, r)), columnOf(c))));
          for (auto [i, column] : llvm::enumerate(turned(code, square)))
            vector::StoreOp::create(code, column, panel.array,
                                    mlir::ValueRange{place(add(code, c, index(code, i)), none)});
        });
        singly(whole, all);
      });
}

void scatterRows(Code &code, const Matrix &matrix, Value first, Value rows, Value columns, const Panel &panel) {
  Value none = index(code, 0), all = index(code, panel.block);
  auto place = [&](Value column, Value r) {
    return add(code, panel.offset, add(code, multiply(code, column, index(code, panel.pitch)), r));
  };
  auto singly = [&](Value from, Value count) {
    loop(code, none, count, 1, [&](Value r) {
      loop(code, from, columns, 1, [&](Value c) {
        Value element = memref::LoadOp::create(code, panel.array, mlir::ValueRange{place(c, r)});
        memref::StoreOp::create(code, element, matrix.array, matrix.at(add(code, first, r), c));
      });
    });
  };
  if (!matrix.hasContiguousRows())
    return singly(none, rows);
  branch(
      code, less(code, rows, all), [&] { singly(none, rows); },
      [&] {
        Value whole = multiply(code, code.createOrFold<mlir::arith::DivUIOp>(columns, all), all);
        loop(code, none, whole, panel.block, [&](Value c) {
          llvm::SmallVector<Value> square;
          for (int64_t i = 0; i < panel.block; ++i)
            square.push_back(vector::LoadOp::create(code, row(code, panel.block), panel.array,
                                                    mlir::ValueRange{place(add(code, c, index(code, i)), none)}));
          for (auto [r, values] : llvm::enumerate(turned(code, square)))
            vector::StoreOp::create(code, values, matrix.array, matrix.at(add(code, first, index(code, r)), c));
        });
        singly(whole, all);
      });
}

void copyStrip(Code &code, const Matrix &matrix, Value first, Value rows, Value column, Value columns, Value array,
               Value offset, int64_t block) {
  Value none = index(code, 0), all = index(code, block), width = smaller(code, subtract(code, columns, column), all);
  auto place = [&](Value r, Value c) { return add(code, offset, add(code, multiply(code, r, all), c)); };
  auto singly = [&] {
    loop(code, none, rows, 1, [&](Value r) {
      loop(code, none, width, 1, [&](Value c) {
        Value element =
            memref::LoadOp::create(code, matrix.array, matrix.at(add(code, first, r), add(code, column, c)));
        memref::StoreOp::create(code, element, array, mlir::ValueRange{place(r, c)});
      });
      loop(code, width, all, 1,
           [&](Value c) { memref::StoreOp::create(code, zero(code), array, mlir::ValueRange{place(r, c)}); });
    });
  };
  if (!matrix.hasContiguousRows())
    return singly();
  branch(code, less(code, width, all), singly, [&] {
    loop(code, none, rows, 1, [&](Value r) {
      Value strip =
          vector::LoadOp::create(code, row(code, block), matrix.array, matrix.at(add(code, first, r), column));
      vector::StoreOp::create(code, strip, array, mlir::ValueRange{place(r, none)});
    });
  });
}

} // namespace attnc
