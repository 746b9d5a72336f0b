#include "attnc/gpu/Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// What is loaded and multiplied at once where the matrix unit does nothing.
constexpr int64_t step = 4;

TileProducts::TileProducts(Code &code, const Tiling &tiling, const Thread &thread)
    : code(code), tiling(tiling), thread(thread) {
  auto kindOf = [&](Precision precision) -> mlir::Type {
    if (precision == Precision::BF16)
      return code.getBF16Type();
    return code.getF32Type();
  };
  Value shared = sharedMemory(code, tiling.bytes());
  int64_t rows = tiling.buffers * tiling.keys;
  if (tiling.contracted) {
    mlir::Type kind = kindOf(tiling.scores);
    queryRoom = sharedMatrix(code, shared, 0, tiling.queries(), tiling.depthRoom(), kind);
    keyRoom = sharedMatrix(code, shared, tiling.keysAt(), rows, tiling.depthRoom(), kind);
  }
  if (tiling.valued)
    valueRoom = sharedMatrix(code, shared, tiling.valuesAt(), rows, tiling.featureRoom(), kindOf(tiling.values));
  if (tiling.valued && tiling.values == Precision::F32)
    weightRoom =
        sharedMatrix(code, shared, tiling.weightsAt(), tiling.queries(), tiling.weightRoom(), code.getF32Type());
  row = add(code, multiply(code, thread.warp, index(code, 16)), thread.group);
}

Values TileProducts::contract(Value at) {
  Values scores(tiling.keys / 2, splat(code, code.getF32Type(), 0));
  if (tiling.scores == Precision::F32)
    return contractByFma(at, scores);
  return contractByMatrix(at, std::move(scores));
}

void TileProducts::accumulate(llvm::ArrayRef<Value> weights, Value at, llvm::MutableArrayRef<Value> sums) {
  if (tiling.values == Precision::F32)
    accumulateByFma(weights, at, sums);
  else
    accumulateByMatrix(weights, at, sums);
}

Values TileProducts::contractByMatrix(Value at, Values scores) {
  MatrixUnit unit(code, thread, tiling.scores);
  Value warpRow = multiply(code, thread.warp, index(code, 16));
  for (int64_t k = 0; k < tiling.depth; k += unit.depth()) {
    Value a = unit.left(queryRoom, warpRow, index(code, k));
    for (int64_t n = 0; n < tiling.keys / 8; n += 2)
      unit.multiplyAdd(a, unit.right(keyRoom, plus(at, 8 * n), index(code, k)),
                       llvm::MutableArrayRef(scores).slice(n * 4, 8));
  }
  return scores;
}

Value TileProducts::loadWide(Value matrix, Value row, Value column, int64_t width) {
  auto type = mlir::VectorType::get({width}, code.getF32Type());
  return vector::LoadOp::create(code, type, matrix, ValueRange{row, column}, /*nontemporal=*/false,
                                llvm::MaybeAlign(width * 4));
}

Value TileProducts::fma(Value wide, int64_t i, Value other, int64_t j, Value sum) {
  Value a = vector::ExtractOp::create(code, wide, i), b = vector::ExtractOp::create(code, other, j);
  return mlir::math::FmaOp::create(code, a, b, sum);
}

Values TileProducts::contractByFma(Value at, const Values &scores) {
  Value column = add(code, at, multiply(code, thread.pair, index(code, columnsOfThread)));
  Value depth = index(code, Tiling::roundedUp(tiling.depth, step));
  return loop(code, index(code, 0), depth, step, scores, [&](Value k, ValueRange sums) {
    Values next(sums), queries;
    for (int64_t h = 0; h < rowsOfThread; ++h)
      queries.push_back(loadWide(queryRoom, plus(row, 8 * h), k, step));
    for (int64_t n = 0; n < tiling.keys / 8; ++n)
      for (int64_t x = 0; x < columnsOfThread; ++x) {
        Value key = loadWide(keyRoom, plus(column, 8 * n + x), k, step);
        for (int64_t h = 0; h < rowsOfThread; ++h)
          for (int64_t i = 0; i < step; ++i) {
            Value &sum = next[n * 4 + h * columnsOfThread + x];
            sum = fma(queries[h], i, key, i, sum);
          }
      }
    return next;
  });
}

/// Weights go through shared memory, for a thread needs those of its whole rows.
void TileProducts::accumulateByFma(llvm::ArrayRef<Value> weights, Value at, llvm::MutableArrayRef<Value> sums) {
  Value column = multiply(code, thread.pair, index(code, columnsOfThread));
  for (auto [i, weight] : llvm::enumerate(weights)) {
    int64_t n = int64_t(i) / 4, h = int64_t(i) / columnsOfThread % rowsOfThread, x = int64_t(i) % columnsOfThread;
    memref::StoreOp::create(code, weight, weightRoom, ValueRange{plus(row, 8 * h), plus(column, 8 * n + x)});
  }
  barrier(code);
  Value none = index(code, 0), keys = index(code, tiling.keys);
  Values after = loop(code, none, keys, step, Values(sums), [&](Value j, ValueRange sums) {
    Values next(sums), wide;
    for (int64_t h = 0; h < rowsOfThread; ++h)
      wide.push_back(loadWide(weightRoom, plus(row, 8 * h), j, step));
    for (int64_t i = 0; i < step; ++i)
      for (int64_t n = 0; n < tiling.featureTiles(); ++n) {
        Value values = loadWide(valueRoom, add(code, at, plus(j, i)), plus(column, 8 * n), columnsOfThread);
        for (int64_t h = 0; h < rowsOfThread; ++h)
          for (int64_t x = 0; x < columnsOfThread; ++x) {
            Value &sum = next[n * 4 + h * columnsOfThread + x];
            sum = fma(wide[h], i, values, x, sum);
          }
      }
    return next;
  });
  llvm::copy(after, sums.begin());
}

void TileProducts::accumulateByMatrix(llvm::ArrayRef<Value> weights, Value at, llvm::MutableArrayRef<Value> sums) {
  MatrixUnit unit(code, thread, tiling.values);
  for (int64_t j = 0; j < tiling.keys; j += unit.depth()) {
    Value a = unit.left(weights.slice(j / 2, unit.resultsOfFactor()));
    for (int64_t n = 0; n < tiling.featureTiles(); n += 2)
      unit.multiplyAdd(a, unit.rightTurned(valueRoom, plus(at, j), index(code, 8 * n)), sums.slice(n * 4, 8));
  }
}

} // namespace attnc
