#include "attnc/gpu/BlockScans.h"

#include "attnc/gpu/BlockChunks.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Staging.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <fmt/format.h>

// An affine scan as a grid of blocks, each of which has 32 columns of the state of one index of the batch, in
// registers:
//
//     S ← S before the first step
//     for each chunk of steps:
//       queries, keys, values, gates to shared memory, those of the next chunk while this one is computed
//       for each step:
//         S ← gate ∘ S + k ⊗ v,  y = q · S          or y first, where it reads S `before`
//     S to where the last state is wanted
//
// Four threads have a column, each every fourth group of four rows of it. A normaliser is one more column, whose values
// are 1. Steps come in order. It is the road of scans in true f32: chunks would cost more multiplications, and there is
// no matrix unit for them.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using dialect::ChunksOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

constexpr int64_t warps = 4, columns = 8 * warps, threads = warpSize * warps, group = 4, stride = 4 * group;
/// The longest column: a thread has a quarter of it in registers.
constexpr int64_t mostDepth = 512;
/// Shared memory of a block; two fit on a multiprocessor of every device from sm_80 on.
constexpr int64_t mostShared = 48 * 1024;

class ScanEmitter {
public:
  ScanEmitter(Code &code, ChunksOp scan)
      : code(code), scan(scan), loops(code, scan), depth(scan.extentOf(scan.depthLoop())), gated(scan.isGated()) {
    room = (depth + stride - 1) / stride * stride;
    for (steps = 32; steps > 4 && bytes() > mostShared;)
      steps /= 2;
  }

  void run() {
    count = loops.extent(scan.stepLoop());
    features = loops.extent(scan.featureLoop());
    Value none = index(code, 0), one = index(code, 1);
    Value all = scan.isNormalised() ? add(code, features, one) : features;
    auto grid = scf::ParallelOp::create(code, ValueRange{none, none},
                                        ValueRange{loops.count(loops.batch()), ceilDiv(code, all, columns)},
                                        ValueRange{one, one});
    grid->setAttr(blockAttribute, code.getI64IntegerAttr(threads));
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(grid.getBody());
    block(loops.indices(loops.batch(), grid.getInductionVars()[0]),
          multiply(code, grid.getInductionVars()[1], index(code, columns)));
  }

private:
  /// Rows of what is along the depth have 4 floats more, so that they do not collide.
  int64_t pitch() const { return room + 4; }
  int64_t gatePitch() const { return gated ? pitch() : 0; }
  int64_t bytes() const { return 2 * steps * (2 * pitch() + gatePitch() + columns + 4) * 4; }

