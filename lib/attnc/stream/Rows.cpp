#include "attnc/stream/Rows.h"

#include "attnc/stream/Algebra.h"
#include "attnc/stream/QueryRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

// A query at a time, and its keys a vector of them at a time:
//
//     for each query, and each part of its keys:
//       for each tile of keys:
//         s [key] = K q                 `lanes` rows at once, d in the lanes, then their sums into one vector
//         scores, reference, weights    keys in the lanes
//         O [e] += Vᵀ w                 e in the lanes, accumulators in registers
//     for each query: y = the states of its parts merged and finished
//
// Rows are read where they lie, once, and nothing is packed: what a step of decoding must read is all that it reads.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::ValueRange;

/// Vectors of features that are accumulated together, for so many keys side by side: eight sums do not wait for
/// another.
constexpr int64_t together = 4, abreast = 2;

template <class Algebra> class RowEmitter : QueryRows {
public:
  using QueryRows::QueryRows;

  void run() {
    findOperands();
    findResults();
    layOut();
    sharing.forEach("rows", multiply(code, tasks, parts.count), [&](Value task) { runTask(task); });
    if (parts.canBeMany())
      sharing.forEach("merge", choose(code, parts.isMany(code), tasks, index(code, 0)), [&](Value task) {
        auto [batch, row] = queryOf(task);
        finish(batch, row, partialState(task, index(code, 0)));
      });
    memref::DeallocOp::create(code, scratch);
    if (placed)
      memref::DeallocOp::create(code, rows);
  }

private:
  void findResults() {
    StreamOperands operands(loops, stream);
    output = operands.output();
    if (stream.isMeasured())
      measures = operands.measures();
    measured = Algebra::hasMeasure || stream.isMeasured();
    features = stream.isValued() ? loops.extent(stream.featureLoop()) : index(code, 1);
    placed = !value.placed.empty();
  }

  /// For each thread a query, scores, a state and, where the values are at places, the starts of their rows.
  void layOut() {
    Value none = index(code, 0);
    Value depthRoom = multiply(code, ceilDiv(code, depth, lanes), index(code, lanes));
    featureRoom = multiply(code, ceilDiv(code, features, lanes), index(code, lanes));
    stateRoom = add(code, featureRoom, index(code, 2 * lanes));
    Value room = none;
    auto reserve = [&](Value floats) { return std::exchange(room, add(code, room, floats)); };
    slots = choose(code, parts.isMany(code), multiply(code, multiply(code, tasks, parts.count), stateRoom), none);
    queryPanel = reserve(depthRoom);
    scores = reserve(index(code, keyTile));
    state = reserve(stateRoom);
    slotRoom = room;
    auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
    auto alignment = code.getI64IntegerAttr(64);
    scratch = memref::AllocOp::create(
        code, type, ValueRange{add(code, slots, multiply(code, slotRoom, sharing.slots()))}, alignment);
    guardPlaces(key);
    guardPlaces(value);
    if (placed)
      rows = memref::AllocOp::create(code, mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getIndexType()),
                                     ValueRange{multiply(code, index(code, keyTile), sharing.slots())}, alignment);
  }

  /// The states of parts come first.
  Value partialState(Value task, Value part) {
    return multiply(code, add(code, multiply(code, task, parts.count), part), stateRoom);
  }

  void runTask(Value task) {
    Value part = code.createOrFold<arith::RemUIOp>(task, parts.count);
    Value number = code.createOrFold<arith::DivUIOp>(task, parts.count);
    auto [batch, row] = queryOf(number);
    Value slot = sharing.slot(), base = add(code, slots, multiply(code, slotRoom, slot));
    Value at = choose(code, parts.isMany(code), partialState(number, part), add(code, base, state));
    starts = multiply(code, slot, index(code, keyTile));
    fold(batch, row, part, base, at);
    if (!parts.canBeMany())
      finish(batch, row, at);
    else if (!parts.isKnown())
      branch(code, parts.isMany(code), [] {}, [&] { finish(batch, row, at); });
  }

  /// The state of a query after a part of its keys.
  void fold(llvm::ArrayRef<Value> batch, Value row, Value part, Value base, Value state) {
    Value zero = splat(code, vectorType(), 0), none = index(code, 0);
    Value panel = add(code, base, queryPanel), scores = add(code, base, this->scores);
    if (stream.isContracted())
      copyQuery(batch, row, panel);
    loop(code, none, featureRoom, lanes, [&](Value at) { storeLanes(zero, add(code, state, at)); });
    KeyRange range = solveKeyRange(code, stream, batch, row, row, keys);
    if (parts.canBeMany())
      range = parts.within(code, range, part);
    Region region(code, stream, lanes, 1, batch, row, range.to, Region::Along::Keys);
    Value last = subtract(code, range.to, index(code, 1));

    // What is carried: the reference in every lane, and sums by lanes. The first part absorbs the sink.
    Value reference = splat(code, vectorType(), -std::numeric_limits<double>::infinity()), measure = zero;
    if (auto sink = region.sink(0)) {
      Value isFirst = equal(code, part, none);
      reference = choose(code, isFirst, sink->value, reference);
      Value whole = algebra::measureOf<Algebra>(number(reference)).value;
      measure = onlyWhere(maskOf(index(code, 1)), whole, 0);
    }
    Values unit;
    if (Algebra::hasReference)
      unit.push_back(reference);
    if (measured)
      unit.push_back(measure);
    if (!stream.isValued())
      unit.push_back(zero);

    Values carried = loop(code, range.from, range.to, keyTile, unit, [&](Value from, ValueRange before) {
      Value count = smaller(code, subtract(code, range.to, from), index(code, keyTile));
      auto scoreOf = [&](Value at, Value &product) {
        Value key = add(code, from, at);
        if (stream.isContracted())
          product = products(rowStarts(this->key, region, batch, key, last), panel);
        return region.score(0, key, product, range.inner); // the range of one query is sure
      };
      Values after, sums(before.drop_front(Algebra::hasReference));
      Value rescale;
      if (Algebra::hasReference) {
        Values greatest = loop(code, none, count, lanes, before.take_front(), [&](Value at, ValueRange greatest) {
          Value product;
          Value score = onlyWhere(maskOf(subtract(code, count, at)), scoreOf(at, product).value,
                                  -std::numeric_limits<double>::infinity());
          storeLanes(score, add(code, scores, at));
          return Values{maximum(number(score), number(greatest[0])).value};
        });
        after.push_back(reduce(vector::CombiningKind::MAXNUMF, greatest[0]));
        rescale = Algebra::weight(number(before[0]), number(after[0])).value;
        for (Value &sum : sums)
          sum = (number(sum) * number(rescale)).value;
      }
      after.append(loop(code, none, count, lanes, sums, [&](Value at, ValueRange sums) {
        Values next(sums);
        Value key = add(code, from, at), mask = maskOf(subtract(code, count, at)), product;
        Lanes score = Algebra::hasReference ? number(loadLanes(add(code, scores, at))) : scoreOf(at, product);
        Lanes weight = Algebra::weight(score, Algebra::hasReference ? number(after[0]) : score);
        if (measured) {
          auto other = region.measure(0, key, product);
          Value own = other ? other->value : Algebra::measure(weight).value;
          next[0] = (number(next[0]) + number(onlyWhere(mask, own, 0))).value;
        }
        if (auto factor = region.factor(0, key))
          weight = weight * *factor;
        weight.value = onlyWhere(mask, weight.value, 0);
        if (stream.isValued())
          storeLanes(weight.value, add(code, scores, at));
        else
          next.back() = (number(next.back()) + weight).value;
        if (placed)
          vector::StoreOp::create(code, rowStarts(value, region, batch, key, last), rows,
                                  ValueRange{add(code, starts, at)});
        return next;
      }));
      if (stream.isValued())
        accumulate(batch, from, count, scores, state, rescale);
      return after;
    });

    unsigned next = 0;
    if (Algebra::hasReference)
      storeLanes(carried[next++], add(code, state, featureRoom));
    if (measured)
      storeLanes(reduce(vector::CombiningKind::ADD, carried[next++]),
                 add(code, state, add(code, featureRoom, index(code, lanes))));
    if (!stream.isValued())
      storeLanes(reduce(vector::CombiningKind::ADD, carried[next++]), state);
  }

  /// O [e] = rescale O + Vᵀ w of a tile.
  void accumulate(llvm::ArrayRef<Value> batch, Value from, Value count, Value weights, Value state, Value rescale) {
    View first = value.at(code, batch, from);
    auto startOf = [&](Value key) -> Value {
      if (placed)
        return memref::LoadOp::create(code, rows, ValueRange{add(code, starts, key)});
      return add(code, first.start, multiply(code, key, first.rowStride));
    };
    auto columns = [&](Value at, int64_t vectors, Value mask) {
      Values sums(vectors * abreast, splat(code, vectorType(), 0));
      for (int64_t v = 0; v < vectors; ++v) {
        sums[v] = loadLanes(add(code, state, add(code, at, index(code, v * lanes))));
        if (rescale)
          sums[v] = (number(sums[v]) * number(rescale)).value;
      }
      auto take = [&](Value key, Values &sums, int64_t set) {
        Value weight = inLanes(memref::LoadOp::create(code, scratch, ValueRange{add(code, weights, key)}));
        Value start = add(code, startOf(key), at);
        for (int64_t v = 0; v < vectors; ++v) {
          Value row = loadRow(value.whole.array, add(code, start, index(code, v * lanes)), mask);
          Value &sum = sums[set * vectors + v];
          sum = vector::FMAOp::create(code, weight, row, sum);
        }
      };
      Value pairs = wholePart(count, abreast);
      sums = loop(code, index(code, 0), pairs, abreast, sums, [&](Value key, ValueRange before) {
        Values next(before);
        for (int64_t set = 0; set < abreast; ++set)
          take(add(code, key, index(code, set)), next, set);
        return next;
      });
      sums = loop(code, pairs, count, 1, sums, [&](Value key, ValueRange before) {
        Values next(before);
        take(key, next, 0);
        return next;
      });
      for (int64_t v = 0; v < vectors; ++v) {
        Lanes sum = number(sums[v]);
        for (int64_t set = 1; set < abreast; ++set)
          sum = sum + number(sums[set * vectors + v]);
        storeLanes(sum.value, add(code, state, add(code, at, index(code, v * lanes))));
      }
    };
    Value wide = wholePart(features, together * lanes), whole = wholePart(features, lanes);
    loop(code, index(code, 0), wide, together * lanes, [&](Value at) { columns(at, together, nullptr); });
    loop(code, wide, whole, lanes, [&](Value at) { columns(at, 1, nullptr); });
    loop(code, whole, features, lanes, [&](Value at) { columns(at, 1, maskOf(subtract(code, features, at))); });
  }

  /// Merges the states of the parts of a query in order, and writes the results.
  void finish(llvm::ArrayRef<Value> batch, Value row, Value state) {
    Value none = index(code, 0), one = index(code, 1), references = featureRoom,
          measureRow = add(code, featureRoom, index(code, lanes));
    if (parts.canBeMany())
      loop(code, one, parts.count, 1, [&](Value part) {
        Value other = add(code, state, multiply(code, part, stateRoom));
        std::optional<Lanes> left, right;
        if (Algebra::hasReference) {
          Lanes a = number(loadLanes(add(code, state, references))),
                b = number(loadLanes(add(code, other, references)));
          auto merger = algebra::mergerOf<Algebra>(a, b);
          left = merger.left;
          right = merger.right;
          storeLanes(merger.reference.value, add(code, state, references));
        }
        auto merge = [&](Value at) {
          Lanes a = number(loadLanes(add(code, state, at))), b = number(loadLanes(add(code, other, at)));
          storeLanes((left ? a * *left + b * *right : a + b).value, add(code, state, at));
        };
        if (measured)
          merge(measureRow);
        loop(code, none, featureRoom, lanes, merge);
      });
    View to = output.at(code, batch, row);
    std::optional<Lanes> measure;
    if (measured)
      measure = number(loadLanes(add(code, state, measureRow)));
    auto finished = [&](Value at) {
      Lanes total = number(loadLanes(add(code, state, at)));
      return Algebra::finish(total, measure ? *measure : total).value;
    };
    if (isRow(to)) {
      alongRow(features, [&](Value at, Value mask) {
        Value place = add(code, to.start, at);
        if (mask)
          vector::MaskedStoreOp::create(code, to.array, ValueRange{place}, mask, finished(at));
        else
          vector::StoreOp::create(code, finished(at), to.array, ValueRange{place});
      });
    } else {
      loop(code, none, featureRoom, lanes, [&](Value at) { storeLanes(finished(at), add(code, state, at)); });
      loop(code, none, features, 1, [&](Value at) {
        Value element = memref::LoadOp::create(code, scratch, ValueRange{add(code, state, at)});
        memref::StoreOp::create(code, element, to.array,
                                ValueRange{add(code, to.start, multiply(code, at, to.columnStride))});
      });
    }
    if (stream.isMeasured()) {
      Value total = memref::LoadOp::create(code, scratch, ValueRange{add(code, state, measureRow)});
      memref::StoreOp::create(code, total, measures.whole.array, ValueRange{measures.at(code, batch, row).start});
    }
  }

  Operand output, measures;
  bool measured = false, placed = false; // whether a state has a measure; whether values are at places
  Value features, featureRoom, stateRoom, slotRoom;
  Value slots, queryPanel, scores, state; // in scratch
  Value rows, starts;                     // indices
};

} // namespace

void emitRows(Code &code, StreamOp stream, const Machine &machine, std::string name) {
  algebra::withAlgebra(std::string_view(stream.getAlgebra()),
                       [&](auto algebra) { RowEmitter<decltype(algebra)>(code, stream, machine, name).run(); });
}

} // namespace attnc
