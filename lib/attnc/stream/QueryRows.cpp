#include "attnc/stream/QueryRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

QueryRows::QueryRows(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name)
    : code(code), stream(stream), loops(code, stream), sharing(code, loops.work(), std::move(name)),
      lanes(machine.lanes()) {}

void QueryRows::findOperands() {
  StreamOperands operands(loops, stream);
  if (stream.isContracted()) {
    query = operands.query();
    key = operands.key();
  }
  if (stream.isValued())
    value = operands.value();
  keys = loops.extent(stream.keyLoop());
  depth = stream.isContracted() ? loops.extent(stream.depthLoop()) : index(code, 0);
  tasks = multiply(code, loops.count(loops.batch()), loops.extent(stream.queryLoop()));
  parts = partKeys(code, keys, tasks, keyTile);
}

void QueryRows::guardPlaces(Operand &operand) {
  for (const Operand::Axis &axis : operand.placed) {
    Value none = index(code, 0), empty = equal(code, axis.extent, none);
    operand.whole.array = choose(code, empty, scratch, operand.whole.array);
    operand.whole.start = choose(code, empty, none, operand.whole.start);
  }
}

Value QueryRows::loadLanes(Value offset) {
  return vector::LoadOp::create(code, vectorType(), scratch, ValueRange{offset});
}

void QueryRows::storeLanes(Value lanes, Value offset) {
  vector::StoreOp::create(code, lanes, scratch, ValueRange{offset});
}

Value QueryRows::maskOf(Value count) { return vector::CreateMaskOp::create(code, maskType(), ValueRange{count}); }
Value QueryRows::onlyWhere(Value mask, Value lanes, double otherwise) {
  return arith::SelectOp::create(code, mask, lanes, splat(code, vectorType(), otherwise));
}

Value QueryRows::reduce(vector::CombiningKind kind, Value lanes) {
  return inLanes(vector::ReductionOp::create(code, kind, lanes));
}

void QueryRows::alongRow(Value count, llvm::function_ref<void(Value at, Value mask)> body) {
  Value whole = wholePart(count, lanes);
  loop(code, index(code, 0), whole, lanes, [&](Value at) { body(at, nullptr); });
  loop(code, whole, count, lanes, [&](Value at) { body(at, maskOf(subtract(code, count, at))); });
}

Value QueryRows::wholePart(Value count, int64_t step) {
  return multiply(code, code.createOrFold<arith::DivUIOp>(count, index(code, step)), index(code, step));
}

Value QueryRows::loadRow(Value array, Value at, Value mask) {
  if (!mask)
    return vector::LoadOp::create(code, vectorType(), array, ValueRange{at});
  return vector::MaskedLoadOp::create(code, vectorType(), array, ValueRange{at}, mask, splat(code, vectorType(), 0));
}

bool QueryRows::isRow(const View &view) { return mlir::getConstantIntValue(view.columnStride) == 1; }

void QueryRows::copyQuery(llvm::ArrayRef<Value> batch, Value row, Value panel) {
  View from = query.at(code, batch, row);
  if (isRow(from))
    return alongRow(depth, [&](Value at, Value mask) {
      storeLanes(loadRow(from.array, add(code, from.start, at), mask), add(code, panel, at));
    });
  alongRow(depth, [&](Value at, Value mask) {
    if (mask)
      storeLanes(splat(code, vectorType(), 0), add(code, panel, at));
  });
  loop(code, index(code, 0), depth, 1, [&](Value at) {
    Value place = add(code, from.start, multiply(code, at, from.columnStride));
    Value element = memref::LoadOp::create(code, from.array, ValueRange{place});
    memref::StoreOp::create(code, element, scratch, ValueRange{add(code, panel, at)});
  });
}

Value QueryRows::rowStarts(const Operand &operand, Region &region, llvm::ArrayRef<Value> batch, Value from,
                           Value last) {
  auto type = mlir::VectorType::get({lanes}, code.getIndexType());
  llvm::SmallVector<int64_t> steps(lanes);
  std::iota(steps.begin(), steps.end(), 0);
  Value row = arith::AddIOp::create(code, inLanes(from),
                                    arith::ConstantOp::create(code, mlir::DenseIntElementsAttr::get(type, steps)));
  row = arith::MinSIOp::create(code, row, inLanes(last));
  View view = operand.at(code, batch, index(code, 0));
  Value start =
      arith::AddIOp::create(code, inLanes(view.start), arith::MulIOp::create(code, row, inLanes(view.rowStride)));
  for (const Operand::Axis &axis : operand.placed) {
    Value most = subtract(code, greater(code, axis.extent, index(code, 1)), index(code, 1));
    Value place = arith::MinUIOp::create(code, inLanes(region.place(axis.place, from)), inLanes(most));
    start = arith::AddIOp::create(code, start, arith::MulIOp::create(code, place, inLanes(axis.stride)));
  }
  return start;
}

Value QueryRows::products(Value starts, Value panel) {
  Values sums(lanes, splat(code, vectorType(), 0)), at;
  for (int64_t lane = 0; lane < lanes; ++lane)
    at.push_back(vector::ExtractOp::create(code, starts, lane));
  auto accumulate = [&](Value from, Value to, bool masked) {
    sums = loop(code, from, to, lanes, sums, [&](Value d, ValueRange before) {
      Value query = loadLanes(add(code, panel, d)), mask = masked ? maskOf(subtract(code, depth, d)) : Value();
      Values next;
      for (auto [start, sum] : llvm::zip(at, before))
        next.push_back(vector::FMAOp::create(code, loadRow(key.whole.array, add(code, start, d), mask), query, sum));
      return next;
    });
  };
  Value whole = wholePart(depth, lanes);
  accumulate(index(code, 0), whole, false);
  accumulate(whole, depth, true);
  // Two vectors become one that holds half as many sums of each, until one holds them all.
  for (int64_t group = lanes; group > 1; group /= 2) {
    llvm::SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < 2 * lanes; ++i)
      (i % group < group / 2 ? low : high).push_back(i);
    Values halved;
    for (std::size_t i = 0; i < sums.size(); i += 2)
      halved.push_back((number(vector::ShuffleOp::create(code, sums[i], sums[i + 1], low)) +
                        number(vector::ShuffleOp::create(code, sums[i], sums[i + 1], high)))
                           .value);
    sums = halved;
  }
  return sums[0];
}

std::pair<QueryRows::Values, Value> QueryRows::queryOf(Value task) {
  Value queries = loops.extent(stream.queryLoop());
  return {loops.indices(loops.batch(), code.createOrFold<arith::DivUIOp>(task, queries)),
          code.createOrFold<arith::RemUIOp>(task, queries)};
}

} // namespace attnc
