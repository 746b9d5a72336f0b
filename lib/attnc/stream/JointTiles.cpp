#include "attnc/stream/JointTiles.h"

#include "attnc/stream/Algebra.h"
#include "attnc/stream/KeyRange.h"
#include "attnc/stream/Region.h"
#include "attnc/stream/Registers.h"
#include "attnc/stream/Sharing.h"
#include "attnc/stream/Slides.h"
#include "attnc/stream/StreamLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

// A stream over pairs of keys as loops over tiles. For one query its products with the second keys are the queries of
// an ordinary stream over the first keys, and lie in the lanes; their states merge, each with its value:
//
//     for each query:
//       for each tile of up to `vectors * lanes` second keys:
//         Q panel [d][second] = q[d] * K2 [d][second]
//         for each tile of keys:
//           S [key][second] = K1 · Qᵀ     `rows` keys by the second ones in registers; K1 packed [key / rows][d][rows]
//           scores, reference, weights    in place
//           O [e][second] += V1ᵀ · P      `rows` features by the second ones in registers; V1 packed [e /
//           rows][key][rows]
//         y[e] = rescaled y[e] + Σ_second scale[second] O [e][second] V2 [e][second]
//       y finished
//
// K1 and V1 are packed once, as if all queries saw all rows; K2 and V2 are turned once. A window that slides with the
// queries begins at a row of them that moves, which lies anywhere in a block: keys before the window are multiplied
// with the others of their block, but have no scores. Rows that a window meets outside the arrays are packed as 0.
// Queries share nothing: the result does not depend on threads.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Keys in a tile: their weights stay in the first cache.
constexpr int64_t keyTile = 128;

/// An operand's rows along an axis of keys, where they are packed.
struct Rows {
  Operand operand;
  Value inMemory, lead, count;  // rows: of the array, of 0 before them, all with those of 0 behind
  Value first;                  // the row for the key 0 of the query 0
  std::optional<unsigned> loop; // of the batch, that rows slide with
  Value packed;                 // in scratch

  Value of(Code &code, llvm::ArrayRef<Value> batch, Value key) const {
    return add(code, add(code, first, key), loop ? batch[*loop] : index(code, 0));
  }
};

