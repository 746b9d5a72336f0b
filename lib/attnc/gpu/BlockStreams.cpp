#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"
#include "attnc/gpu/Staging.h"
#include "attnc/gpu/Tiling.h"
#include "attnc/stream/Algebra.h"
#include "attnc/stream/KeyRange.h"
#include "attnc/stream/Region.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

// A stream as a grid of blocks, each of which has a tile of queries:
//
//     Q to shared memory
//     for each tile of keys:
//       K, V to shared memory, those of the next tile while this one is computed
//       S = Q Kᵀ                       in registers, as the matrix unit lays out its results
//       scores, reference, weights P   in place; a row of queries belongs to four threads of a warp
//       O = rescale O + P V            in registers
//     y = the state, finished
//
// Keys come in order and blocks share nothing, so that results are the same each time.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Rows of queries that a thread has a part of, and of each eight columns its part.
constexpr int64_t rowsOfThread = 2, columnsOfThread = 2;

template <class Algebra> class BlockEmitter {
public:
  BlockEmitter(Code &code, StreamOp stream, const Tiling &tiling)
      : code(code), stream(stream), tiling(tiling), loops(code, stream) {}

  void run() {
    queries = loops.extent(stream.queryLoop());
    keys = loops.extent(stream.keyLoop());
    Value tiles = ceilDiv(code, queries, tiling.queries()), none = index(code, 0), one = index(code, 1);
    auto grid = scf::ParallelOp::create(code, ValueRange{none, none}, ValueRange{loops.count(loops.batch()), tiles},
                                        ValueRange{one, one});
    grid->setAttr(blockAttribute, code.getI64IntegerAttr(tiling.threads()));
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(grid.getBody());
    // Where later queries see more keys, the longest tiles begin first.
    Value tile = subtract(code, subtract(code, tiles, one), grid.getInductionVars()[1]);
    block(loops.indices(loops.batch(), grid.getInductionVars()[0]),
          multiply(code, tile, index(code, tiling.queries())));
  }

private:
  mlir::Type f32() { return code.getF32Type(); }
  mlir::Type kindOf(bool matrix) { return matrix ? mlir::Type(code.getBF16Type()) : f32(); }
  Lanes number(Value value) { return {&code, value}; }
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }

  /// `first`: the first query of the block.
  void block(llvm::ArrayRef<Value> batch, Value first) {
    Thread thread(code);
    this->thread = &thread;
    Value none = index(code, 0), shared = sharedMemory(code, tiling.bytes());
    unsigned operand = 0;
    std::optional<Staging> keyRows, valueRows;
    if (tiling.contracted) {
      Operand query = loops.operand(operand++, stream.queryLoop(), stream.depthLoop());
      Operand key = loops.operand(operand++, stream.keyLoop(), stream.depthLoop());
      mlir::Type kind = kindOf(tiling.matrixScores);
      queryRoom = sharedMatrix(code, shared, 0, tiling.queries(), tiling.depthRoom(), kind);
      keyRoom = sharedMatrix(code, shared, tiling.keysAt(), tiling.buffers * tiling.keys, tiling.depthRoom(), kind);
      Staging(code, query.at(code, batch, none), tiling.depth, used(tiling.depth, tiling.matrixScores), queryRoom,
              tiling.threads())
          .copy(thread, first, queries, tiling.queries(), none);
      keyRows.emplace(code, key.at(code, batch, none), tiling.depth, used(tiling.depth, tiling.matrixScores), keyRoom,
                      tiling.threads());
    }
    if (tiling.valued) {
      Operand value = loops.operand(operand++, stream.keyLoop(), stream.featureLoop());
      valueRoom = sharedMatrix(code, shared, tiling.valuesAt(), tiling.buffers * tiling.keys, tiling.featureRoom(),
                               kindOf(tiling.matrixValues));
      if (!tiling.matrixValues)
        weightRoom = sharedMatrix(code, shared, tiling.weightsAt(), tiling.queries(), tiling.weightRoom(), f32());
      valueRows.emplace(code, value.at(code, batch, none), tiling.features, tiling.featureTiles() * 8, valueRoom,
                        tiling.threads());
    }
    operand += stream.getOthers().size();
    Operand output = loops.operand(operand++, stream.queryLoop(),
                                   tiling.valued ? std::optional<unsigned>(stream.featureLoop()) : std::nullopt);
    std::optional<View> measures;
    if (stream.isMeasured())
      measures = loops.operand(operand, stream.queryLoop(), std::nullopt).at(code, batch, none);
    row = add(code, multiply(code, thread.warp, index(code, 16)), thread.group);
    for (int64_t h = 0; h < rowsOfThread; ++h)
      regions.emplace_back(code, stream, 1, 1, batch, add(code, first, plus(row, 8 * h)), queries);

    Value last = subtract(code, smaller(code, plus(first, tiling.queries()), queries), index(code, 1));
    KeyRange range = solveKeyRange(code, stream, batch, first, last, keys);
    auto stage = [&](Value from, Value at) {
      if (keyRows)
        keyRows->copy(thread, from, range.to, tiling.keys, at);
      if (valueRows)
        valueRows->copy(thread, from, range.to, tiling.keys, at);
    };
    auto stageIfAny = [&](Value from, Value at) {
      branch(code, less(code, from, range.to), [&] { stage(from, at); }, [] {});
    };
    bool ahead = tiling.buffers > 1;
    if (ahead)
      stageIfAny(range.from, none);
    Values state = unit();
    state.push_back(none); // where the tile lies
    state = loop(code, range.from, range.to, tiling.keys, state, [&](Value from, ValueRange carried) {
      Value at = carried.back(), next = at;
      if (ahead) {
        waitForCopies(code);
        barrier(code);
        next = subtract(code, index(code, tiling.keys), at);
        stageIfAny(plus(from, tiling.keys), next);
      } else {
        barrier(code);
        stage(from, at);
        waitForCopies(code);
        barrier(code);
      }
      Values after = absorb(from, range.to, at, carried.drop_back());
      after.push_back(next);
      return after;
    });
    state.pop_back();
    waitForCopies(code);
    barrier(code); // a block may have another tile, with the same shared memory
    finish(state, output.at(code, batch, none), measures, first);
  }

  static int64_t used(int64_t length, bool matrix) { return Tiling::roundedUp(length, matrix ? 16 : 4); }
  int64_t keyTiles() { return tiling.keys / 8; }
  int64_t results() { return tiling.valued ? tiling.featureTiles() * 4 : rowsOfThread; }

  /// The state of a thread: references, measures, then results as a tile lays them out; or the sums of weights.
  Values unit() {
    Values state, measured;
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      Value lowest = splat(code, f32(), -std::numeric_limits<double>::infinity()), measure = splat(code, f32(), 0);
      if (auto sink = regions[h].sink(0)) {
        // One of the four threads of a row has it in its sum.
        Value own = code.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, thread->pair, index(code, 0));
        lowest = sink->value;
        measure = arith::SelectOp::create(code, own, Algebra::measure(Algebra::weight(*sink, *sink)).value, measure);
      }
      state.push_back(lowest);
      measured.push_back(measure);
    }
    if (!Algebra::hasReference)
      state.clear();
    if (isMeasured())
      state.append(measured);
    state.append(results(), splat(code, f32(), 0));
    return state;
  }
  bool isMeasured() { return Algebra::hasMeasure || stream.isMeasured(); }
  static int64_t references() { return Algebra::hasReference ? rowsOfThread : 0; }
  int64_t measures() { return isMeasured() ? rowsOfThread : 0; }
  int64_t resultRow(int64_t i) { return tiling.valued ? i / columnsOfThread % rowsOfThread : i; }

  /// The state after a tile of keys, which lies from row `at` on.
  Values absorb(Value from, Value to, Value at, ValueRange before) {
    Values products = tiling.contracted ? contract(at) : Values(keyTiles() * 4), scores = products;
    Values state(before), clamped, there;
    for (int64_t n = 0; n < keyTiles(); ++n)
      for (int64_t x = 0; x < columnsOfThread; ++x) {
        Value key = add(code, from, plus(multiply(code, thread->pair, index(code, columnsOfThread)), 8 * n + x));
        there.push_back(less(code, key, to));
        clamped.push_back(smaller(code, key, subtract(code, to, index(code, 1))));
      }
    auto eachScore = [&](llvm::function_ref<void(Value & score, Value product, int64_t row, int64_t column)> body) {
      for (int64_t i = 0; i < int64_t(scores.size()); ++i)
        body(scores[i], products[i], i / columnsOfThread % rowsOfThread, i / 4 * columnsOfThread + i % columnsOfThread);
    };
    eachScore([&](Value &score, Value product, int64_t h, int64_t column) {
      score = regions[h].score(0, clamped[column], product).value;
      if (!Algebra::hasReference)
        return;
      Value lowest = splat(code, f32(), -std::numeric_limits<double>::infinity());
      score = arith::SelectOp::create(code, there[column], score, lowest);
      state[h] = maximum(number(score), number(state[h])).value;
    });
    if (Algebra::hasReference)
      for (int64_t h = 0; h < rowsOfThread; ++h) {
        state[h] = overRow(state[h], [](Lanes a, Lanes b) { return maximum(a, b); });
        Lanes rescale = Algebra::weight(number(before[h]), number(state[h]));
        if (isMeasured())
          state[references() + h] = (number(state[references() + h]) * rescale).value;
        for (int64_t i = 0; i < results(); ++i)
          if (Value &result = state[references() + measures() + i]; resultRow(i) == h)
            result = (number(result) * rescale).value;
      }
    eachScore([&](Value &score, Value product, int64_t h, int64_t column) {
      Lanes weight = Algebra::weight(number(score), number(Algebra::hasReference ? state[h] : score));
      auto factor = regions[h].factor(0, clamped[column]);
      auto kept = [&](Value value) {
        return arith::SelectOp::create(code, there[column], value, splat(code, f32(), 0)).getResult();
      };
      if (!Algebra::hasReference)
        weight.value = kept(weight.value);
      if (isMeasured()) {
        Value &sum = state[references() + h];
        auto other = regions[h].measure(0, clamped[column], product);
        sum = (number(sum) + (other ? number(kept(other->value)) : Algebra::measure(weight))).value;
      }
      score = factor ? kept((weight * *factor).value) : weight.value;
      if (!tiling.valued) {
        Value &sum = state[references() + measures() + h];
        sum = (number(sum) + number(score)).value;
      }
    });
    if (tiling.valued)
      accumulate(scores, at, llvm::MutableArrayRef(state).drop_front(references() + measures()));
    return state;
  }

  /// Folds what the four threads of a row have.
  template <class Fold> Value overRow(Value value, Fold fold) {
    for (int64_t mask : {1, 2})
      value = fold(number(value), number(exchanged(code, value, mask))).value;
    return value;
  }

  /// S of a tile.
  Values contract(Value at) {
    Values scores(keyTiles() * 4, splat(code, f32(), 0));
    return tiling.matrixScores ? contractByMatrix(at, std::move(scores)) : contractByFma(at, std::move(scores));
  }

  /// `lane % by` and `lane / by`.
  Value lane(int64_t by) { return code.createOrFold<arith::RemUIOp>(thread->lane, index(code, by)); }
  Value lanes(int64_t by) { return code.createOrFold<arith::DivUIOp>(thread->lane, index(code, by)); }
  Value warpRow() { return multiply(code, thread->warp, index(code, 16)); }

  Values contractByMatrix(Value at, Values scores) {
    Value eight = index(code, 8);
    // Squares of queries: rows 0 and 8, then the columns after them. Of keys: columns 0 and 8, then the rows after.
    Value queryRow = add(code, warpRow(), lane(16)), queryColumn = multiply(code, lanes(16), eight);
    Value keyRow = add(code, at, add(code, lane(8), multiply(code, lanes(16), eight)));
    Value keyColumn = multiply(code, code.createOrFold<arith::RemUIOp>(lanes(8), index(code, 2)), eight);
    for (int64_t k = 0; k < tiling.depth; k += 16) {
      Value a = loadSquares(code, queryRoom, queryRow, plus(queryColumn, k), false);
      for (int64_t n = 0; n < keyTiles(); n += 2) {
        Value b = loadSquares(code, keyRoom, plus(keyRow, 8 * n), plus(keyColumn, k), false);
        for (int64_t half = 0; half < 2; ++half)
          multiplyAdd(code, a, squarePair(code, b, 2 * half), llvm::MutableArrayRef(scores).slice((n + half) * 4, 4));
      }
    }
    return scores;
  }

  Value loadWide(Value matrix, Value row, Value column, int64_t width) {
    auto type = mlir::VectorType::get({width}, f32());
    return vector::LoadOp::create(code, type, matrix, ValueRange{row, column}, /*nontemporal=*/false,
                                  llvm::MaybeAlign(width * 4));
  }
  Value fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(code, a, b, c); }
  Value at(Value wide, int64_t i) { return vector::ExtractOp::create(code, wide, i); }

  Values contractByFma(Value begin, Values scores) {
    constexpr int64_t step = 4;
    Value column = add(code, begin, multiply(code, thread->pair, index(code, columnsOfThread)));
    return loop(code, index(code, 0), index(code, used(tiling.depth, false)), step, scores,
                [&](Value k, ValueRange sums) {
                  Values next(sums), queries;
                  for (int64_t h = 0; h < rowsOfThread; ++h)
                    queries.push_back(loadWide(queryRoom, plus(row, 8 * h), k, step));
                  for (int64_t n = 0; n < keyTiles(); ++n)
                    for (int64_t x = 0; x < columnsOfThread; ++x) {
                      Value key = loadWide(keyRoom, plus(column, 8 * n + x), k, step);
                      for (int64_t h = 0; h < rowsOfThread; ++h)
                        for (int64_t i = 0; i < step; ++i) {
                          Value &sum = next[n * 4 + h * columnsOfThread + x];
                          sum = fma(at(queries[h], i), at(key, i), sum);
                        }
                    }
                  return next;
                });
  }

  /// O += P V of a tile.
  void accumulate(llvm::ArrayRef<Value> weights, Value begin, llvm::MutableArrayRef<Value> sums) {
    if (tiling.matrixValues)
      return accumulateByMatrix(weights, begin, sums);
    constexpr int64_t step = 4;
    Value column = multiply(code, thread->pair, index(code, columnsOfThread));
    for (auto [i, weight] : llvm::enumerate(weights)) {
      int64_t h = int64_t(i) / columnsOfThread % rowsOfThread;
      memref::StoreOp::create(code, weight, weightRoom,
                              ValueRange{plus(row, 8 * h), plus(column, int64_t(i) / 4 * 8 + int64_t(i) % 2)});
    }
    barrier(code);
    Values after =
        loop(code, index(code, 0), index(code, tiling.keys), step, Values(sums), [&](Value j, ValueRange sums) {
          Values next(sums), wide;
          for (int64_t h = 0; h < rowsOfThread; ++h)
            wide.push_back(loadWide(weightRoom, plus(row, 8 * h), j, step));
          for (int64_t i = 0; i < step; ++i)
            for (int64_t n = 0; n < tiling.featureTiles(); ++n) {
              Value values = loadWide(valueRoom, add(code, begin, plus(j, i)), plus(column, 8 * n), columnsOfThread);
              for (int64_t h = 0; h < rowsOfThread; ++h)
                for (int64_t x = 0; x < columnsOfThread; ++x) {
                  Value &sum = next[n * 4 + h * columnsOfThread + x];
                  sum = fma(at(wide[h], i), at(values, x), sum);
                }
            }
          return next;
        });
    llvm::copy(after, sums.begin());
  }

  void accumulateByMatrix(llvm::ArrayRef<Value> weights, Value begin, llvm::MutableArrayRef<Value> sums) {
    // Squares of values: rows 0 and 8, then the columns after them.
    Value valueRow = add(code, begin, lane(16)), valueColumn = multiply(code, lanes(16), index(code, 8));
    for (int64_t j = 0; j < tiling.keys; j += 16) {
      Value a = splat(code, mlir::VectorType::get({4, 2}, code.getBF16Type()), 0);
      for (int64_t i = 0; i < 4; ++i) { // a tile of results is laid out as two squares of a left factor
        llvm::ArrayRef<Value> pair = weights.slice(j / 2 + 2 * i, 2);
        Value wide = vector::FromElementsOp::create(code, mlir::VectorType::get({2}, f32()), pair);
        Value narrow = arith::TruncFOp::create(code, mlir::VectorType::get({2}, code.getBF16Type()), wide);
        a = vector::InsertOp::create(code, narrow, a, i);
      }
      for (int64_t n = 0; n < tiling.featureTiles(); n += 2) {
        Value b = loadSquares(code, valueRoom, plus(valueRow, j), plus(valueColumn, 8 * n), true);
        for (int64_t half = 0; half < 2; ++half)
          multiplyAdd(code, a, squarePair(code, b, 2 * half), sums.slice((n + half) * 4, 4));
      }
    }
  }

  void finish(llvm::ArrayRef<Value> state, const View &output, const std::optional<View> &measures, Value first) {
    auto sum = [](Lanes a, Lanes b) { return a + b; };
    Values measured, results(state.drop_front(references() + this->measures()));
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      if (isMeasured())
        measured.push_back(overRow(state[references() + h], sum));
      if (!tiling.valued)
        results[h] = overRow(results[h], sum);
    }
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      Value query = add(code, first, plus(row, 8 * h));
      branch(
          code, less(code, query, queries),
          [&] {
            for (auto [i, result] : llvm::enumerate(results)) {
              if (resultRow(int64_t(i)) != h)
                continue;
              Lanes total = number(result);
              store(Algebra::finish(total, Algebra::hasMeasure ? number(measured[h]) : total).value, output, query,
                    int64_t(i));
            }
            if (measures)
              storeAt(measured[h], *measures, query, nullptr);
          },
          [] {});
    }
  }

  /// An element of a row; without a column, of an array that has none.
  void storeAt(Value value, const View &output, Value query, Value column) {
    mlir::Type element = mlir::getElementTypeOrSelf(output.array);
    if (!element.isF32())
      value = arith::TruncFOp::create(code, element, value);
    Value place = add(code, output.start, multiply(code, query, output.rowStride));
    if (column)
      place = add(code, place, multiply(code, column, output.columnStride));
    memref::StoreOp::create(code, value, output.array, ValueRange{place});
  }

  /// The i-th result of a thread. Where there are no values, all four threads of a row have it.
  void store(Value value, const View &output, Value query, int64_t i) {
    if (!tiling.valued)
      return storeAt(value, output, query, nullptr);
    int64_t first = i / 4 * 8 + i % 2; // the column of the first thread
    Value column = plus(multiply(code, thread->pair, index(code, columnsOfThread)), first);
    auto write = [&] { storeAt(value, output, query, column); };
    if (i / 4 * 8 + 8 <= tiling.features)
      write();
    else if (first < tiling.features)
      branch(code, less(code, column, index(code, tiling.features)), write, [] {});
  }

  Code &code;
  StreamOp stream;
  Tiling tiling;
  StreamLoops loops;
  const Thread *thread = nullptr;
  Value queries, keys, row; // `row`: of the thread's first, in the block
  Value queryRoom, keyRoom, valueRoom, weightRoom;
  llvm::SmallVector<Region, 2> regions;
};

struct Streams : mlir::PassWrapper<Streams, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Streams)
  llvm::StringRef getArgument() const final { return "attnc-blocks"; }
  llvm::StringRef getDescription() const final { return "streams on arrays as grids of blocks of threads"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, mlir::gpu::GPUDialect, mlir::math::MathDialect, memref::MemRefDialect,
                    mlir::nvgpu::NVGPUDialect, scf::SCFDialect, vector::VectorDialect>();
  }

  void runOnOperation() final {
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp op) { streams.push_back(op); });
    for (StreamOp stream : streams) {
      auto tiling = tilingOf(stream);
      if (!tiling) {
        stream.emitOpError() << tiling.error();
        return signalPassFailure();
      }
      Code code(stream.getLoc(), stream);
      algebra::withAlgebra(std::string_view(stream.getAlgebra()),
                           [&](auto algebra) { BlockEmitter<decltype(algebra)>(code, stream, *tiling).run(); });
      stream.erase();
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createBlocksPass() { return std::make_unique<Streams>(); }

} // namespace attnc
