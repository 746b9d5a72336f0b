#include "attnc/gpu/Matrix.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace nvgpu = mlir::nvgpu;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

Precision precisionOf(mlir::Operation *op, bool bf16) {
  if (bf16)
    return Precision::BF16;
  return op->getParentOfType<mlir::ModuleOp>()->hasAttr(tf32Attribute) ? Precision::TF32 : Precision::F32;
}

Value MatrixUnit::laneRest(int64_t by) { return code.createOrFold<arith::RemUIOp>(thread.lane, index(code, by)); }
Value MatrixUnit::laneOver(int64_t by) { return code.createOrFold<arith::DivUIOp>(thread.lane, index(code, by)); }

/// Four 8 × 8 squares of bf16, a row of each from the place that one thread of the warp gives: `vector<4x2xbf16>`.
Value MatrixUnit::squares(Value matrix, Value row, Value column, bool transposed) {
  auto type = mlir::VectorType::get({4, 2}, code.getBF16Type());
  return nvgpu::LdMatrixOp::create(code, type, matrix, ValueRange{row, column}, code.getBoolAttr(transposed),
                                   code.getI32IntegerAttr(4));
}

/// The first two of four squares, and the last.
MatrixUnit::Pair MatrixUnit::halves(Value squares) {
  auto half = [&](int64_t first) {
    Value pair = splat(code, mlir::VectorType::get({2, 2}, code.getBF16Type()), 0);
    for (int64_t i = 0; i < 2; ++i)
      pair = vector::InsertOp::create(code, vector::ExtractOp::create(code, squares, first + i).getResult(), pair, i);
    return pair;
  };
  return {half(0), half(2)};
}

/// f32 in the registers of a factor in tf32.
Value MatrixUnit::elements(ValueRange words) {
  Value all = splat(code, mlir::VectorType::get({int64_t(words.size()), 1}, code.getF32Type()), 0);
  for (auto [i, word] : llvm::enumerate(words))
    all = vector::InsertOp::create(code, word, all, llvm::ArrayRef<int64_t>{int64_t(i), 0});
  return all;
}

Value MatrixUnit::pairAt(Value matrix, Value row, Value column) {
  return vector::LoadOp::create(code, mlir::VectorType::get({2}, code.getF32Type()), matrix, ValueRange{row, column},
                                /*nontemporal=*/false, llvm::MaybeAlign(8));
}

Value MatrixUnit::left(Value matrix, Value row, Value from) {
  if (rounded) // squares: rows 0 and 8, then the columns after them
    return squares(matrix, add(code, row, laneRest(16)), add(code, from, multiply(code, laneOver(16), index(code, 8))),
                   false);
  Value column = add(code, from, multiply(code, thread.pair, index(code, 2)));
  Value upper = pairAt(matrix, add(code, row, thread.group), column);
  Value lower = pairAt(matrix, plus(add(code, row, thread.group), 8), column);
  llvm::SmallVector<Value> words;
  for (int64_t half = 0; half < 2; ++half)
    for (Value pair : {upper, lower})
      words.push_back(vector::ExtractOp::create(code, pair, half));
  return elements(words);
}

Value MatrixUnit::left(ValueRange results) {
  if (!rounded)
    return elements({results[0], results[2], results[1], results[3]});
  auto two = [&](mlir::Type element) { return mlir::VectorType::get({2}, element); };
  Value a = splat(code, mlir::VectorType::get({4, 2}, code.getBF16Type()), 0);
  for (int64_t i = 0; i < 4; ++i) { // a tile of results is laid out as two squares of a left factor
    Value wide = vector::FromElementsOp::create(code, two(code.getF32Type()), results.slice(2 * i, 2));
    a = vector::InsertOp::create(code, arith::TruncFOp::create(code, two(code.getBF16Type()), wide).getResult(), a, i);
  }
  return a;
}