template <class Algebra> class JointEmitter {
public:
  JointEmitter(Code &code, StreamOp stream, const Machine &machine, std::string name)
      : code(code), stream(stream), loops(code, stream), sharing(code, loops.work(), std::move(name)), blocks(machine),
        lanes(machine.lanes()), vectors(machine.vectors()), rows(machine.rows()), side(std::max(lanes, rows)) {}

  void run() {
    findOperands();
    layOut();
    pack();
    sharing.forEach("pairs", tasks, [&](Value task) { runTask(fromBothEnds(code, task, tasks)); });
    memref::DeallocOp::create(code, scratch);
  }

private:
  void findOperands() {
    StreamOperands operands(loops, stream);
    unsigned values = stream.getContraction().size();
    query = operands.query();
    output = operands.output();
    keys = loops.extent(stream.keyLoop());
    seconds = loops.extent(stream.queryLoop());
    depth = loops.extent(stream.depthLoop());
    features = loops.extent(stream.featureLoop());
    key = rowsOf(1, stream.keyLoop(), stream.depthLoop());
    secondKey = rowsOf(2, stream.queryLoop(), stream.depthLoop());
    value = rowsOf(values, stream.keyLoop(), stream.featureLoop());
    secondValue = rowsOf(values + 1, stream.queryLoop(), stream.featureLoop());
  }

  Rows rowsOf(unsigned number, unsigned loop, unsigned column) {
    Value none = index(code, 0), extent = loops.extent(loop);
    Rows of{loops.operand(number, loop, column), extent, none, extent, none, std::nullopt, nullptr};
    if (of.operand.placed.empty())
      return of;
    const Operand::Axis &axis = of.operand.placed.front();
    of.operand.whole.rowStride = axis.stride;
    of.inMemory = axis.extent;
    of.loop = slidingLoop(stream, axis.place, loop);
    Value reach = add(code, loops.extent(*of.loop), extent);
    Values origin(stream.getBatch(), none);
    Value place = Region(code, stream, 1, 1, origin, none, index(code, 1)).place(axis.place, none);
    // A window wholly outside may be anywhere outside.
    place = greater(code, smaller(code, place, axis.extent), subtract(code, none, reach));
    Value before = greater(code, subtract(code, none, place), none);
    of.lead = multiply(code, ceilDiv(code, before, side), index(code, side));
    of.first = add(code, of.lead, place);
    of.count = greater(code, add(code, of.first, reach), of.lead);
    return of;
  }

  /// One array for all that is kept: the packed keys and values, and for each thread a query, the panel of its products
  /// with second keys, scores, states, the factors of rescaling, and the state of the query with its result.
  void layOut() {
    Value width = index(code, vectors * lanes);
    auto whole = [&](Value extent) { return multiply(code, ceilDiv(code, extent, side), index(code, side)); };
    Value depthRoom = whole(depth);
    featureRoom = whole(features);
    featureBlocks = ceilDiv(code, features, rows);
    keyBlock = multiply(code, depth, index(code, rows));
    valueStrip = multiply(code, multiply(code, ceilDiv(code, value.count, rows), index(code, rows)), index(code, rows));
    tasks = loops.count(loops.batch());

    Value room = index(code, 0);
    auto reserve = [&](Value floats) { return std::exchange(room, add(code, room, floats)); };
    auto matrices = [&](const Rows &of, Value floats) {
      return reserve(multiply(code, loops.count(of.operand.loops), floats));
    };
    key.packed = matrices(key, multiply(code, ceilDiv(code, key.count, rows), keyBlock));
    value.packed = matrices(value, multiply(code, featureBlocks, valueStrip));
    secondKey.packed = matrices(secondKey, multiply(code, depth, pitch(secondKey)));
    secondValue.packed = matrices(secondValue, multiply(code, featureRoom, pitch(secondValue)));
    slots = room;
    room = index(code, 0);
    queryRow = reserve(depthRoom);
    panel = reserve(multiply(code, depthRoom, width));
    scores = reserve(multiply(code, index(code, keyTile), width));
    scales = reserve(width);
    state = reserve(multiply(code, featureRoom, width));
    reference = reserve(index(code, lanes));
    measure = reserve(index(code, lanes));
    result = reserve(add(code, featureRoom, index(code, 2 * side))); // is read in whole squares
    slotRoom = room;
    Value floats = add(code, slots, multiply(code, slotRoom, sharing.slots()));
    auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
    scratch = memref::AllocOp::create(code, type, ValueRange{floats}, code.getI64IntegerAttr(64));
  }

  /// Floats from one row of turned second keys to the next: lines of the cache in odd number, so that rows do not meet
  /// in its sets, with room behind the last tile.
  Value pitch(const Rows &of) {
    constexpr int64_t line = 16;
    Value lines = ceilDiv(code, add(code, of.count, index(code, vectors * lanes)), 2 * line);
    return multiply(code, add(code, multiply(code, lines, index(code, 2)), index(code, 1)), index(code, line));
  }

  void pack() {
    auto each = [&](llvm::StringRef what, const Rows &of, Value count,
                    llvm::function_ref<void(Value matrix, llvm::ArrayRef<Value> batch, Value block)> body) {
      sharing.forEach(what, multiply(code, loops.count(of.operand.loops), count), [&](Value task) {
        Value matrix = code.createOrFold<arith::DivUIOp>(task, count);
        body(matrix, loops.indices(of.operand.loops, matrix), code.createOrFold<arith::RemUIOp>(task, count));
      });
    };
    // Where a block begins in memory, and how many rows are left from there on, none before the first.
    auto placeOf = [&](const Rows &of, Value block, int64_t size) {
      Value none = index(code, 0), row = subtract(code, multiply(code, block, index(code, size)), of.lead);
      Value left = subtract(code, of.inMemory, row), inside = less(code, index(code, -1), row);
      return std::pair(choose(code, inside, row, none), choose(code, inside, greater(code, left, none), none));
    };
    Value keyBlocks = ceilDiv(code, key.count, rows);
    each("keys", key, keyBlocks, [&](Value matrix, llvm::ArrayRef<Value> batch, Value block) {
      auto [row, left] = placeOf(key, block, rows);
      Value number = add(code, multiply(code, matrix, keyBlocks), block);
      blocks.gather(code, key.operand.at(code, batch, row), left, depth,
                    {scratch, add(code, key.packed, multiply(code, number, keyBlock)), index(code, rows)}, rows, 1);
    });
    each("values", value, ceilDiv(code, value.count, rows),
         [&](Value matrix, llvm::ArrayRef<Value> batch, Value block) {
           auto [row, left] = placeOf(value, block, rows);
           Value at = valueAt(matrix, multiply(code, block, index(code, rows))), whole = index(code, rows);
           branch(code, less(code, left, whole), [&, left = left] { clear(at, left); }, [] {});
           blocks.strips(code, value.operand.at(code, batch, row), smaller(code, left, whole), features,
                         {scratch, at, valueStrip}, rows);
         });
    auto turn = [&](llvm::StringRef what, const Rows &of, Value columns, Value matrixRoom) {
      each(what, of, ceilDiv(code, pitch(of), lanes), [&](Value matrix, llvm::ArrayRef<Value> batch, Value block) {
        auto [row, left] = placeOf(of, block, lanes);
        Value at = add(code, of.packed,
                       add(code, multiply(code, matrix, matrixRoom), multiply(code, block, index(code, lanes))));
        blocks.gather(code, of.operand.at(code, batch, row), left, columns, {scratch, at, pitch(of)}, lanes, 1);
      });
    };
    turn("second_keys", secondKey, depth, multiply(code, depth, pitch(secondKey)));
    turn("second_values", secondValue, features, multiply(code, featureRoom, pitch(secondValue)));
  }
  /// Rows of a block of values from `left` on.
  void clear(Value at, Value left) {
    loop(code, index(code, 0), featureBlocks, 1, [&](Value strip) {
      loop(code, multiply(code, left, index(code, rows)), index(code, rows * rows), 1, [&](Value place) {
        Value to = add(code, add(code, at, multiply(code, strip, valueStrip)), place);
        memref::StoreOp::create(code, splat(code, code.getF32Type(), 0), scratch, ValueRange{to});
      });
    });
  }
  Value valueAt(Value matrix, Value row) {
    Value from = multiply(code, multiply(code, matrix, featureBlocks), valueStrip);
    return add(code, value.packed, add(code, from, multiply(code, row, index(code, rows))));
  }

  mlir::VectorType vectorType() { return mlir::VectorType::get({lanes}, code.getF32Type()); }
  Value loadLanes(Value offset) { return vector::LoadOp::create(code, vectorType(), scratch, ValueRange{offset}); }
  void storeLanes(Value lanes, Value offset) { vector::StoreOp::create(code, lanes, scratch, ValueRange{offset}); }
  Lanes number(Value value) { return {&code, value}; }
  Value place(Value panel, Value row, unsigned v, unsigned wide) {
    return add(code, panel, add(code, multiply(code, row, index(code, wide * lanes)), index(code, v * lanes)));
  }

  /// A query.
  void runTask(Value task) {
    Value none = index(code, 0), one = index(code, 1), zero = splat(code, vectorType(), 0);
    Values batch = loops.indices(loops.batch(), task);
    Value base = add(code, slots, multiply(code, slotRoom, sharing.slot()));
    Value result = add(code, base, this->result), reference = add(code, base, this->reference),
          measure = add(code, base, this->measure);
    blocks.strips(code, query.at(code, batch, none), one, depth,
                  {scratch, add(code, base, queryRow), index(code, lanes)}, lanes);
    loop(code, none, featureRoom, lanes, [&](Value at) { storeLanes(zero, add(code, result, at)); });
    Value lowest = splat(code, vectorType(), -std::numeric_limits<double>::infinity()), sum = zero;
    if (auto sink = Region(code, stream, lanes, 1, batch, none, seconds).sink(0)) {
      lowest = sink->value;
      sum = algebra::measureOf<Algebra>(*sink).value;
    }
    storeLanes(lowest, reference);
    storeLanes(sum, measure);
    KeyRange range = solveQueryRange(code, stream, batch, seconds, keys);
    loop(code, range.from, range.to, vectors * lanes, [&](Value first) {
      ofWidth(vectors, subtract(code, range.to, first),
              [&](unsigned wide) { runTile(wide, batch, first, range.to, base); });
    });
    Lanes total = number(loadLanes(measure));
    loop(code, none, featureRoom, lanes, [&](Value at) {
      Value place = add(code, result, at);
      storeLanes(Algebra::finish(number(loadLanes(place)), total).value, place);
    });
    blocks.scatter(code, output.at(code, batch, none), one, features, {scratch, result, one}, 1);
  }

  /// Where all second keys are those of one tile it has one width.
  void ofWidth(unsigned wide, Value left, llvm::function_ref<void(unsigned)> body) {
    auto known = mlir::getConstantIntValue(seconds);
    if (known && *known <= int64_t(vectors * lanes))
      return body(std::max<int64_t>(llvm::divideCeil(*known, lanes), 1));
    if (wide == 1)
      return body(1);
    branch(
        code, less(code, index(code, (wide - 1) * lanes), left), [&] { body(wide); },
        [&] { ofWidth(wide - 1, left, body); });
  }

  void runTile(unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value end, Value base) {
    Value zero = splat(code, vectorType(), 0), none = index(code, 0), width = index(code, wide * lanes);
    Value panel = add(code, base, this->panel), scores = add(code, base, this->scores),
          scales = add(code, base, this->scales), state = add(code, base, this->state);
    auto at = [&](Value panel, Value row, unsigned v) { return place(panel, row, v, wide); };
    Value from = turnedAt(secondKey, batch, first, depth);
    loop(code, none, depth, 1, [&](Value row) {
      Lanes q = number(spread(add(code, add(code, base, queryRow), row)));
      for (unsigned v = 0; v < wide; ++v) {
        Value keys = add(code, from, add(code, multiply(code, row, pitch(secondKey)), index(code, v * lanes)));
        storeLanes((q * number(loadLanes(keys))).value, at(panel, row, v));
      }
    });
    loop(code, none, featureRoom, 1, [&](Value row) {
      for (unsigned v = 0; v < wide; ++v)
        storeLanes(zero, at(state, row, v));
    });

    Region region(code, stream, lanes, wide, batch, first, seconds);
    Value last = subtract(code, smaller(code, add(code, first, width), end), index(code, 1));
    KeyRange range = solveKeyRange(code, stream, batch, first, last, keys);
    Value keyMatrix = loops.number(key.operand.loops, batch), valueMatrix = loops.number(value.operand.loops, batch);
    Value keyBlocks = ceilDiv(code, key.count, rows), block = index(code, rows);
    // Packed keys are read in whole blocks: `origin` is the row of the key 0.
    Value origin = key.of(code, batch, none), firstRow = add(code, origin, range.from);
    Value begin = multiply(code, code.createOrFold<arith::DivUIOp>(firstRow, block), block);
    Value stop = add(code, origin, greater(code, range.from, range.to));
    Values unit(wide, splat(code, vectorType(), -std::numeric_limits<double>::infinity()));
    unit.append(wide, zero);
    Values carried = loop(code, begin, stop, keyTile, unit, [&](Value row, ValueRange before) {
      Value count = smaller(code, subtract(code, stop, row), index(code, keyTile));
      Value skipped = greater(code, subtract(code, firstRow, row), none);
      Value from = subtract(code, add(code, row, skipped), origin); // the key
      Value number = add(code, multiply(code, keyMatrix, keyBlocks), code.createOrFold<arith::DivUIOp>(row, block));
      blocks.accumulate(code, scratch,
                        {add(code, key.packed, multiply(code, number, keyBlock)), keyBlock, panel, depth, scores,
                         ceilDiv(code, count, rows)},
                        wide);
      Value weights = add(code, scores, multiply(code, skipped, width));
      Value left = subtract(code, count, skipped);
      Values after = absorb(wide, region, range, from, left, weights, scales, before);
      blocks.accumulate(
          code, scratch,
          {valueAt(valueMatrix, value.of(code, batch, from)), valueStrip, weights, left, state, featureBlocks, scales},
          wide);
      return after;
    });
    merge(wide, batch, first, end, base, carried);
  }

  /// Scores become weights, in place: references and measures before and after.
  Values absorb(unsigned wide, Region &region, const KeyRange &range, Value from, Value count, Value scores,
                Value scales, ValueRange before) {
    Value none = index(code, 0);
    auto at = [&](Value panel, Value row, unsigned v) { return place(panel, row, v, wide); };
    Values references(before.take_front(wide)), measures(before.drop_front(wide));
    references = whereSure(code, stream, range, from, count, ValueRange(references).getTypes(), [&](Value scoreOf) {
      return loop(code, none, count, 1, references, [&](Value row, ValueRange greatest) {
        Values next;
        for (unsigned v = 0; v < wide; ++v) {
          Lanes score = region.score(v, add(code, from, row), loadLanes(at(scores, row, v)), scoreOf);
          storeLanes(score.value, at(scores, row, v));
          next.push_back(maximum(score, number(greatest[v])).value);
        }
        return next;
      });
    });
    for (unsigned v = 0; v < wide; ++v) {
      Lanes rescale = Algebra::weight(number(before[v]), number(references[v]));
      storeLanes(rescale.value, at(scales, none, v));
      measures[v] = (number(measures[v]) * rescale).value;
    }
    Values after(references);
    after.append(loop(code, none, count, 1, measures, [&](Value row, ValueRange sums) {
      Values next;
      for (unsigned v = 0; v < wide; ++v) {
        Lanes weight = Algebra::weight(number(loadLanes(at(scores, row, v))), number(references[v]));
        next.push_back((number(sums[v]) + Algebra::measure(weight)).value);
        if (auto factor = region.factor(v, add(code, from, row)))
          weight = weight * *factor;
        storeLanes(weight.value, at(scores, row, v));
      }
      return next;
    }));
    return after;
  }

  /// Merges the states of the second keys of a tile into that of the query, each with its value.
  void merge(unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value end, Value base, ValueRange carried) {
    Value none = index(code, 0), state = add(code, base, this->state), result = add(code, base, this->result),
          reference = add(code, base, this->reference), measure = add(code, base, this->measure);
    Value lowest = splat(code, vectorType(), -std::numeric_limits<double>::infinity()),
          zero = splat(code, vectorType(), 0);
    Values there, own;
    Value greatest = lowest;
    for (unsigned v = 0; v < wide; ++v) {
      Value left = subtract(code, subtract(code, end, first), index(code, v * lanes));
      there.push_back(vector::CreateMaskOp::create(code, mlir::VectorType::get({lanes}, code.getI1Type()), left));
      own.push_back(arith::SelectOp::create(code, there[v], carried[v], lowest));
      greatest = maximum(number(own[v]), number(greatest)).value;
    }
    auto inLanes = [&](vector::CombiningKind kind, Value of) {
      return broadcast(code, vector::ReductionOp::create(code, kind, of), lanes);
    };
    auto merger = algebra::mergerOf<Algebra>(number(loadLanes(reference)),
                                             number(inLanes(vector::CombiningKind::MAXNUMF, greatest)));
    storeLanes(merger.reference.value, reference);
    Values scales;
    Value sum = zero;
    for (unsigned v = 0; v < wide; ++v) {
      scales.push_back(Algebra::weight(number(own[v]), merger.reference).value);
      Value part = (number(carried[wide + v]) * number(scales[v])).value;
      sum = (number(sum) + number(arith::SelectOp::create(code, there[v], part, zero))).value;
    }
    Lanes total = number(loadLanes(measure)) * merger.left + number(inLanes(vector::CombiningKind::ADD, sum));
    storeLanes(total.value, measure);
    Value from = turnedAt(secondValue, batch, first, featureRoom);
    loop(code, none, featureRoom, lanes, [&](Value feature) {
      Values products;
      for (int64_t i = 0; i < lanes; ++i) {
        Value row = add(code, feature, index(code, i)), all;
        for (unsigned v = 0; v < wide; ++v) {
          Value values = add(code, from, add(code, multiply(code, row, pitch(secondValue)), index(code, v * lanes)));
          Lanes product =
              number(loadLanes(place(state, row, v, wide))) * (number(scales[v]) * number(loadLanes(values)));
          Value part = arith::SelectOp::create(code, there[v], product.value, zero);
          all = all ? (number(all) + number(part)).value : part;
        }
        products.push_back(all);
      }
      Value at = add(code, result, feature);
      storeLanes((number(loadLanes(at)) * merger.left + sumsOfLanes(code, products)).value, at);
    });
  }

  /// Where the second key `first` of a query stands in the first row of what is turned.
  Value turnedAt(const Rows &of, llvm::ArrayRef<Value> batch, Value first, Value height) {
    Value matrix = multiply(code, loops.number(of.operand.loops, batch), multiply(code, height, pitch(of)));
    return add(code, of.packed, add(code, matrix, of.of(code, batch, first)));
  }
  Value spread(Value at) { return broadcast(code, memref::LoadOp::create(code, scratch, ValueRange{at}), lanes); }

  Code &code;
  StreamOp stream;
  StreamLoops loops;
  Sharing sharing;
  Blocks blocks;
  int64_t lanes, vectors, rows, side;
  Operand query, output;
  Rows key, secondKey, value, secondValue;
  Value keys, seconds, depth, features; // extents
  Value featureRoom, featureBlocks;     // rounded up, and in blocks
  Value keyBlock, valueStrip, slotRoom; // sizes in floats
  Value tasks, scratch, slots;
  Value queryRow, panel, scores, scales, state, reference, measure, result; // in the slot of a thread
};

} // namespace

void emitJointTiles(Code &code, StreamOp stream, const Machine &machine, std::string name) {
  JointEmitter<algebra::Softmax>(code, stream, machine, std::move(name)).run();
}

} // namespace attnc
