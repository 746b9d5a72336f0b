#include "attnc/gpu/BlockScans.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"
#include "attnc/gpu/Products.h"
#include "attnc/gpu/Staging.h"
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
#include "mlir/Dialect/Utils/StaticValueUtils.h"
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
// Where one tile has all queries, blocks have parts of the keys, and a second grid merges their states in order. Keys
// come in order and blocks share nothing, so that results are the same each time.
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

/// Parts of the keys, where there are few tiles of queries: so many blocks are wanted, and so many keys in each at
/// least.
constexpr int64_t wantedBlocks = 264, leastPart = 256;

/// Scratch for the states of blocks that have a part of the keys: of each row of the block its results, its reference
/// and its measure.
struct PartStates {
  KeyParts parts;
  Value array;
  int64_t features, queries;

  /// Where the state of a query begins. `task`: the number of its tile among those of all indices of the batch.
  Value at(Code &code, Value task, Value part, Value row) const {
    Value block = add(code, multiply(code, task, parts.count), part);
    Value number = add(code, multiply(code, block, index(code, queries)), row);
    return multiply(code, number, index(code, features + 2));
  }
  Value load(Code &code, Value at, int64_t number) const {
    return memref::LoadOp::create(code, array, ValueRange{add(code, at, index(code, number))});
  }
};