Value MatrixUnit::leftTurned(Value matrix, Value from, Value row) {
  if (rounded) { // squares: columns 0 and 8, then the rows after them
    Value eight = index(code, 8), later = code.createOrFold<arith::RemUIOp>(laneOver(8), index(code, 2));
    return squares(matrix, add(code, from, add(code, laneRest(8), multiply(code, laneOver(16), eight))),
                   add(code, row, multiply(code, later, eight)), true);
  }
  Value first = add(code, from, multiply(code, thread.pair, index(code, 2))), column = add(code, row, thread.group);
  llvm::SmallVector<Value> words;
  for (int64_t i = 0; i < 4; ++i)
    words.push_back(memref::LoadOp::create(code, matrix, ValueRange{plus(first, i / 2), plus(column, i % 2 * 8)}));
  return elements(words);
}

Value MatrixUnit::kept(Value a, Value from, llvm::function_ref<Value(Value)> keeps) {
  int64_t width = depth() / 8; // elements in a word
  Value first = add(code, from, multiply(code, thread.pair, index(code, 2)));
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t half = 0; half < width; ++half) {
      Value column = plus(first, width == 2 ? i / 2 * 8 + half : i / 2);
      Value element = vector::ExtractOp::create(code, a, llvm::ArrayRef<int64_t>{i, half});
      element = choose(code, keeps(column), element, splat(code, element.getType(), 0));
      a = vector::InsertOp::create(code, element, a, llvm::ArrayRef<int64_t>{i, half});
    }
  return a;
}

MatrixUnit::Pair MatrixUnit::right(Value matrix, Value column, Value from) {
  if (rounded) { // squares: columns 0 and 8, then the rows after
    Value eight = index(code, 8);
    Value row = add(code, column, add(code, laneRest(8), multiply(code, laneOver(16), eight)));
    Value later = code.createOrFold<arith::RemUIOp>(laneOver(8), index(code, 2));
    return halves(squares(matrix, row, add(code, from, multiply(code, later, eight)), false));
  }
  auto half = [&](int64_t later) {
    Value pair = pairAt(matrix, plus(add(code, column, thread.group), later),
                        add(code, from, multiply(code, thread.pair, index(code, 2))));
    return elements({vector::ExtractOp::create(code, pair, 0), vector::ExtractOp::create(code, pair, 1)});
  };
  Value first = half(0);
  return {first, half(8)};
}

MatrixUnit::Pair MatrixUnit::rightTurned(Value matrix, Value from, Value column) {
  if (rounded) // squares: rows 0 and 8, then the columns after them
    return halves(squares(matrix, add(code, from, laneRest(16)),
                          add(code, column, multiply(code, laneOver(16), index(code, 8))), true));
  Value row = add(code, from, multiply(code, thread.pair, index(code, 2)));
  auto half = [&](int64_t later) {
    Value place = plus(add(code, column, thread.group), later);
    Value upper = memref::LoadOp::create(code, matrix, ValueRange{row, place});
    Value lower = memref::LoadOp::create(code, matrix, ValueRange{plus(row, 1), place});
    return elements({upper, lower});
  };
  Value first = half(0);
  return {first, half(8)};
}

void MatrixUnit::multiplyAdd(Value a, Value b, llvm::MutableArrayRef<Value> c) {
  Value sum = splat(code, mlir::VectorType::get({2, 2}, code.getF32Type()), 0);
  for (int64_t i = 0; i < 4; ++i)
    sum = vector::InsertOp::create(code, c[i], sum, llvm::ArrayRef<int64_t>{i / 2, i % 2});
  sum = nvgpu::MmaSyncOp::create(code, a, b, sum, llvm::ArrayRef<int64_t>{16, 8, depth()}, /*tf32Enabled=*/!rounded);
  for (int64_t i = 0; i < 4; ++i)
    c[i] = vector::ExtractOp::create(code, sum, llvm::ArrayRef<int64_t>{i / 2, i % 2});
}

} // namespace attnc
