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
  auto kindOf = [&](bool matrix) { return matrix ? mlir::Type(code.getBF16Type()) : code.getF32Type(); };
  Value shared = sharedMemory(code, tiling.bytes());
  int64_t rows = tiling.buffers * tiling.keys;
  if (tiling.contracted) {
    mlir::Type kind = kindOf(tiling.matrixScores);
    queryRoom = sharedMatrix(code, shared, 0, tiling.queries(), tiling.depthRoom(), kind);
    keyRoom = sharedMatrix(code, shared, tiling.keysAt(), rows, tiling.depthRoom(), kind);
  }
  if (tiling.valued)
    valueRoom = sharedMatrix(code, shared, tiling.valuesAt(), rows, tiling.featureRoom(), kindOf(tiling.matrixValues));
  if (tiling.valued && !tiling.matrixValues)
    weightRoom =
        sharedMatrix(code, shared, tiling.weightsAt(), tiling.queries(), tiling.weightRoom(), code.getF32Type());
  row = add(code, multiply(code, thread.warp, index(code, 16)), thread.group);
}

Values TileProducts::contract(Value at) {
  Values scores(tiling.keys / 2, splat(code, code.getF32Type(), 0));
  return tiling.matrixScores ? contractByMatrix(at, std::move(scores)) : contractByFma(at, scores);
}

void TileProducts::accumulate(llvm::ArrayRef<Value> weights, Value at, llvm::MutableArrayRef<Value> sums) {
  if (tiling.matrixValues)
    accumulateByMatrix(weights, at, sums);
  else
    accumulateByFma(weights, at, sums);
}

Value TileProducts::laneRest(int64_t by) { return code.createOrFold<arith::RemUIOp>(thread.lane, index(code, by)); }
Value TileProducts::laneOver(int64_t by) { return code.createOrFold<arith::DivUIOp>(thread.lane, index(code, by)); }

Values TileProducts::contractByMatrix(Value at, Values scores) {
  Value eight = index(code, 8), warpRow = multiply(code, thread.warp, index(code, 16));
  // Squares of queries: rows 0 and 8, then the columns after them. Of keys: columns 0 and 8, then the rows after.
  Value queryRow = add(code, warpRow, laneRest(16)), queryColumn = multiply(code, laneOver(16), eight);
  Value keyRow = add(code, at, add(code, laneRest(8), multiply(code, laneOver(16), eight)));
  Value keyColumn = multiply(code, code.createOrFold<arith::RemUIOp>(laneOver(8), index(code, 2)), eight);
  for (int64_t k = 0; k < tiling.depth; k += 16) {
    Value a = loadSquares(code, queryRoom, queryRow, plus(queryColumn, k), false);
    for (int64_t n = 0; n < tiling.keys / 8; n += 2) {
      Value b = loadSquares(code, keyRoom, plus(keyRow, 8 * n), plus(keyColumn, k), false);
      for (int64_t half = 0; half < 2; ++half)
        multiplyAdd(code, a, squarePair(code, b, 2 * half), llvm::MutableArrayRef(scores).slice((n + half) * 4, 4));
    }
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
  // Squares of values: rows 0 and 8, then the columns after them.
  Value valueRow = add(code, at, laneRest(16)), valueColumn = multiply(code, laneOver(16), index(code, 8));
  auto two = [&](mlir::Type element) { return mlir::VectorType::get({2}, element); };
  for (int64_t j = 0; j < tiling.keys; j += 16) {
    Value a = splat(code, mlir::VectorType::get({4, 2}, code.getBF16Type()), 0);
    for (int64_t i = 0; i < 4; ++i) { // a tile of results is laid out as two squares of a left factor
      Value wide = vector::FromElementsOp::create(code, two(code.getF32Type()), weights.slice(j / 2 + 2 * i, 2));
      a = vector::InsertOp::create(code, arith::TruncFOp::create(code, two(code.getBF16Type()), wide).getResult(), a,
                                   i);
    }
    for (int64_t n = 0; n < tiling.featureTiles(); n += 2) {
      Value b = loadSquares(code, valueRoom, plus(valueRow, j), plus(valueColumn, 8 * n), true);
      for (int64_t half = 0; half < 2; ++half)
        multiplyAdd(code, a, squarePair(code, b, 2 * half), sums.slice((n + half) * 4, 4));
    }
  }
}

} // namespace attnc