template <class Algebra> class BlockEmitter {
public:
  BlockEmitter(Code &code, StreamOp stream, const Tiling &tiling)
      : code(code), stream(stream), tiling(tiling), loops(code, stream) {}

  void run() {
    queries = loops.extent(stream.queryLoop());
    keys = loops.extent(stream.keyLoop());
    Value none = index(code, 0), one = index(code, 1), indices = loops.count(loops.batch());
    tiles = ceilDiv(code, queries, tiling.queries());
    findParts(multiply(code, indices, tiles));
    Values begins(2, none), ends{indices, tiles}, steps(2, one);
    if (states) {
      begins.push_back(none);
      ends.push_back(states->parts.count);
      steps.push_back(one);
    }
    auto grid = scf::ParallelOp::create(code, begins, ends, steps);
    grid->setAttr(blockAttribute, code.getI64IntegerAttr(tiling.threads()));
    {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(grid.getBody());
      block(grid.getInductionVars()[0], grid.getInductionVars()[1], states ? grid.getInductionVars()[2] : none);
    }
    if (!states)
      return;
    Value features = index(code, states->features);
    auto merged = scf::ParallelOp::create(code, ValueRange{none, none, none}, ValueRange{indices, queries, features},
                                          ValueRange{one, one, one});
    {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(merged.getBody());
      merge(merged.getInductionVars());
    }
    memref::DeallocOp::create(code, states->array);
  }

private:
  mlir::Type f32() { return code.getF32Type(); }
  Lanes number(Value value) { return {&code, value}; }
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }
  static int64_t used(int64_t length, bool matrix) { return Tiling::roundedUp(length, matrix ? 16 : 4); }
  int64_t keyTiles() { return tiling.keys / 8; }
  int64_t results() { return tiling.valued ? tiling.featureTiles() * 4 : rowsOfThread; }

  /// Where one tile has all queries, keys are parted so that there are blocks enough.
  void findParts(Value tasks) {
    auto count = mlir::getConstantIntValue(queries), length = mlir::getConstantIntValue(keys);
    if (!count || *count > tiling.queries() || *count == 0 || (length && *length < 2 * leastPart))
      return;
    Value most = code.createOrFold<arith::DivUIOp>(keys, index(code, leastPart));
    PartStates made;
    made.parts = partKeys(code, keys, tasks, tiling.keys, wantedBlocks, most);
    made.features = tiling.valued ? tiling.features : 1;
    made.queries = tiling.queries();
    Value floats =
        multiply(code, multiply(code, tasks, made.parts.count), index(code, tiling.queries() * (made.features + 2)));
    made.array =
        memref::AllocOp::create(code, mlir::MemRefType::get({mlir::ShapedType::kDynamic}, f32()), ValueRange{floats});
    states = made;
  }

  /// The tile of queries of an index of the batch, and a part of the keys.
  void block(Value number, Value place, Value part) {
    // Where later queries see more keys, the longest tiles begin first.
    Value tile = subtract(code, subtract(code, tiles, index(code, 1)), place);
    Values batch = loops.indices(loops.batch(), number);
    Value first = multiply(code, tile, index(code, tiling.queries())), none = index(code, 0);
    thread.emplace(code);
    products.emplace(code, tiling, *thread);
    if (!stream.hasQueries()) // places are then the same for all threads
      placing.emplace(code, stream, 1, 1, batch, none, queries);
    StreamOperands operands(loops, stream);
    std::optional<Staging> keyRows, valueRows;
    if (tiling.contracted) {
      Operand query = operands.query();
      Operand key = operands.key();
      int64_t room = used(tiling.depth, tiling.matrixScores);
      Staging(code, query.at(code, batch, none), tiling.depth, room, products->queryRoom, tiling.threads())
          .copy(*thread, first, queries, tiling.queries(), none);
      keyRows.emplace(code, key.at(code, batch, none), tiling.depth, room, products->keyRoom, tiling.threads());
      if (!key.placed.empty())
        keyRows->usePlaces(*placing, key.placed);
    }
    if (tiling.valued) {
      Operand value = operands.value();
      valueRows.emplace(code, value.at(code, batch, none), tiling.features, tiling.featureTiles() * 8,
                        products->valueRoom, tiling.threads());
      if (!value.placed.empty())
        valueRows->usePlaces(*placing, value.placed);
    }
    for (int64_t h = 0; h < rowsOfThread; ++h)
      regions.emplace_back(code, stream, 1, 1, batch, add(code, first, plus(products->row, 8 * h)), queries);

    Value last = subtract(code, smaller(code, plus(first, tiling.queries()), queries), index(code, 1));
    KeyRange range = solveKeyRange(code, stream, batch, first, last, keys);
    if (states)
      range = states->parts.within(code, range, part);
    auto stage = [&](Value from, Value at) {
      if (keyRows)
        keyRows->copy(*thread, from, range.to, tiling.keys, at);
      if (valueRows)
        valueRows->copy(*thread, from, range.to, tiling.keys, at);
    };
    auto stageIfAny = [&](Value from, Value at) {
      branch(code, less(code, from, range.to), [&] { stage(from, at); }, [] {});
    };
    bool ahead = tiling.buffers > 1;
    if (ahead)
      stageIfAny(range.from, none);
    Values state = unit(part);
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
    finish(state, batch, first, add(code, multiply(code, number, tiles), tile), part);
  }

  /// The state of a thread: references, measures, then results as a tile lays them out; or the sums of weights.
  Values unit(Value part) {
    Values state, measured;
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      Value lowest = splat(code, f32(), -std::numeric_limits<double>::infinity()), measure = splat(code, f32(), 0);
      if (auto sink = regions[h].sink(0)) {
        // The first part absorbs it; one of the four threads of a row has it in its sum.
        auto isFirst = [&](Value number) { return equal(code, number, index(code, 0)); };
        Value own = arith::AndIOp::create(code, isFirst(part), isFirst(thread->pair));
        lowest = choose(code, isFirst(part), sink->value, lowest);
        measure = choose(code, own, algebra::measureOf<Algebra>(*sink).value, measure);
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
    Values given = tiling.contracted ? products->contract(at) : Values(keyTiles() * 4), scores = given;
    Values state(before), clamped, there;
    for (int64_t n = 0; n < keyTiles(); ++n)
      for (int64_t x = 0; x < columnsOfThread; ++x) {
        Value key = add(code, from, plus(multiply(code, thread->pair, index(code, columnsOfThread)), 8 * n + x));
        there.push_back(less(code, key, to));
        clamped.push_back(smaller(code, key, subtract(code, to, index(code, 1))));
      }
    auto eachScore = [&](llvm::function_ref<void(Value & score, Value product, int64_t row, int64_t column)> body) {
      for (int64_t i = 0; i < int64_t(scores.size()); ++i)
        body(scores[i], given[i], i / columnsOfThread % rowsOfThread, i / 4 * columnsOfThread + i % columnsOfThread);
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
      products->accumulate(scores, at, llvm::MutableArrayRef(state).drop_front(references() + measures()));
    return state;
  }

  /// Folds what the four threads of a row have.
  template <class Fold> Value overRow(Value value, Fold fold) {
    for (int64_t mask : {1, 2})
      value = fold(number(value), number(exchanged(code, value, mask))).value;
    return value;
  }

  /// The results of the block, finished, or its state for the others to be merged with.
  void finish(llvm::ArrayRef<Value> state, llvm::ArrayRef<Value> batch, Value first, Value task, Value part) {
    auto sum = [](Lanes a, Lanes b) { return a + b; };
    Values measured, results(state.drop_front(references() + measures()));
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      if (isMeasured())
        measured.push_back(overRow(state[references() + h], sum));
      if (!tiling.valued)
        results[h] = overRow(results[h], sum);
    }
    auto [output, sums] = outputs(batch);
    for (int64_t h = 0; h < rowsOfThread; ++h) {
      Value row = plus(products->row, 8 * h), query = add(code, first, row);
      auto write = [&] {
        Value begin = states ? states->at(code, task, part, row) : Value();
        for (auto [i, result] : llvm::enumerate(results)) {
          if (resultRow(int64_t(i)) != h)
            continue;
          Lanes total = number(result);
          if (!states)
            total = Algebra::finish(total, Algebra::hasMeasure ? number(measured[h]) : total);
          eachColumn(int64_t(i), [&](Value column) {
            if (states)
              memref::StoreOp::create(code, result, states->array, ValueRange{add(code, begin, column)});
            else
              store(total.value, output, query, column);
          });
        }
        if (!states && sums)
          store(measured[h], *sums, query, index(code, 0));
        if (states && Algebra::hasReference)
          memref::StoreOp::create(code, state[h], states->array, ValueRange{plus(begin, states->features)});
        if (states && isMeasured())
          memref::StoreOp::create(code, measured[h], states->array, ValueRange{plus(begin, states->features + 1)});
      };
      branch(code, less(code, query, queries), write, [] {});
    }
  }

  /// The column of the i-th result of a thread, where there is one. Without values there is one column, which all four
  /// threads of a row have.
  void eachColumn(int64_t i, llvm::function_ref<void(Value)> body) {
    if (!tiling.valued)
      return body(index(code, 0));
    int64_t first = i / 4 * 8 + i % columnsOfThread; // that of the first thread
    Value column = plus(multiply(code, thread->pair, index(code, columnsOfThread)), first);
    if (i / 4 * 8 + 8 <= tiling.features)
      body(column);
    else if (first < tiling.features)
      branch(code, less(code, column, index(code, tiling.features)), [&] { body(column); }, [] {});
  }

  /// The arrays that are written, at an index of the batch.
  std::pair<View, std::optional<View>> outputs(llvm::ArrayRef<Value> batch) {
    StreamOperands operands(loops, stream);
    Value none = index(code, 0);
    View output = operands.output().at(code, batch, none);
    if (!stream.isMeasured())
      return {output, std::nullopt};
    return {output, operands.measures().at(code, batch, none)};
  }

  void store(Value value, const View &output, Value query, Value column) {
    mlir::Type element = mlir::getElementTypeOrSelf(output.array);
    if (!element.isF32())
      value = arith::TruncFOp::create(code, element, value);
    Value place = add(code, output.start, multiply(code, query, output.rowStride));
    place = add(code, place, multiply(code, column, output.columnStride));
    memref::StoreOp::create(code, value, output.array, ValueRange{place});
  }

  /// A result from the states of all parts, in their order: the work of one thread.
  void merge(ValueRange point) {
    Value none = index(code, 0), query = point[1], column = point[2];
    Value lowest = splat(code, f32(), -std::numeric_limits<double>::infinity()), zero = splat(code, f32(), 0);
    Value tile = code.createOrFold<arith::DivUIOp>(query, index(code, tiling.queries()));
    Value row = code.createOrFold<arith::RemUIOp>(query, index(code, tiling.queries()));
    Value task = add(code, multiply(code, point[0], tiles), tile);
    auto eachPart = [&](ValueRange initial, llvm::function_ref<Values(Value at, ValueRange)> body) {
      return loop(code, none, states->parts.count, 1, initial,
                  [&](Value part, ValueRange carried) { return body(states->at(code, task, part, row), carried); });
    };
    Value reference;
    if (Algebra::hasReference)
      reference = eachPart(lowest, [&](Value at, ValueRange carried) {
        Value other = states->load(code, at, states->features);
        return Values{maximum(number(other), number(carried[0])).value};
      })[0];
    Values sums = eachPart(ValueRange{zero, zero}, [&](Value at, ValueRange carried) {
      Values next(carried);
      std::optional<Lanes> scale;
      if (Algebra::hasReference)
        scale = Algebra::weight(number(states->load(code, at, states->features)), number(reference));
      auto absorb = [&](Value &sum, Value part) {
        sum = (number(sum) + (scale ? number(part) * *scale : number(part))).value;
      };
      absorb(next[0], memref::LoadOp::create(code, states->array, ValueRange{add(code, at, column)}));
      if (isMeasured())
        absorb(next[1], states->load(code, at, states->features + 1));
      return next;
    });
    auto [output, measures] = outputs(loops.indices(loops.batch(), point[0]));
    store(Algebra::finish(number(sums[0]), number(sums[1])).value, output, query, column);
    if (measures)
      store(sums[1], *measures, query, none); // the same from each column
  }

  Code &code;
  StreamOp stream;
  Tiling tiling;
  StreamLoops loops;
  Value queries, keys, tiles;
  std::optional<PartStates> states; // where keys are parted
  std::optional<Thread> thread;
  std::optional<TileProducts> products;
  llvm::SmallVector<Region, 2> regions;
  std::optional<Region> placing; // of the one query, where there is one
};

struct Streams : mlir::PassWrapper<Streams, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Streams)
  llvm::StringRef getArgument() const final { return "attnc-blocks"; }
  llvm::StringRef getDescription() const final {
    return "streams and affine scans on arrays as grids of blocks of threads";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, mlir::gpu::GPUDialect, mlir::math::MathDialect, memref::MemRefDialect,
                    mlir::nvgpu::NVGPUDialect, scf::SCFDialect, vector::VectorDialect>();
  }

  void runOnOperation() final {
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp op) { streams.push_back(op); });
    getOperation()->walk([](dialect::ChunksOp scan) {
      Code code(scan.getLoc(), scan);
      emitScan(code, scan);
      scan.erase();
    });
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
