#include "attnc/stream/TopK.h"

#include "attnc/stream/BestLists.h"
#include "attnc/stream/QueryRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

// A query at a time:
//
//     for each query, and each part of its keys:
//       for each tile of keys:
//         s [key]                       as by rows
//         those that enter the list     a vector of keys at a time
//     for each query: the lists of its parts merged, and read off
//
// Keys that a mask hides have the score −∞, and come in where there are not enough others.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
using dialect::StreamOp;
using mlir::ValueRange;

class TopKEmitter : QueryRows {
public:
  TopKEmitter(Code &code, StreamOp stream, const Machine &machine, std::string name)
      : QueryRows(code, stream, machine, std::move(name)), count(loops.extent(stream.featureLoop())),
        best(code, machine, count) {}

  void run() {
    findOperands();
    StreamOperands operands(loops, stream);
    values = operands.output();
    indices = operands.keysOfRanks();
    layOut();
    sharing.forEach("best", multiply(code, tasks, parts.count), [&](Value task) { runTask(task); });
    if (parts.canBeMany())
      sharing.forEach("merge", choose(code, parts.isMany(code), tasks, index(code, 0)), [&](Value task) {
        Value list = partialList(task, index(code, 0));
        loop(code, index(code, 1), parts.count, 1, [&](Value part) { best.merge(list, partialList(task, part)); });
        finish(task, list);
      });
    memref::DeallocOp::create(code, scratch);
    memref::DeallocOp::create(code, lists);
  }

private:
  /// For each thread a query, scores, those of hidden keys, and a list; before them the lists of parts.
  void layOut() {
    Value room = index(code, 0);
    auto reserve = [&](Value floats) { return std::exchange(room, add(code, room, floats)); };
    queryPanel = reserve(multiply(code, ceilDiv(code, depth, lanes), index(code, lanes)));
    scores = reserve(index(code, keyTile));
    hidden = reserve(index(code, keyTile));
    slotRoom = room;
    auto alloc = [&](mlir::Type type, Value count) -> Value {
      auto array = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, type);
      return memref::AllocOp::create(code, array, ValueRange{count}, code.getI64IntegerAttr(64));
    };
    scratch = alloc(code.getF32Type(), multiply(code, slotRoom, sharing.slots()));
    slotLists = choose(code, parts.isMany(code), multiply(code, tasks, parts.count), index(code, 0));
    lists = alloc(code.getI64Type(), multiply(code, best.size(), add(code, slotLists, sharing.slots())));
    best.useArray(lists);
    guardPlaces(key);
  }
  Value partialList(Value task, Value part) {
    return multiply(code, best.size(), add(code, multiply(code, task, parts.count), part));
  }

  void runTask(Value task) {
    Value part = code.createOrFold<arith::RemUIOp>(task, parts.count);
    Value number = code.createOrFold<arith::DivUIOp>(task, parts.count);
    Value slot = sharing.slot(), own = multiply(code, best.size(), add(code, slotLists, slot));
    Value list = choose(code, parts.isMany(code), partialList(number, part), own);
    fold(number, part, multiply(code, slotRoom, slot), list);
    if (!parts.canBeMany())
      finish(number, list);
    else if (!parts.isKnown())
      branch(code, parts.isMany(code), [] {}, [&] { finish(number, list); });
  }

  void fold(Value task, Value part, Value base, Value list) {
    auto [batch, row] = queryOf(task);
    Value panel = add(code, base, queryPanel), scores = add(code, base, this->scores);
    if (stream.isContracted())
      copyQuery(batch, row, panel);
    best.clear(list);
    Value begin = multiply(code, part, parts.length), end = smaller(code, keys, add(code, begin, parts.length));
    KeyRange range = solveKeyRange(code, stream, batch, row, row, keys);
    Value from = smaller(code, greater(code, range.from, begin), end),
          to = smaller(code, greater(code, range.to, from), end);
    Region region(code, stream, lanes, 1, batch, row, to, Region::Along::Keys);
    Value last = subtract(code, to, index(code, 1));
    Value waiting = absorbHidden(list, base, begin, from, index(code, 0));
    waiting = loop(code, from, to, keyTile, {waiting}, [&](Value from, ValueRange carried) -> Values {
      Value count = smaller(code, subtract(code, to, from), index(code, keyTile));
      loop(code, index(code, 0), count, lanes, [&](Value at) {
        Value key = add(code, from, at), product;
        if (stream.isContracted())
          product = products(rowStarts(this->key, region, batch, key, last), panel);
        storeLanes(region.score(0, key, product, range.inner).value, add(code, scores, at));
      });
      return {best.absorb(list, scratch, scores, count, from, carried[0])};
    })[0];
    best.settle(list, absorbHidden(list, base, to, end, waiting));
  }

  /// No more of them can enter than are asked for.
  Value absorbHidden(Value list, Value base, Value from, Value to, Value waiting) {
    to = smaller(code, to, add(code, from, count));
    return branch(
        code, less(code, from, to), waiting.getType(),
        [&]() -> Values {
          Value scores = add(code, base, hidden),
                lowest = splat(code, vectorType(), -std::numeric_limits<double>::infinity());
          loop(code, index(code, 0), index(code, keyTile), lanes,
               [&](Value at) { storeLanes(lowest, add(code, scores, at)); });
          return loop(code, from, to, keyTile, waiting, [&](Value from, ValueRange carried) -> Values {
            Value count = smaller(code, subtract(code, to, from), index(code, keyTile));
            return {best.absorb(list, scratch, scores, count, from, carried[0])};
          });
        },
        [&]() -> Values { return {waiting}; })[0];
  }

  void finish(Value task, Value list) {
    auto [batch, row] = queryOf(task);
    View scores = values.at(code, batch, row), keys = indices.at(code, batch, row);
    loop(code, index(code, 0), count, 1, [&](Value rank) {
      auto [score, key] = best.entry(list, rank);
      auto put = [&](const View &to, Value element) {
        Value place = add(code, to.start, multiply(code, rank, to.columnStride));
        memref::StoreOp::create(code, element, to.array, ValueRange{place});
      };
      put(scores, score);
      put(keys, key);
    });
  }

  Value count; // of ranks
  BestLists best;
  Operand values, indices;
  Value queryPanel, scores, hidden, slotRoom; // in scratch
  Value lists, slotLists;                     // entries; how many lists there are of parts
};

} // namespace

void emitTopK(Code &code, StreamOp stream, const Machine &machine, std::string name) {
  TopKEmitter(code, stream, machine, std::move(name)).run();
}

} // namespace attnc
