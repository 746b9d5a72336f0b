#include "attnc/stream/Chunk.h"
#include "attnc/stream/ChunkCost.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
using mlir::Value;
using mlir::ValueRange;

static int64_t known(Value extent) { return mlir::getConstantIntValue(extent).value_or(mlir::ShapedType::kDynamic); }

Chunk::Chunk(Code &code, dialect::ChunksOp op, const Machine &machine, std::string name)
    : code(code), op(op), lanes(machine.lanes()), vectors(machine.vectors()), rows(machine.rows()), loops(code, op),
      sharing(code, loops.work(), std::move(name)), turning(machine), blocks{code, nullptr, lanes, rows} {}

void Chunk::emit() {
  findOperands();
  layOut();
  Value streams = loops.count(loops.batch());
  // Where there are fewer streams than threads, the features of one are shared out; each part weighs the keys anew.
  Value groups = Groups{code, ceilDiv(code, features, lanes), vectors}.number();
  Value threads = sharing.slots();
  parts = smaller(code, code.createOrFold<arith::CeilDivSIOp>(threads, larger(streams)), larger(groups));
  auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
  scratch = memref::AllocOp::create(code, type, ValueRange{multiply(code, slot, threads)}, code.getI64IntegerAttr(64));
  blocks.array = scratch;
  sharing.forEach("chunks", multiply(code, streams, parts), [&](Value task) { runTask(task); });
  memref::DeallocOp::create(code, scratch);
}

void Chunk::findOperands() {
  unsigned step = op.stepLoop(), depthLoop = op.depthLoop(), feature = op.featureLoop(), next = 0;
  query = loops.operand(next++, step, depthLoop);
  key = loops.operand(next++, step, depthLoop);
  value = loops.operand(next++, step, feature);
  if (op.isGated())
    gate = loops.operand(next++, step, depthLoop);
  diagonal = gate.hasColumns;
  state = loops.operand(next++, depthLoop, feature);
  if (op.isNormalised())
    norm = loops.operand(next++, step, depthLoop);
  output = loops.operand(next++, step, feature);
  lastState = loops.operand(next++, depthLoop, feature);
  if (op.isNormalised()) {
    normOutput = loops.operand(next++, step, feature);
    lastNorm = loops.operand(next++, step, depthLoop);
  }
  count = loops.extent(step);
  depth = loops.extent(depthLoop);
  features = loops.extent(feature);
  size = stepsInChunk({known(count), known(depth), known(features)});
}

/// Rows of whole vectors, an odd number of them, so that they do not collide in the first cache.
Value Chunk::pitchOf(Value columns) {
  int64_t unit = std::max(lanes, rows);
  Value number = ceilDiv(code, columns, unit);
  return multiply(code, code.createOrFold<arith::OrIOp>(number, index(code, 1)), index(code, unit));
}

void Chunk::layOut() {
  Value total = index(code, 0), steps = index(code, size), one = index(code, 1);
  auto area = [&](Value rowCount, Value pitch) {
    Area result{total, pitch};
    total = add(code, total, multiply(code, rowCount, pitch));
    return result;
  };
  Value depthPitch = pitchOf(depth), featurePitch = pitchOf(features), stepPitch = pitchOf(steps);
  states = area(multiply(code, ceilDiv(code, depth, rows), index(code, rows)), featurePitch);
  keys = area(steps, depthPitch);
  values = area(steps, featurePitch);
  outputs = area(index(code, rows), featurePitch);
  firstOutput = area(one, featurePitch);
  queries = area(multiply(code, ceilDiv(code, depth, lanes), index(code, lanes)), stepPitch);
  weights = area(steps, stepPitch);
  norms = area(one, depthPitch);
  normReads = area(one, stepPitch);
  first = area(one, depthPitch);
  decays = diagonal ? area(steps, depthPitch) : area(one, stepPitch);
  inverses = area(one, stepPitch);
  if (diagonal)
    scaledQueries = area(steps, depthPitch);
  slot = total;
}

Value Chunk::place(const Area &area, Value row, Value column) {
  return add(code, base, add(code, area.at, add(code, multiply(code, row, area.pitch), column)));
}
Value Chunk::scalar(Value at) { return memref::LoadOp::create(code, scratch, ValueRange{at}); }
void Chunk::setScalar(Value number, Value at) { memref::StoreOp::create(code, number, scratch, ValueRange{at}); }

/// At least 1.
Value Chunk::larger(Value number) { return greater(code, number, index(code, 1)); }

void Chunk::runTask(Value task) {
  Value none = index(code, 0);
  part = code.createOrFold<arith::RemUIOp>(task, parts);
  batch = loops.indices(loops.batch(), code.createOrFold<arith::DivUIOp>(task, parts));
  base = multiply(code, slot, sharing.slot());
  View from = of(state), to = of(lastState);
  forFeatures([&](unsigned, Value column, Value width) {
    loop(code, none, depth, 1, [&](Value d) {
      blocks.forRow(from, d, column, width, 0, place(states, d),
                    [&](Value column, Lanes s) { blocks.store(s, place(states, d, column)); });
    });
  });
  if (op.isNormalised())
    blocks.forRow(of(norm), none, none, depth, 0, place(norms, none),
                  [&](Value column, Lanes z) { blocks.store(z, place(norms, none, column)); });
  loopWhile(
      code, {none}, [&](ValueRange at) { return less(code, at[0], count); },
      [&](ValueRange at) { return Values{add(code, at[0], run(at[0]))}; });
  forFeatures([&](unsigned, Value column, Value width) {
    loop(code, none, depth, 1, [&](Value d) { blocks.writeRow(to, d, column, width, place(states, d)); });
  });
  if (op.isNormalised())
    once([&] { blocks.writeRow(of(lastNorm), none, none, depth, place(norms, none)); });
}

void Chunk::forFeatures(llvm::function_ref<void(unsigned, Value, Value)> body) {
  Groups{code, ceilDiv(code, features, lanes), vectors}.forEach(part, parts, [&](unsigned wide, Value first) {
    Value column = multiply(code, first, index(code, lanes)), width = index(code, wide * lanes);
    bool whole = known(features) >= 0 && known(features) % lanes == 0;
    body(wide, column, whole ? width : smaller(code, width, subtract(code, features, column)));
  });
}

void Chunk::once(llvm::function_ref<void()> body) {
  if (mlir::isConstantIntValue(parts, 1))
    return body();
  auto only = scf::IfOp::create(code, less(code, part, index(code, 1)));
  mlir::OpBuilder::InsertionGuard guard(code);
  code.setInsertionPointToStart(only.thenBlock());
  body();
}

} // namespace attnc
