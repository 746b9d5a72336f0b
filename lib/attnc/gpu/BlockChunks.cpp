#include "attnc/gpu/BlockChunks.h"

#include "attnc/gpu/Staging.h"
#include "attnc/stream/Chunk.h"
#include "attnc/stream/Narrow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

// A scan in chunks (stream/Chunk.h) as a grid of blocks, each of which has 64 columns of the state of one index of the
// batch, turned, in registers: a warp has 16 of its rows, and all of the depth.
//
//     for each tile of steps:
//       queries, keys, values, gates to shared memory, those of the next tile while this one is computed
//       for each chunk, which ends with the tile, or before where gates would leave their range:
//         S ← gate_0 ∘ S
//         q_i ← C_i q_i, k_j ← k_j / C_j        in place
//         P = Q Kᵀ, what is not past made 0     to shared memory, a part by each warp
//         Yᵀ = Sᵀ Qᵀ + Vᵀ Pᵀ
//         Sᵀ ← (Sᵀ + Vᵀ K) C_last
//
// A normaliser is one more column, whose values are 1. What is no number in a step is seen in all its tile.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
using dialect::ChunksOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Registers of the state, and of results and where they go, beside what a thread computes with: so many before
/// NVIDIA's assembler spills some (CUDA 13.0). Gates take a part of them.
constexpr int64_t mostKept = 96, mostKeptGated = 80;
constexpr int64_t mostShared = 99 * 1024;

class ChunkEmitter {
public:
  ChunkEmitter(Code &code, ChunksOp scan, const ChunkTiling &tiling)
      : code(code), scan(scan), tiling(tiling), loops(code, scan) {}

