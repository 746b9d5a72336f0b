#include "attnc/stream/Tiles.h"

#include "attnc/stream/Algebra.h"
#include "attnc/stream/KeyRange.h"
#include "attnc/stream/Products.h"
#include "attnc/stream/Region.h"
#include "attnc/stream/Registers.h"
#include "attnc/stream/Sharing.h"
#include "attnc/stream/Sight.h"
#include "attnc/stream/StreamLoops.h"
#include "attnc/stream/TermLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

// A stream as loops over tiles. The queries of a tile lie in the lanes of vectors, so that maxima, sums and rescaling
// are plain operations of vectors, and weights are stored as they are consumed:
//
//     for each tile of up to `vectors * lanes` queries, and each part of the keys:
//       Q panel [d][query]
//       for each tile of keys:
//         S [key][query] = K · Qᵀ       `rows` keys by the queries in registers; K packed [key / rows][d][rows]
//         scores, reference, weights    in place
//         O [e][query] += Vᵀ · P        `rows` features by the queries in registers; V packed [e / rows][key][rows]
//     for each tile of queries: y = the states of its parts merged, finished, turned
//
// A part's keys come in order, parts merge in order, and tiles of queries share nothing: the result does not depend on
// threads. Where few queries meet many keys there are several parts; else one, finished at once.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Keys in a tile: their weights for a tile of queries stay in the first cache, and the accumulators are read and
/// written once for so many keys.
constexpr int64_t keyTile = 128;
/// Heads from which a thread takes one at a time, if what it packs of it is less than so many floats.
constexpr int64_t manyHeads = 16, smallHead = 1 << 17;