  mlir::Type f32() { return code.getF32Type(); }
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }
  Value fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(code, a, b, c); }

  /// Two chunks of rows that are staged.
  struct Rows {
    Value shared;
    std::optional<Staging> staging;
  };

  void block(llvm::ArrayRef<Value> batch, Value first) {
    Thread thread(code);
    Value none = index(code, 0), memory = sharedMemory(code, bytes());
    column = add(code, first, add(code, multiply(code, thread.warp, index(code, 8)), thread.group));
    isFeature = less(code, column, features);
    quarter = multiply(code, thread.pair, index(code, group));
    unsigned step = scan.stepLoop(), depthLoop = scan.depthLoop(), feature = scan.featureLoop(), operand = 0;
    int64_t at = 0;
    auto rows = [&](Rows &made, unsigned columnLoop, Value from, int64_t length, int64_t width, int64_t pitch) {
      made.shared = sharedMatrix(code, memory, at, 2 * steps, pitch, f32());
      at += 2 * steps * pitch * 4;
      Operand given = loops.operand(operand++, step, columnLoop);
      made.staging.emplace(code, given.at(code, batch, none, from), length, width, made.shared, threads);
    };
    rows(queries, depthLoop, none, depth, room, pitch());
    rows(keys, depthLoop, none, depth, room, pitch());
    // Columns past the last feature are those of the next row, or of nothing; no one looks at their results.
    valueColumns = smaller(code, subtract(code, features, first), index(code, columns));
    rows(values, feature, first, columns, columns, columns + 4);
    if (scan.isGated())
      rows(gates, depthLoop, none, depth, room, pitch());
    Operand state = loops.operand(operand++, depthLoop, feature), norm, lastNorm, normOutput;
    if (scan.isNormalised())
      norm = loops.operand(operand++, depthLoop, std::nullopt);
    Operand output = loops.operand(operand++, step, feature), last = loops.operand(operand++, depthLoop, feature);
    if (scan.isNormalised()) {
      normOutput = loops.operand(operand++, step, std::nullopt);
      lastNorm = loops.operand(operand++, depthLoop, std::nullopt);
    }

    Values carried = readState(state, norm, batch);
    auto stage = [&](Value from, Value to) {
      for (Rows *one : {&queries, &keys, &gates})
        if (one->staging)
          one->staging->copy(thread, from, count, steps, to);
      values.staging->copy(thread, from, count, steps, to, valueColumns);
    };
    branch(code, less(code, none, count), [&] { stage(none, none); }, [] {});
    carried.push_back(none);
    carried = loop(code, none, count, steps, carried, [&](Value from, ValueRange before) {
      Value at = before.back(), next = subtract(code, index(code, steps), at), later = plus(from, steps);
      waitForCopies(code);
      barrier(code);
      branch(code, less(code, later, count), [&] { stage(later, next); }, [] {});
      if (scan.getLogarithms()) {
        exponentiate(thread, at);
        barrier(code);
      }
      Value length = smaller(code, subtract(code, count, from), index(code, steps));
      Values after = loop(code, none, length, 1, Values(before.drop_back()), [&](Value t, ValueRange state) {
        auto [next, sum] = stepOf(add(code, at, t), state);
        write(output, normOutput, batch, thread, add(code, from, t), sum);
        return next;
      });
      after.push_back(next);
      return after;
    });
    carried.pop_back();
    waitForCopies(code);
    barrier(code);
    eachRow([&](int64_t i, Value d) {
      auto put = [&](const Operand &to, Value column) {
        View view = to.at(code, batch, d, column);
        memref::StoreOp::create(code, carried[i], view.array, ValueRange{view.start});
      };
      ofColumn([&] { put(last, column); }, [&] { put(lastNorm, index(code, 0)); });
    });
  }

  /// Runs a body where the thread's column is one of features, another where it is the normaliser's.
  void ofColumn(llvm::function_ref<void()> feature, llvm::function_ref<void()> normaliser) {
    branch(code, isFeature, feature, [&] {
      if (!scan.isNormalised())
        return;
      Value is = arith::CmpIOp::create(code, arith::CmpIPredicate::eq, column, features);
      branch(code, is, normaliser, [] {});
    });
  }

  /// The rows of the column that the thread has.
  void eachRow(llvm::function_ref<void(int64_t i, Value d)> body) {
    for (int64_t i = 0; i < room / 4; ++i) {
      Value d = plus(quarter, i / group * stride + i % group);
      if (i / group * stride + stride <= depth)
        body(i, d);
      else
        branch(code, less(code, d, index(code, depth)), [&] { body(i, d); }, [] {});
    }
  }

  Values readState(const Operand &state, const Operand &norm, llvm::ArrayRef<Value> batch) {
    Values read;
    Value none = index(code, 0), isNorm;
    if (scan.isNormalised())
      isNorm = arith::CmpIOp::create(code, arith::CmpIPredicate::eq, column, features);
    for (int64_t i = 0; i < room / 4; ++i) {
      Value d = plus(quarter, i / group * stride + i % group);
      Value inside = less(code, d, index(code, depth));
      auto element = [&](const Operand &of, Value column, Value there) {
        View view = of.at(code, batch, d, column);
        auto made = scf::IfOp::create(
            code, arith::AndIOp::create(code, inside, there),
            [&](mlir::OpBuilder &builder, mlir::Location at) {
              scf::YieldOp::create(builder, at,
                                   memref::LoadOp::create(builder, at, view.array, ValueRange{view.start}).getResult());
            },
            [&](mlir::OpBuilder &builder, mlir::Location at) {
              Code otherwise(at, builder);
              scf::YieldOp::create(otherwise, splat(otherwise, f32(), 0));
            });
        return made.getResult(0);
      };
      Value value = element(state, column, isFeature);
      if (isNorm)
        value = arith::SelectOp::create(code, isNorm, element(norm, none, isNorm), value);
      read.push_back(value);
    }
    return read;
  }

  /// Gates were given by their logarithms.
  void exponentiate(const Thread &thread, Value at) {
    loop(code, thread.id, index(code, steps * room), threads, [&](Value number) {
      Value row = add(code, at, code.createOrFold<arith::DivUIOp>(number, index(code, room)));
      Value place = code.createOrFold<arith::RemUIOp>(number, index(code, room));
      Value logarithm = memref::LoadOp::create(code, gates.shared, ValueRange{row, place});
      memref::StoreOp::create(code, mlir::math::ExpOp::create(code, logarithm), gates.shared, ValueRange{row, place});
    });
  }

  /// The state after a step, and the thread's share of what is read.
  std::pair<Values, Value> stepOf(Value row, ValueRange state) {
    auto wide = mlir::VectorType::get({group}, f32());
    auto load = [&](const Rows &rows, int64_t i) -> Value {
      return vector::LoadOp::create(code, wide, rows.shared, ValueRange{row, plus(quarter, i / group * stride)},
                                    /*nontemporal=*/false, llvm::MaybeAlign(16));
    };
    auto part = [&](Value four, int64_t i) -> Value { return vector::ExtractOp::create(code, four, i % group); };
    Value local = code.createOrFold<arith::RemUIOp>(column, index(code, columns));
    Value value = memref::LoadOp::create(code, values.shared, ValueRange{row, local});
    if (scan.isNormalised())
      value = arith::SelectOp::create(code, isFeature, value, splat(code, f32(), 1));
    Value sum = splat(code, f32(), 0), query, key, gate;
    Values next;
    for (int64_t i = 0; i < room / 4; ++i) {
      if (i % group == 0) {
        query = load(queries, i);
        key = load(keys, i);
        gate = scan.isGated() ? load(gates, i) : Value();
      }
      Value kept = gate ? arith::MulFOp::create(code, part(gate, i), state[i]).getResult() : state[i];
      next.push_back(fma(part(key, i), value, kept));
      sum = fma(part(query, i), scan.getBefore() ? state[i] : next.back(), sum);
    }
    for (int64_t mask : {1, 2})
      sum = arith::AddFOp::create(code, sum, exchanged(code, sum, mask));
    return {next, sum};
  }

  /// What is read in a step, which all four threads have.
  void write(const Operand &output, const Operand &normOutput, llvm::ArrayRef<Value> batch, const Thread &thread,
             Value step, Value sum) {
    Value isFirst = arith::CmpIOp::create(code, arith::CmpIPredicate::eq, thread.pair, index(code, 0));
    auto put = [&](const Operand &to, Value column) {
      View view = to.at(code, batch, step, column);
      memref::StoreOp::create(code, sum, view.array, ValueRange{view.start});
    };
    branch(
        code, isFirst, [&] { ofColumn([&] { put(output, column); }, [&] { put(normOutput, index(code, 0)); }); },
        [] {});
  }

  Code &code;
  ChunksOp scan;
  StreamLoops loops;
  int64_t depth, room, steps;
  bool gated;
  Value count, features, column, isFeature, quarter, valueColumns;
  Rows queries, keys, values, gates;
};

} // namespace

std::string refusalOfScan(ChunksOp scan) {
  int64_t depth = scan.extentOf(scan.depthLoop());
  if (mlir::ShapedType::isDynamic(depth))
    return "the length of its keys is not compiled in";
  if (depth > mostDepth)
    return fmt::format("a column of {} does not fit in the registers of four threads", depth);
  return {};
}

void emitScan(Code &code, ChunksOp scan) {
  if (auto tiling = chunkTilingOf(scan))
    return emitChunks(code, scan, *tiling);
  ScanEmitter(code, scan).run();
}

} // namespace attnc