  void run() {
    count = loops.extent(scan.stepLoop());
    features = loops.extent(scan.featureLoop());
    Value none = index(code, 0), one = index(code, 1);
    Value all = scan.isNormalised() ? add(code, features, one) : features;
    auto grid = scf::ParallelOp::create(
        code, ValueRange{none, none}, ValueRange{loops.count(loops.batch()), ceilDiv(code, all, ChunkTiling::columns)},
        ValueRange{one, one});
    grid->setAttr(blockAttribute, code.getI64IntegerAttr(tiling.threads()));
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(grid.getBody());
    block(loops.indices(loops.batch(), grid.getInductionVars()[0]),
          multiply(code, grid.getInductionVars()[1], index(code, ChunkTiling::columns)));
  }

private:
  mlir::Type f32() { return code.getF32Type(); }
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }
  Value times(Value a, Value b) { return arith::MulFOp::create(code, a, b); }
  Value both(Value a, Value b) { return arith::AndIOp::create(code, a, b); }
  Value notBelow(Value a, Value b) { return arith::CmpIOp::create(code, arith::CmpIPredicate::sge, a, b); }
  Value element(Value matrix, Value row, Value column) {
    Value read = memref::LoadOp::create(code, matrix, ValueRange{row, column});
    return read.getType().isF32() ? read : arith::ExtFOp::create(code, f32(), read).getResult();
  }
  void setElement(Value number, Value matrix, Value row, Value column) {
    mlir::Type type = mlir::getElementTypeOrSelf(matrix);
    if (!type.isF32())
      number = arith::TruncFOp::create(code, type, number);
    memref::StoreOp::create(code, number, matrix, ValueRange{row, column});
  }
  int64_t depthTiles() const { return tiling.usedDepth() / 8; }
  bool gated() const { return tiling.gates > 0; }

  /// The i-th row of the turned state that a thread has, and its i-th place along the depth, or among steps.
  Value row(int64_t i) { return plus(firstRow, i / 2 % 2 * 8); }
  Value along(int64_t i) { return plus(multiply(code, thread->pair, index(code, 2)), i / 4 * 8 + i % 2); }

  void block(llvm::ArrayRef<Value> batch, Value first) {
    thread.emplace(code);
    unit.emplace(code, *thread, tiling.precision);
    Value none = index(code, 0), memory = sharedMemory(code, tiling.bytes());
    warpRow = multiply(code, thread->warp, index(code, 16));
    firstRow = add(code, first, add(code, warpRow, thread->group));
    mlir::Type kind = tiling.precision == Precision::BF16 ? mlir::Type(code.getBF16Type()) : f32();
    int64_t two = 2 * tiling.steps;
    queries = sharedMatrix(code, memory, 0, two, tiling.queryPitch(), kind);
    keys = sharedMatrix(code, memory, tiling.keysAt(), two, tiling.keyPitch(), kind);
    values = sharedMatrix(code, memory, tiling.valuesAt(), two, tiling.valuePitch(), kind);
    weights = sharedMatrix(code, memory, tiling.weightsAt(), tiling.steps, tiling.weightPitch(), kind);
    if (gated()) {
      gates = sharedMatrix(code, memory, tiling.gatesAt(), two, tiling.gatePitch(), f32());
      lasts = sharedMatrix(code, memory, tiling.lastAt(), 1, tiling.gates, f32());
      ends = sharedMatrix(code, memory, tiling.endsAt(), 1, ChunkTiling::warps, f32());
    }

    unsigned step = scan.stepLoop(), depthLoop = scan.depthLoop(), feature = scan.featureLoop(), operand = 0;
    auto rows = [&](unsigned columnLoop, Value from, int64_t length, int64_t room, Value shared) {
      Operand given = loops.operand(operand++, step, columnLoop);
      return Staging(code, given.at(code, batch, none, from), length, room, shared, tiling.threads());
    };
    Staging queryRows = rows(depthLoop, none, tiling.depth, tiling.usedDepth(), queries);
    Staging keyRows = rows(depthLoop, none, tiling.depth, tiling.usedDepth(), keys);
    // Columns past the last feature are those of the next row, or of nothing.
    Value valueColumns =
        smaller(code, greater(code, subtract(code, features, first), none), index(code, ChunkTiling::columns));
    Staging valueRows = rows(feature, first, ChunkTiling::columns, ChunkTiling::columns, values);
    std::optional<Staging> gateRows;
    if (gated())
      gateRows.emplace(rows(depthLoop, none, tiling.gates, tiling.gatePitch(), gates));
    Operand state = loops.operand(operand++, depthLoop, feature), norm, lastNorm, normOutput;
    if (scan.isNormalised())
      norm = loops.operand(operand++, depthLoop, std::nullopt);
    Operand output = loops.operand(operand++, step, feature), last = loops.operand(operand++, depthLoop, feature);
    if (scan.isNormalised()) {
      normOutput = loops.operand(operand++, step, std::nullopt);
      lastNorm = loops.operand(operand++, depthLoop, std::nullopt);
    }
    auto placeOf = [&](const Operand &to, Value at, Value column) { return to.at(code, batch, at, column); };
    auto put = [&](Value number, const View &to) {
      memref::StoreOp::create(code, number, to.array, ValueRange{to.start});
    };
    write = [&, this](Value number, Value step, Value column) {
      ofColumn(
          column, [&] { put(number, placeOf(output, step, column)); },
          [&] { put(number, placeOf(normOutput, step, index(code, 0))); });
    };

    Values carried;
    for (int64_t i = 0; i < depthTiles() * 4; ++i) {
      Value d = along(i), inside = less(code, d, index(code, tiling.depth));
      auto read = [&](const Operand &of, Value column, Value there, Value otherwise) {
        return branch(
            code, both(inside, there), f32(),
            [&] {
              View view = placeOf(of, d, column);
              return Values{memref::LoadOp::create(code, view.array, ValueRange{view.start}).getResult()};
            },
            [&] { return Values{otherwise}; })[0];
      };
      Value number = read(state, row(i), less(code, row(i), features), splat(code, f32(), 0));
      if (scan.isNormalised())
        number = read(norm, none, equal(code, row(i), features), number);
      carried.push_back(number);
    }

    auto stage = [&](Value from, Value to) {
      queryRows.copy(*thread, from, count, tiling.steps, to);
      keyRows.copy(*thread, from, count, tiling.steps, to);
      if (gateRows)
        gateRows->copy(*thread, from, count, tiling.steps, to);
      valueRows.copy(*thread, from, count, tiling.steps, to, valueColumns);
    };
    branch(code, less(code, none, count), [&] { stage(none, none); }, [] {});
    carried.push_back(none);
    carried = loop(code, none, count, tiling.steps, carried, [&](Value from, ValueRange before) {
      at = before.back();
      Value next = subtract(code, index(code, tiling.steps), at), later = plus(from, tiling.steps);
      waitForCopies(code);
      barrier(code);
      branch(code, less(code, later, count), [&] { stage(later, next); }, [] {});
      Value length = smaller(code, subtract(code, count, from), index(code, tiling.steps));
      prepare(first, length);
      Values after = chunks(from, length, before.drop_back());
      after.push_back(next);
      return after;
    });
    carried.pop_back();
    waitForCopies(code);
    barrier(code);
    for (int64_t i = 0; i < depthTiles() * 4; ++i)
      branch(
          code, less(code, along(i), index(code, tiling.depth)),
          [&] {
            ofColumn(
                row(i), [&] { put(carried[i], placeOf(last, along(i), row(i))); },
                [&] { put(carried[i], placeOf(lastNorm, along(i), none)); });
          },
          [] {});
  }

  /// Runs a body where a column is one of features, another where it is the normaliser's.
  void ofColumn(Value column, llvm::function_ref<void()> feature, llvm::function_ref<void()> normaliser) {
    branch(code, less(code, column, features), feature, [&] {
      if (scan.isNormalised())
        branch(code, equal(code, column, features), normaliser, [] {});
    });
  }

  /// Gates that were given by their logarithms, and the values of a normaliser.
  void prepare(Value first, Value length) {
    if (scan.getLogarithms())
      loop(code, thread->id, index(code, tiling.steps * tiling.gates), tiling.threads(), [&](Value number) {
        Value t = add(code, at, code.createOrFold<arith::DivUIOp>(number, index(code, tiling.gates)));
        Value d = code.createOrFold<arith::RemUIOp>(number, index(code, tiling.gates));
        setElement(mlir::math::ExpOp::create(code, element(gates, t, d)), gates, t, d);
      });
    if (scan.isNormalised()) {
      Value column = subtract(code, features, first);
      branch(
          code, both(notBelow(column, index(code, 0)), less(code, column, index(code, ChunkTiling::columns))),
          [&] {
            loop(code, thread->id, length, tiling.threads(),
                 [&](Value t) { setElement(splat(code, f32(), 1), values, add(code, at, t), column); });
          },
          [] {});
    }
    if (scan.getLogarithms() || scan.isNormalised())
      barrier(code);
  }

  /// The chunks of a tile: one, but where gates leave their range.
  Values chunks(Value from, Value length, ValueRange state) {
    Value none = index(code, 0), one = index(code, 1);
    if (!gated())
      return chunk(from, none, length, state);
    Value end = endOf(none, length);
    Values carried(state);
    carried.append({none, end});
    // How many there are is only known at their end.
    Value most = choose(code, equal(code, end, length), one, length);
    carried = loop(code, none, most, 1, carried, [&](Value, ValueRange now) {
      Value begin = now[now.size() - 2], end = now.back();
      llvm::SmallVector<mlir::Type> types(now.getTypes());
      return branch(
          code, less(code, begin, length), types,
          [&] {
            Values after = chunk(from, begin, end, now.drop_back(2));
            after.append({end, endOf(end, length)});
            return after;
          },
          [&] { return Values(now); });
    });
    carried.truncate(carried.size() - 2);
    return carried;
  }

  /// Where the chunk ends that begins with a step.
  Value endOf(Value begin, Value length) {
    Value unit = splat(code, f32(), 1), yes = splat(code, code.getI1Type(), 1);
    Value end =
        loop(code, thread->id, index(code, tiling.gates), tiling.threads(), length, [&](Value d, ValueRange so) {
          Values found = loop(code, plus(begin, 1), length, 1, ValueRange{unit, yes, plus(begin, 1)},
                              [&](Value t, ValueRange now) {
                                Value decay = times(now[0], element(gates, add(code, at, t), d));
                                Value fits = both(now[1], inReach(code, decay));
                                return Values{decay, fits, choose(code, fits, plus(t, 1), now[2])};
                              });
          return Values{smaller(code, so[0], found[2])};
        })[0];
    // The least of all threads. Threads exchange floats.
    Value word = arith::IndexCastOp::create(code, code.getI32Type(), end);
    Value least = arith::SIToFPOp::create(code, f32(), word);
    for (int64_t mask = 1; mask < warpSize; mask *= 2)
      least = arith::MinimumFOp::create(code, least, exchanged(code, least, mask));
    setElement(least, ends, index(code, 0), thread->warp);
    barrier(code);
    for (int64_t warp = 0; warp < ChunkTiling::warps; ++warp)
      least = arith::MinimumFOp::create(code, least, element(ends, index(code, 0), index(code, warp)));
    barrier(code);
    return arith::IndexCastOp::create(code, code.getIndexType(),
                                      arith::FPToSIOp::create(code, code.getI32Type(), least));
  }

  /// The state times a number for each place along the depth that lies in a row.
  void scale(Values &state, Value matrix, Value row) {
    for (auto [i, number] : llvm::enumerate(state)) {
      Value d = tiling.gates > 1 ? smaller(code, along(int64_t(i)), index(code, tiling.gates - 1)) : index(code, 0);
      number = times(number, element(matrix, row, d));
    }
  }

  /// The state after steps `begin`, …, before `end` of the tile, whose results are written.
  Values chunk(Value from, Value begin, Value end, ValueRange before) {
    Values state(before), firstReads;
    if (gated()) {
      if (scan.getBefore())
        firstReads = readFirst(begin, state);
      scale(state, gates, add(code, at, begin));
      barrier(code); // queries and keys were read as they are
      decay(begin, end);
      barrier(code);
    }
    weigh(begin, end);
    barrier(code);
    read(from, begin, end, state, firstReads);
    advance(begin, end, state);
    if (gated()) {
      scale(state, lasts, index(code, 0));
      barrier(code);
    }
    return state;
  }

  /// What the first step of a chunk reads before it changes the state: for each row that the thread has.
  Values readFirst(Value begin, llvm::ArrayRef<Value> state) {
    Values sums(2, splat(code, f32(), 0));
    for (auto [i, number] : llvm::enumerate(state)) {
      Value query = element(queries, add(code, at, begin), along(int64_t(i)));
      Value &sum = sums[i / 2 % 2];
      sum = mlir::math::FmaOp::create(code, query, number, sum);
    }
    for (Value &sum : sums)
      for (int64_t mask : {1, 2})
        sum = arith::AddFOp::create(code, sum, exchanged(code, sum, mask));
    return sums;
  }

  /// Queries times C, that of the step before where reads are `before`; keys over C; the last C.
  void decay(Value begin, Value end) {
    loop(code, thread->id, index(code, tiling.depth), tiling.threads(), [&](Value d) {
      Value column = tiling.gates > 1 ? d : index(code, 0), unit = splat(code, f32(), 1);
      Value last = loop(code, begin, end, 1, unit, [&](Value t, ValueRange before) {
        Value step = add(code, at, t), next = times(before[0], element(gates, step, column));
        next = choose(code, equal(code, t, begin), unit, next);
        setElement(times(element(queries, step, d), scan.getBefore() ? before[0] : next), queries, step, d);
        setElement(arith::DivFOp::create(code, element(keys, step, d), next), keys, step, d);
        return Values{next};
      })[0];
      Value none = index(code, 0);
      if (tiling.gates > 1)
        setElement(last, lasts, none, d);
      else
        branch(code, equal(code, d, none), [&] { setElement(last, lasts, none, none); }, [] {});
    });
  }

  /// P: each warp has 16 queries, and all keys or a part of them.
  void weigh(Value begin, Value end) {
    int64_t parts = tiling.steps / 16, groups = std::min(ChunkTiling::warps / parts, parts);
    int64_t width = tiling.steps / groups;
    auto rest = [&](Value value, int64_t by) { return code.createOrFold<arith::RemUIOp>(value, index(code, by)); };
    Value part = rest(thread->warp, parts), group = code.createOrFold<arith::DivUIOp>(thread->warp, index(code, parts));
    Value i0 = multiply(code, part, index(code, 16)), j0 = multiply(code, rest(group, groups), index(code, width));
    Values sums(width / 2, splat(code, f32(), 0));
    for (int64_t k = 0; k < tiling.usedDepth(); k += unit->depth()) {
      Value a = unit->left(queries, add(code, at, i0), index(code, k));
      for (int64_t n = 0; n < width / 8; n += 2)
        unit->multiplyAdd(a, unit->right(keys, add(code, at, plus(j0, 8 * n)), index(code, k)),
                          llvm::MutableArrayRef(sums).slice(n * 4, 8));
    }
    auto keep = [&] {
      for (auto [i, sum] : llvm::enumerate(sums)) {
        Value query = plus(add(code, i0, thread->group), int64_t(i) / 2 % 2 * 8);
        Value key = add(code, j0, along(int64_t(i)));
        Value seen = notBelow(query, scan.getBefore() ? plus(key, 1) : key);
        if (gated())
          seen = both(seen, both(notBelow(key, begin), less(code, query, end)));
        setElement(choose(code, seen, sum, splat(code, f32(), 0)), weights, query, key);
      }
    };
    if (parts * groups == ChunkTiling::warps)
      keep();
    else // the others have computed the same
      branch(code, less(code, thread->warp, index(code, parts * groups)), keep, [] {});
  }

  /// The values of the warp's rows, of steps from `j` on, without those outside of the chunk.
  Value valuesOf(int64_t j, Value begin, Value end) {
    Value a = unit->leftTurned(values, plus(at, j), warpRow);
    if (!gated())
      return a;
    return unit->kept(a, index(code, j), [&](Value t) { return both(notBelow(t, begin), less(code, t, end)); });
  }

  /// Yᵀ
  void read(Value from, Value begin, Value end, llvm::ArrayRef<Value> state, llvm::ArrayRef<Value> firstReads) {
    Values sums(tiling.steps / 2, splat(code, f32(), 0));
    auto tile = [&](int64_t n) { return llvm::MutableArrayRef(sums).slice(n * 4, 8); };
    for (int64_t k = 0; k < tiling.usedDepth(); k += unit->depth()) {
      Value a = unit->left(state.slice(k / 2, unit->resultsOfFactor()));
      for (int64_t n = 0; n < tiling.steps / 8; n += 2)
        unit->multiplyAdd(a, unit->right(queries, plus(at, 8 * n), index(code, k)), tile(n));
    }
    for (int64_t j = 0; j < tiling.steps; j += unit->depth()) {
      Value a = valuesOf(j, begin, end);
      for (int64_t n = 0; n < tiling.steps / 8; n += 2)
        if (8 * n + 16 > j) // later steps see earlier ones
          unit->multiplyAdd(a, unit->right(weights, index(code, 8 * n), index(code, j)), tile(n));
    }
    for (auto [number, sum] : llvm::enumerate(sums)) {
      auto i = int64_t(number);
      Value step = along(i);
      if (!firstReads.empty())
        sum = choose(code, equal(code, step, begin), firstReads[i / 2 % 2], sum);
      branch(
          code, both(notBelow(step, begin), less(code, step, end)), [&] { write(sum, add(code, from, step), row(i)); },
          [] {});
    }
  }

  /// Sᵀ + Vᵀ K
  void advance(Value begin, Value end, Values &state) {
    for (int64_t j = 0; j < tiling.steps; j += unit->depth()) {
      Value a = valuesOf(j, begin, end);
      for (int64_t n = 0; n < depthTiles(); n += 2)
        unit->multiplyAdd(a, unit->rightTurned(keys, plus(at, j), index(code, 8 * n)),
                          llvm::MutableArrayRef(state).slice(n * 4, 8));
    }
  }

  Code &code;
  ChunksOp scan;
  ChunkTiling tiling;
  StreamLoops loops;
  Value count, features;
  std::optional<Thread> thread;
  std::optional<MatrixUnit> unit;
  Value warpRow, firstRow; // of the warp in the block, of the thread among all
  Value queries, keys, values, weights, gates, lasts, ends;
  Value at; // the first row of the tile in shared memory
  std::function<void(Value number, Value step, Value column)> write;
};

} // namespace

std::optional<ChunkTiling> chunkTilingOf(ChunksOp scan) {
  ChunkTiling tiling;
  tiling.depth = scan.extentOf(scan.depthLoop());
  bool narrow = llvm::all_of(llvm::seq(3u), [&](unsigned operand) { return isNarrow(scan, operand); });
  tiling.precision = precisionOf(scan, narrow);
  if (mlir::ShapedType::isDynamic(tiling.depth) || tiling.depth == 0 || tiling.precision == Precision::F32)
    return std::nullopt;
  if (scan.isGated())
    tiling.gates = scan.mapOf(3).isFunctionOfDim(scan.depthLoop()) ? tiling.depth : 1;
  int64_t most = scan.isGated() ? mostKeptGated : mostKept;
  for (int64_t steps : {64, 32, 16}) {
    tiling.steps = steps;
    if (tiling.usedDepth() / 2 + steps <= most && tiling.bytes() <= mostShared)
      return tiling;
  }
  return std::nullopt;
}

void emitChunks(Code &code, ChunksOp scan, const ChunkTiling &tiling) { ChunkEmitter(code, scan, tiling).run(); }

} // namespace attnc