template <class Algebra> class TileEmitter {
public:
  TileEmitter(Code &code, StreamOp stream, const Machine &machine, std::string name)
      : code(code), stream(stream), loops(code, stream), sharing(code, loops.work(), std::move(name)),
        products(machine), lanes(machine.lanes()), vectors(machine.vectors()), rows(machine.rows()),
        fold(machine.fold()), side(std::max(fold * lanes, rows)) {}

  void run() {
    findOperands();
    layOut();
    if (canBe(packed, true))
      pack();
    Value alone = multiply(code, tasks, parts.count), group = choose(code, grouped, tiles, index(code, 1));
    sharing.forEach("tiles", choose(code, grouped, heads, alone), [&](Value task) {
      where(grouped, [&] { packWhole(loops.indices(loops.batch(), task)); });
      Value first = multiply(code, task, group);
      loop(code, first, add(code, first, group), 1, [&](Value tile) { runTask(tile); });
    });
    if (parts.canBeMany())
      sharing.forEach("merge", choose(code, parts.isMany(code), tasks, index(code, 0)), [&](Value task) {
        auto [batch, first] = tileOf(task);
        ofWidth(first, [&](unsigned wide) { finish(wide, batch, first, partialState(task, index(code, 0))); });
      });
    memref::DeallocOp::create(code, scratch);
  }

private:
  void findOperands() {
    StreamOperands operands(loops, stream);
    hasProducts = stream.isContracted() && !stream.isTermed();
    if (stream.isTermed())
      terms.emplace(code, loops, stream, lanes);
    if (hasProducts)
      query = operands.query(), key = operands.key();
    if (stream.isValued())
      value = operands.value();
    for (unsigned i = 0; i < stream.getOthers().size(); ++i)
      others.push_back(operands.other(i));
    output = operands.output();
    if (stream.isMeasured())
      measures = operands.measures();
    measured = Algebra::hasMeasure || stream.isMeasured();
    queries = loops.extent(stream.queryLoop());
    keys = loops.extent(stream.keyLoop());
    depth = hasProducts ? loops.extent(stream.depthLoop()) : index(code, 0);
    features = stream.isValued() ? loops.extent(stream.featureLoop()) : index(code, 1);
  }

  /// One array for all that is kept: the packed keys and values, the states of parts, and for each thread the panel of
  /// queries, the scores, a state, the factors of rescaling, what is turned, and its own packed keys and values. Those
  /// are of a whole head where heads are many and small: a thread takes a head at a time then, out of its cache. They
  /// are of a tile where each is met by one tile of queries alone, so that packing all beforehand would only cost
  /// memory.
  void layOut() {
    Value none = index(code, 0), width = index(code, vectors * lanes);
    depthRoom = multiply(code, ceilDiv(code, depth, side), index(code, side));
    featureRoom = multiply(code, ceilDiv(code, features, side), index(code, side));
    keyBlocks = ceilDiv(code, keys, rows);
    featureBlocks = ceilDiv(code, features, rows);
    Value depthWords = code.createOrFold<arith::DivUIOp>(depthRoom, index(code, fold));
    keyBlock = multiply(code, depthWords, index(code, rows));
    valueStrip = multiply(code, keyBlocks, index(code, rows * rows / fold));
    stateRoom = multiply(code, add(code, featureRoom, index(code, 2)), width);

    tiles = ceilDiv(code, queries, vectors * lanes);
    heads = loops.count(loops.batch());
    tasks = multiply(code, heads, tiles);
    Value keyMatrices = hasProducts ? loops.count(key.loops) : none;
    Value valueMatrices = stream.isValued() ? loops.count(value.loops) : none;
    Value keysOfHead = multiply(code, keyBlocks, keyBlock), valuesOfHead = multiply(code, featureBlocks, valueStrip);
    grouped = both(both(less(code, index(code, manyHeads - 1), heads), less(code, index(code, 1), tiles)),
                   less(code, add(code, keysOfHead, valuesOfHead), index(code, smallHead)));
    packed = less(code, greater(code, keyMatrices, valueMatrices), choose(code, grouped, none, tasks));
    parts = partKeys(code, keys, tasks, keyTile);

    Value room = none;
    auto reserve = [&](Value floats) { return std::exchange(room, add(code, room, floats)); };
    packedKeys = reserve(choose(code, packed, multiply(code, keyMatrices, keysOfHead), none));
    packedValues = reserve(choose(code, packed, multiply(code, valueMatrices, valuesOfHead), none));
    states =
        reserve(choose(code, parts.isMany(code), multiply(code, multiply(code, tasks, parts.count), stateRoom), none));
    slots = room;
    room = none;
    queryPanel = reserve(terms ? terms->room(width) : multiply(code, depthWords, width));
    scores = reserve(index(code, keyTile * vectors * lanes));
    scales = reserve(width);
    state = reserve(stateRoom);
    for (const Operand &other : others)
      turned.push_back(other.hasRows && other.hasColumns ? reserve(index(code, keyTile * vectors * lanes)) : none);
    Value tile = choose(code, packed, none, index(code, keyTile / fold));
    ownKeys = reserve(choose(code, grouped, keysOfHead, multiply(code, depthRoom, tile)));
    ownValues = reserve(choose(code, grouped, valuesOfHead, multiply(code, featureRoom, tile)));
    slotRoom = room;
    Value floats = add(code, slots, multiply(code, slotRoom, sharing.slots()));
    auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
    scratch = memref::AllocOp::create(code, type, ValueRange{floats}, code.getI64IntegerAttr(64));
  }

  Value both(Value a, Value b) { return code.createOrFold<arith::AndIOp>(a, b); }
  /// Runs the body where a bool holds.
  void where(Value condition, llvm::function_ref<void()> body) {
    if (!canBe(condition, false))
      body();
    else if (canBe(condition, true))
      branch(code, condition, body, [] {});
  }
  Value slotBase() { return add(code, slots, multiply(code, slotRoom, sharing.slot())); }

  /// The keys and values of a head, for a thread alone.
  void packWhole(llvm::ArrayRef<Value> batch) {
    Value base = slotBase(), none = index(code, 0);
    if (hasProducts)
      packKeys(batch, none, keyBlocks, add(code, base, ownKeys));
    if (stream.isValued())
      packValues(batch, none, keys, add(code, base, ownValues), valueStrip);
  }

  void pack() {
    auto eachBlock = [&](llvm::StringRef what, const Operand &operand, llvm::function_ref<void(Value, Value)> body) {
      Value count = multiply(code, loops.count(operand.loops), keyBlocks);
      sharing.forEach(what, choose(code, packed, count, index(code, 0)), [&](Value task) {
        Value number = code.createOrFold<arith::DivUIOp>(task, keyBlocks);
        body(number, code.createOrFold<arith::RemUIOp>(task, keyBlocks));
      });
    };
    if (hasProducts)
      eachBlock("keys", key, [&](Value number, Value block) {
        packKeys(loops.indices(key.loops, number), multiply(code, block, index(code, rows)), index(code, 1),
                 keysAt(number, block));
      });
    if (stream.isValued())
      eachBlock("values", value, [&](Value number, Value block) {
        packValues(loops.indices(value.loops, number), multiply(code, block, index(code, rows)), index(code, rows),
                   valuesAt(number, block), valueStrip);
      });
  }
  Value keysAt(Value number, Value block) {
    return add(code, packedKeys, multiply(code, add(code, multiply(code, number, keyBlocks), block), keyBlock));
  }
  Value valuesAt(Value number, Value block) {
    Value matrix = multiply(code, multiply(code, number, featureBlocks), valueStrip);
    return add(code, packedValues, add(code, matrix, multiply(code, block, index(code, rows * rows / fold))));
  }
  /// So many blocks of keys from `first` on.
  void packKeys(llvm::ArrayRef<Value> batch, Value first, Value count, Value at) {
    products.packRows(code, key.at(code, batch, first), subtract(code, keys, first), depth, scratch, at, keyBlock,
                      count);
  }
  /// Up to so many values from `first` on.
  void packValues(llvm::ArrayRef<Value> batch, Value first, Value most, Value at, Value strip) {
    products.packColumns(code, value.at(code, batch, first), smaller(code, subtract(code, keys, first), most), features,
                         scratch, at, strip, featureBlocks);
  }

  /// The index of the batch and the first query of a tile.
  std::pair<Values, Value> tileOf(Value task) {
    Value tile = fromBothEnds(code, code.createOrFold<arith::RemUIOp>(task, tiles), tiles);
    return {loops.indices(loops.batch(), code.createOrFold<arith::DivUIOp>(task, tiles)),
            multiply(code, tile, index(code, vectors * lanes))};
  }
  Value partialState(Value tile, Value part) {
    return add(code, states, multiply(code, add(code, multiply(code, tile, parts.count), part), stateRoom));
  }

  /// A tile of queries, as wide as what is left of them, and a part of the keys.
  void runTask(Value task) {
    Value part = code.createOrFold<arith::RemUIOp>(task, parts.count);
    Value tile = code.createOrFold<arith::DivUIOp>(task, parts.count);
    auto [batch, first] = tileOf(tile);
    Value base = slotBase();
    Value at = choose(code, parts.isMany(code), partialState(tile, part), add(code, base, state));
    ofWidth(first, [&](unsigned wide) {
      runTile(wide, batch, first, part, base, at);
      if (!parts.canBeMany())
        finish(wide, batch, first, at);
      else if (!parts.isKnown())
        branch(code, parts.isMany(code), [] {}, [&] { finish(wide, batch, first, at); });
    });
  }

  void ofWidth(Value first, llvm::function_ref<void(unsigned)> body) {
    branchOnWidth(code, vectors, lanes, mlir::getConstantIntValue(queries), subtract(code, queries, first), body);
  }

  mlir::VectorType vectorType() { return mlir::VectorType::get({int64_t(lanes)}, code.getF32Type()); }
  Value loadLanes(Value offset) { return vector::LoadOp::create(code, vectorType(), scratch, ValueRange{offset}); }
  void storeLanes(Value lanes, Value offset) { vector::StoreOp::create(code, lanes, scratch, ValueRange{offset}); }
  Lanes number(Value value) { return {&code, value}; }
  Value place(Value panel, Value row, unsigned v, unsigned wide) {
    return add(code, panel, add(code, multiply(code, row, index(code, wide * lanes)), index(code, v * lanes)));
  }

  void runTile(unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value part, Value base, Value state) {
    Value zero = splat(code, vectorType(), 0), none = index(code, 0), width = index(code, wide * lanes);
    Value queryPanel = add(code, base, this->queryPanel), scores = add(code, base, this->scores),
          scales = add(code, base, this->scales);
    auto at = [&](Value panel, Value row, unsigned v) { return place(panel, row, v, wide); };
    if (terms)
      terms->gather(products.blocks, wide, batch, first, queries, scratch, queryPanel);
    else if (hasProducts)
      products.packRight(code, query.at(code, batch, first), subtract(code, queries, first), depth, scratch, queryPanel,
                         wide);
    products.begin(code);
    loop(code, none, featureRoom, 1, [&](Value row) {
      for (unsigned v = 0; v < wide; ++v)
        storeLanes(zero, at(state, row, v));
    });
    if (!Algebra::hasReference)
      for (unsigned v = 0; v < wide; ++v)
        storeLanes(splat(code, vectorType(), 1), at(scales, none, v));
    Region region(code, stream, lanes, wide, batch, first, queries);
    Value last = subtract(code, smaller(code, add(code, first, width), queries), index(code, 1));
    KeyRange range = solveKeyRange(code, stream, batch, first, last, keys);
    if (parts.canBeMany())
      range = parts.within(code, range, part);
    // Packed keys are read in whole blocks.
    Value begin = multiply(code, code.createOrFold<arith::DivUIOp>(range.from, index(code, rows)), index(code, rows));

    // What is carried: references, measures, and the sum where there are no values. The first part absorbs the sink.
    Values unit, measureUnit;
    for (unsigned v = 0; v < wide; ++v) {
      Value lowest = splat(code, vectorType(), -std::numeric_limits<double>::infinity()), measure = zero;
      if (auto sink = region.sink(v)) {
        Value isFirst = equal(code, part, none);
        lowest = choose(code, isFirst, sink->value, lowest);
        measure = algebra::measureOf<Algebra>(number(lowest)).value;
      }
      if (Algebra::hasReference)
        unit.push_back(lowest);
      measureUnit.push_back(measure);
    }
    if (measured)
      unit.append(measureUnit);
    if (!stream.isValued())
      unit.append(wide, zero);
    auto absorb = [&](Value from, Value count, ValueRange before) -> Values {
      if (terms)
        terms->contract(wide, batch, from, count, scratch, queryPanel, scores);
      else if (hasProducts)
        contract(wide, batch, from, count, queryPanel, scores, base);
      for (unsigned other : region.turnedOthers()) {
        Value panel = add(code, base, turned[other]);
        products.blocks.gather(code, others[other].at(code, batch, first, from), subtract(code, queries, first), count,
                               {scratch, panel, width}, lanes, wide);
        region.usePanel(other, scratch, panel, from, wide * lanes);
      }

      Values references(before.take_front(Algebra::hasReference ? wide : 0)), after;
      if (Algebra::hasReference)
        references = whereSure(code, stream, range, from, count, ValueRange(references).getTypes(), [&](Value scoreOf) {
          return loop(code, none, count, 1, references, [&](Value row, ValueRange greatest) {
            Values next;
            Value key = add(code, from, row);
            for (unsigned v = 0; v < wide; ++v) {
              Lanes score = region.score(v, key, contraction(at(scores, row, v)), scoreOf);
              storeLanes(score.value, at(scores, row, v));
              next.push_back(maximum(score, number(greatest[v])).value);
            }
            return next;
          });
        });
      Values sums(before.drop_front(references.size()));
      if (Algebra::hasReference) {
        Values rescale, grown = products.keepReferences(code, references, before.take_front(wide));
        for (unsigned v = 0; v < wide; ++v) {
          rescale.push_back(Algebra::weight(number(before[v]), number(references[v])).value);
          if (!grown.empty())
            rescale[v] = choose(code, grown[v], rescale[v], splat(code, vectorType(), 1));
          storeLanes(rescale[v], at(scales, none, v));
        }
        if (!grown.empty() && stream.isValued())
          products.scale(code, grown, scratch, state, features, scales);
        for (auto [i, sum] : llvm::enumerate(sums))
          sum = (number(sum) * number(rescale[i % wide])).value;
      }
      after = references;
      after.append(loop(code, none, count, 1, sums, [&](Value row, ValueRange sums) {
        Values next(sums);
        Value key = add(code, from, row);
        for (unsigned v = 0; v < wide; ++v) {
          Value product = contraction(at(scores, row, v)); // a score already, where there is a reference
          Lanes score = Algebra::hasReference ? number(loadLanes(at(scores, row, v))) : region.score(v, key, product);
          Lanes weight = Algebra::weight(score, Algebra::hasReference ? number(references[v]) : score);
          unsigned sum = v;
          if (measured) {
            auto other = region.measure(v, key, product);
            next[sum] = (number(next[sum]) + (other ? *other : Algebra::measure(weight))).value;
            sum += wide;
          }
          if (auto factor = region.factor(v, key))
            weight = weight * *factor;
          if (stream.isValued())
            storeLanes(weight.value, at(scores, row, v));
          else
            next[sum] = (number(next[sum]) + weight).value;
        }
        return next;
      }));
      if (stream.isValued())
        accumulate(wide, batch, from, count, scores, state, scales, base);
      return after;
    };
    Sight sight(stream);
    sight.look(code, region, wide);
    std::optional<Region> keysAlong;
    if (sight.isLimited())
      keysAlong.emplace(code, stream, lanes, 1, batch, first, keys, Region::Along::Keys);
    Values carried = loop(code, begin, range.to, keyTile, unit, [&](Value from, ValueRange before) {
      Value count = smaller(code, subtract(code, range.to, from), index(code, keyTile));
      if (!keysAlong)
        return absorb(from, count, before);
      return branch(
          code, sight.sees(code, *keysAlong, from, count, lanes), before.getTypes(),
          [&] { return absorb(from, count, before); }, [&] { return Values(before); });
    });
    products.end(code);

    ValueRange left(carried);
    auto keep = [&](bool kept, Value row) {
      for (unsigned v = 0; kept && v < wide; ++v)
        storeLanes(left[v], at(state, row, v));
      left = left.drop_front(kept ? wide : 0);
    };
    keep(Algebra::hasReference, featureRoom);
    keep(measured, add(code, featureRoom, index(code, 1)));
    keep(!stream.isValued(), none);
  }

  Value contraction(Value offset) { return stream.isContracted() ? loadLanes(offset) : Value(); }

  /// S [key][query] of a tile.
  void contract(unsigned wide, llvm::ArrayRef<Value> batch, Value from, Value count, Value queryPanel, Value scores,
                Value base) {
    Value keyBlocks = ceilDiv(code, count, rows), own = add(code, base, ownKeys);
    where(ofTile(), [&] { packKeys(batch, from, keyBlocks, own); });
    Value before = code.createOrFold<arith::DivUIOp>(from, index(code, rows));
    own = choose(code, grouped, add(code, own, multiply(code, before, keyBlock)), own);
    own = choose(code, packed, keysAt(loops.number(key.loops, batch), before), own);
    products.accumulate(code, scratch, {own, keyBlock, queryPanel, depth, scores, keyBlocks}, wide);
  }

  /// O [e][query] = rescale O + Vᵀ P of a tile.
  void accumulate(unsigned wide, llvm::ArrayRef<Value> batch, Value from, Value count, Value weights,
                  Value accumulators, Value scales, Value base) {
    Value own = add(code, base, ownValues), strip = index(code, keyTile * rows / fold);
    where(ofTile(), [&] { packValues(batch, from, count, own, strip); });
    Value before = code.createOrFold<arith::DivUIOp>(from, index(code, rows));
    own = choose(code, grouped, add(code, own, multiply(code, before, index(code, rows * rows / fold))), own);
    products.toRight(code, scratch, weights, count, wide);
    own = choose(code, packed, valuesAt(loops.number(value.loops, batch), before), own);
    strip = choose(code, ofTile(), strip, valueStrip);
    products.accumulate(code, scratch, {own, strip, weights, count, accumulators, featureBlocks, scales}, wide);
  }

  /// Whether keys and values are packed a tile at a time.
  Value ofTile() {
    Value no = arith::ConstantOp::create(code, code.getBoolAttr(false));
    return choose(code, packed, no, choose(code, grouped, no, arith::ConstantOp::create(code, code.getBoolAttr(true))));
  }

  /// Merges the states of the parts of a tile in order, and writes the results.
  void finish(unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value state) {
    Value none = index(code, 0), one = index(code, 1), width = index(code, wide * lanes), references = featureRoom,
          measureRow = add(code, featureRoom, one);
    auto at = [&](Value panel, Value row, unsigned v) { return place(panel, row, v, wide); };
    if (parts.canBeMany())
      loop(code, one, parts.count, 1, [&](Value part) {
        Value other = add(code, state, multiply(code, part, stateRoom));
        for (unsigned v = 0; v < wide; ++v) {
          std::optional<Lanes> left, right;
          if (Algebra::hasReference) {
            Lanes a = number(loadLanes(at(state, references, v))), b = number(loadLanes(at(other, references, v)));
            auto merger = algebra::mergerOf<Algebra>(a, b);
            left = merger.left;
            right = merger.right;
            storeLanes(merger.reference.value, at(state, references, v));
          }
          auto merge = [&](Value row) {
            Lanes a = number(loadLanes(at(state, row, v))), b = number(loadLanes(at(other, row, v)));
            storeLanes((left ? a * *left + b * *right : a + b).value, at(state, row, v));
          };
          if (measured)
            merge(measureRow);
          loop(code, none, features, 1, merge);
        }
      });
    loop(code, none, features, 1, [&](Value row) {
      for (unsigned v = 0; v < wide; ++v) {
        Lanes total = number(loadLanes(at(state, row, v)));
        Lanes measure = Algebra::hasMeasure ? number(loadLanes(at(state, measureRow, v))) : total;
        storeLanes(Algebra::finish(total, measure).value, at(state, row, v));
      }
    });
    products.blocks.scatter(code, output.at(code, batch, first), subtract(code, queries, first), features,
                            {scratch, state, width}, wide);
    if (stream.isMeasured())
      products.blocks.scatter(code, measures.at(code, batch, first), subtract(code, queries, first), one,
                              {scratch, at(state, measureRow, 0), width}, wide);
  }

  Code &code;
  StreamOp stream;
  StreamLoops loops;
  Sharing sharing;
  Products products;
  int64_t lanes, vectors, rows, fold, side; // `fold`: elements in a word
  Operand query, key, value, output, measures;
  std::optional<TermLoops> terms;
  bool measured = false, hasProducts = false; // whether a state has one; whether a contraction is of products
  llvm::SmallVector<Operand> others;
  Value queries, keys, depth, features;                   // extents
  Value depthRoom, featureRoom, keyBlocks, featureBlocks; // rounded up, and in blocks
  Value keyBlock, valueStrip, stateRoom, slotRoom;        // sizes in floats
  Value tiles, heads, tasks, packed, grouped;             // `packed`, `grouped`: bools
  KeyParts parts;
  Value scratch, packedKeys, packedValues, states, slots;      // in scratch
  Value queryPanel, scores, scales, state, ownKeys, ownValues; // in the slot of a thread
  Values turned;                                               // there too
};

} // namespace

void emitTiles(Code &code, StreamOp stream, const Machine &machine, std::string name) {
  algebra::withAlgebra(std::string_view(stream.getAlgebra()),
                       [&](auto algebra) { TileEmitter<decltype(algebra)>(code, stream, machine, name).run(); });
}

} // namespace attnc
