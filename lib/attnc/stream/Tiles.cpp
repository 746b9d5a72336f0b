#include "attnc/stream/Algebra.h"
#include "attnc/stream/KeyRange.h"
#include "attnc/stream/Panels.h"
#include "attnc/stream/Passes.h"
#include "attnc/stream/Region.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

// A stream as loops over tiles. The queries of a tile lie in the lanes of vectors, so that maxima, sums and rescaling
// are plain operations of vectors, and weights are stored as they are consumed:
//
//     for each tile of up to `vectors * lanes` queries:
//       Q panel [d][query]
//       for each tile of keys:
//         S [key][query] = K · Qᵀ       `rows` keys by the queries in registers; K packed [key / rows][d][rows]
//         scores, reference, weights    in place
//         O [e][query] += Vᵀ · P        `rows` features by the queries in registers; V packed [e / rows][key][rows]
//       y = finished O, turned
//
// A tile's keys come in order, and tiles of queries share nothing: the result does not depend on threads.
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

/// Keys in a tile: their weights for a tile of queries stay in the first cache, and the accumulators are read and
/// written once for so many keys.
constexpr int64_t keyTile = 128;
/// Multiplications from which a stream is shared out to threads: about ten times what starting them costs.
constexpr int64_t worthThreads = 1 << 19;

template <class Algebra> class TileEmitter {
public:
  TileEmitter(Code &code, StreamOp stream, const Machine &machine)
      : code(code), stream(stream), lanes(machine.lanes()), vectors(machine.vectors()), rows(machine.rows()) {}

  void run() {
    findExtents();
    unsigned operand = 0;
    if (stream.isContracted()) {
      query = matrixOf(operand++, stream.queryLoop(), stream.depthLoop());
      key = matrixOf(operand++, stream.keyLoop(), stream.depthLoop());
    }
    if (stream.isValued())
      value = matrixOf(operand++, stream.keyLoop(), stream.featureLoop());
    output = matrixOf(stream->getNumOperands() - 1, stream.queryLoop(),
                      stream.isValued() ? std::optional<unsigned>(stream.featureLoop()) : std::nullopt);
    queries = extents[stream.queryLoop()];
    keys = extents[stream.keyLoop()];
    depth = stream.isContracted() ? extents[stream.depthLoop()] : index(code, 0);
    features = stream.isValued() ? extents[stream.featureLoop()] : index(code, 1);
    keyBlocks = ceilDiv(code, keys, rows);
    featureBlocks = ceilDiv(code, features, rows);

    if (stream.isContracted())
      panelOfKeys = allocate(
          multiply(code, product(key.loops), multiply(code, keyBlocks, multiply(code, depth, index(code, rows)))));
    if (stream.isValued())
      panelOfValues = allocate(
          multiply(code, product(value.loops), multiply(code, featureBlocks, multiply(code, keys, index(code, rows)))));
    shared = worksForThreads();
    if (panelOfKeys)
      forEach(multiply(code, product(key.loops), keyBlocks), [&](Value task) { packKeys(task); });
    if (panelOfValues)
      forEach(multiply(code, product(value.loops), keyBlocks), [&](Value task) { packValues(task); });

    Value width = index(code, vectors * lanes);
    int64_t tilesOfKeys = 1; // the weights, and what must be turned
    for (unsigned i = 0; i < stream.getOthers().size(); ++i) {
      others.push_back(matrixOf(operand++, stream.queryLoop(), stream.keyLoop()));
      tilesOfKeys += others.back().matrix.rowAxis && others.back().matrix.columnAxis;
    }
    Value area = add(code, add(code, depth, index(code, tilesOfKeys * keyTile)),
                     multiply(code, featureBlocks, index(code, rows)));
    slot = multiply(code, area, width);
    Value slots = shared ? threads("omp_get_max_threads") : index(code, 1);
    scratch = allocate(multiply(code, slot, slots));
    tiles = ceilDiv(code, queries, vectors * lanes);
    llvm::SmallVector<unsigned> all(stream.getBatch());
    std::iota(all.begin(), all.end(), 0);
    forEach(multiply(code, product(all), tiles), [&](Value task) { runTask(task); });
    for (Value array : {scratch, panelOfValues, panelOfKeys})
      if (array)
        memref::DeallocOp::create(code, array);
  }

private:
  struct Operand {
    Matrix matrix;
    mlir::AffineMap map;
    llvm::SmallVector<unsigned> loops; // of the batch, that it runs along
  };

  void findExtents() {
    extents.resize(stream.loopCount());
    for (auto [i, array] : llvm::enumerate(stream->getOperands())) {
      mlir::AffineMap map = stream.mapOf(i);
      for (unsigned axis = 0; axis < map.getNumResults(); ++axis)
        if (Value &extent = extents[map.getDimPosition(axis)]; !extent)
          extent = code.createOrFold<memref::DimOp>(array, axis);
    }
  }

  Operand matrixOf(unsigned operand, unsigned rowLoop, std::optional<unsigned> columnLoop) {
    Operand result;
    result.map = stream.mapOf(operand);
    result.matrix.array = stream->getOperand(operand);
    for (unsigned axis = 0; axis < result.map.getNumResults(); ++axis) {
      unsigned loop = result.map.getDimPosition(axis);
      if (loop == rowLoop)
        result.matrix.rowAxis = axis;
      if (loop == columnLoop)
        result.matrix.columnAxis = axis;
      if (loop < stream.getBatch())
        result.loops.push_back(loop);
    }
    llvm::sort(result.loops);
    return result;
  }

  Value product(llvm::ArrayRef<unsigned> loops) {
    Value all = index(code, 1);
    for (unsigned loop : loops)
      all = multiply(code, all, extents[loop]);
    return all;
  }

  /// The number of the indices `at` of all batch loops among those of `loops`.
  Value flat(llvm::ArrayRef<unsigned> loops, llvm::ArrayRef<Value> at) {
    Value number = index(code, 0);
    for (unsigned loop : loops)
      number = add(code, multiply(code, number, extents[loop]), at[loop]);
    return number;
  }
  /// The way back; loops that are not among `loops` get 0.
  Values unflat(llvm::ArrayRef<unsigned> loops, Value number) {
    Values at(stream.getBatch(), index(code, 0));
    for (unsigned loop : llvm::reverse(loops)) {
      at[loop] = code.createOrFold<arith::RemUIOp>(number, extents[loop]);
      number = code.createOrFold<arith::DivUIOp>(number, extents[loop]);
    }
    return at;
  }
  Matrix at(const Operand &operand, llvm::ArrayRef<Value> batch) {
    Matrix result = operand.matrix;
    for (unsigned axis = 0; axis < operand.map.getNumResults(); ++axis) {
      unsigned loop = operand.map.getDimPosition(axis);
      result.indices.push_back(loop < batch.size() ? batch[loop] : Value());
    }
    return result;
  }

  Value allocate(Value floats) {
    auto type = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, code.getF32Type());
    return memref::AllocOp::create(code, type, ValueRange{floats}, code.getI64IntegerAttr(64));
  }

  bool worksForThreads() {
    int64_t work = 1;
    for (Value extent : extents) {
      auto known = mlir::getConstantIntValue(extent);
      if (!known)
        return false;
      work *= std::max<int64_t>(*known, 0);
    }
    return work >= worthThreads;
  }

  Value threads(llvm::StringRef function) {
    auto module = stream->getParentOfType<mlir::ModuleOp>();
    if (!module.lookupSymbol(function)) {
      mlir::OpBuilder::InsertionGuard guard(code);
      code.setInsertionPointToStart(module.getBody());
      mlir::func::FuncOp::create(code, function, code.getFunctionType({}, code.getI32Type())).setPrivate();
    }
    Value number = mlir::func::CallOp::create(code, function, mlir::TypeRange{code.getI32Type()}).getResult(0);
    return arith::IndexCastOp::create(code, code.getIndexType(), number);
  }

  void forEach(Value count, llvm::function_ref<void(Value)> body) {
    if (!shared)
      return loop(code, index(code, 0), count, 1, body);
    auto parallel =
        scf::ParallelOp::create(code, ValueRange{index(code, 0)}, ValueRange{count}, ValueRange{index(code, 1)});
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPoint(parallel.getBody()->getTerminator());
    body(parallel.getInductionVars()[0]);
  }

  void packKeys(Value task) {
    Value block = code.createOrFold<arith::RemUIOp>(task, keyBlocks);
    Values batch = unflat(key.loops, code.createOrFold<arith::DivUIOp>(task, keyBlocks));
    Value first = multiply(code, block, index(code, rows));
    Value offset = multiply(code, task, multiply(code, depth, index(code, rows)));
    gatherRows(code, at(key, batch), first, smaller(code, subtract(code, keys, first), index(code, rows)), depth,
               {panelOfKeys, offset, int64_t(rows), int64_t(rows)});
  }

  void packValues(Value task) {
    Value block = code.createOrFold<arith::RemUIOp>(task, keyBlocks);
    Value number = code.createOrFold<arith::DivUIOp>(task, keyBlocks);
    Values batch = unflat(value.loops, number);
    Value first = multiply(code, block, index(code, rows));
    Value count = smaller(code, subtract(code, keys, first), index(code, rows));
    loop(code, index(code, 0), featureBlocks, 1, [&](Value feature) {
      copyStrip(code, at(value, batch), first, count, multiply(code, feature, index(code, rows)), features,
                panelOfValues, valueOffset(number, feature, first), rows);
    });
  }
  Value valueOffset(Value batch, Value feature, Value key) {
    Value row = add(code, multiply(code, batch, featureBlocks), feature);
    return multiply(code, add(code, multiply(code, row, keys), key), index(code, rows));
  }

  /// One tile of queries, as wide as what is left of them.
  void runTask(Value task) {
    // From both ends in turn: where later queries see more keys, threads that take tasks in order have equal shares.
    Value number = code.createOrFold<arith::RemUIOp>(task, tiles), two = index(code, 2);
    Value half = code.createOrFold<arith::DivUIOp>(number, two);
    Value odd = arith::CmpIOp::create(code, arith::CmpIPredicate::ne, code.createOrFold<arith::RemUIOp>(number, two),
                                      index(code, 0));
    Value tile =
        code.createOrFold<arith::SelectOp>(odd, subtract(code, subtract(code, tiles, index(code, 1)), half), half);
    llvm::SmallVector<unsigned> all(stream.getBatch());
    std::iota(all.begin(), all.end(), 0);
    Values batch = unflat(all, code.createOrFold<arith::DivUIOp>(task, tiles));
    Value first = multiply(code, tile, index(code, vectors * lanes)), left = subtract(code, queries, first);
    Value base = shared ? multiply(code, slot, threads("omp_get_thread_num")) : index(code, 0);
    ofWidth(vectors, left, [&](unsigned wide) { runTile(wide, batch, first, base); });
  }

  void ofWidth(unsigned wide, Value left, llvm::function_ref<void(unsigned)> body) {
    auto known = mlir::getConstantIntValue(queries);
    auto occurs = [&](int64_t count) { // whether some tile has exactly so many vectors
      if (!known)                      // two widths: each is code of its own
        return count == int64_t(vectors) || count == 1;
      int64_t whole = vectors * lanes, rest = *known % whole;
      return (count == int64_t(vectors) && *known >= whole) ||
             (rest > 0 && int64_t(llvm::divideCeil(rest, lanes)) == count);
    };
    if (!occurs(wide))
      return wide > 1 ? ofWidth(wide - 1, left, body) : void();
    unsigned narrower = wide - 1;
    while (narrower > 0 && !occurs(narrower))
      --narrower;
    if (narrower == 0)
      return body(wide);
    branch(
        code, less(code, index(code, narrower * lanes), left), [&] { body(wide); },
        [&] { ofWidth(narrower, left, body); });
  }

  mlir::VectorType vectorType() { return mlir::VectorType::get({int64_t(lanes)}, code.getF32Type()); }
  Value loadLanes(Value offset) { return vector::LoadOp::create(code, vectorType(), scratch, ValueRange{offset}); }
  void storeLanes(Value lanes, Value offset) { vector::StoreOp::create(code, lanes, scratch, ValueRange{offset}); }

  /// block[row][v] += Σ_k panel[panelAt + k * rows + row] * scratch[vectorsAt + k * width + v * lanes]
  Values multiplyBlock(unsigned wide, Value panel, Value panelAt, Value vectorsAt, Value count, ValueRange initial) {
    Value width = index(code, wide * lanes);
    return loop(code, index(code, 0), count, 1, initial, [&](Value k, ValueRange carried) {
      Value from = add(code, vectorsAt, multiply(code, k, width)),
            element = add(code, panelAt, multiply(code, k, index(code, rows)));
      Values right, next;
      for (unsigned v = 0; v < wide; ++v)
        right.push_back(loadLanes(add(code, from, index(code, v * lanes))));
      for (unsigned row = 0; row < rows; ++row) {
        Value left = broadcast(
            code, memref::LoadOp::create(code, panel, ValueRange{add(code, element, index(code, row))}), lanes);
        for (unsigned v = 0; v < wide; ++v)
          next.push_back(vector::FMAOp::create(code, left, right[v], carried[row * wide + v]));
      }
      return next;
    });
  }

  void runTile(unsigned wide, llvm::ArrayRef<Value> batch, Value first, Value base) {
    auto number = [&](Value value) { return Lanes{&code, value}; };
    Value zero = splat(code, vectorType(), 0), none = index(code, 0), width = index(code, wide * lanes);
    Value queryPanel = base, scores = add(code, queryPanel, multiply(code, depth, width)),
          accumulators = add(code, scores, index(code, keyTile * wide * lanes));
    auto place = [&](Value panel, Value row, unsigned v) {
      return add(code, panel, add(code, multiply(code, row, width), index(code, v * lanes)));
    };
    auto rowsOf = [&](unsigned v) {
      Value begin = add(code, first, index(code, v * lanes));
      return std::pair{begin, smaller(code, subtract(code, queries, begin), index(code, lanes))};
    };
    auto panelOf = [&](Value panel, unsigned v) {
      return Panel{scratch, add(code, panel, index(code, v * lanes)), int64_t(wide * lanes), int64_t(lanes)};
    };

    if (stream.isContracted())
      for (unsigned v = 0; v < wide; ++v) {
        auto [begin, count] = rowsOf(v);
        gatherRows(code, at(query, batch), begin, count, depth, panelOf(queryPanel, v));
      }
    if (stream.isValued())
      loop(code, none, multiply(code, featureBlocks, index(code, rows)), 1, [&](Value row) {
        for (unsigned v = 0; v < wide; ++v)
          storeLanes(zero, place(accumulators, row, v));
      });
    Region region(code, stream, lanes, wide, batch, first, queries);
    Value last = subtract(code, smaller(code, add(code, first, width), queries), index(code, 1));
    KeyRange range = solveKeyRange(code, stream, batch, first, last, keys);
    // Packed keys are read in whole blocks.
    Value begin = multiply(code, code.createOrFold<arith::DivUIOp>(range.from, index(code, rows)), index(code, rows));
    llvm::SmallVector<unsigned> turned = region.turnedOthers();
    Value turnedPanels =
        add(code, accumulators, multiply(code, multiply(code, featureBlocks, index(code, rows)), width));

    // State: references, measures, and the accumulator where there are no values.
    Values unit;
    if (Algebra::hasReference)
      unit.append(wide, splat(code, vectorType(), -std::numeric_limits<double>::infinity()));
    if (Algebra::hasMeasure)
      unit.append(wide, zero);
    if (!stream.isValued())
      unit.append(wide, zero);
    Values state = loop(code, begin, range.to, keyTile, unit, [&](Value from, ValueRange before) {
      Value count = smaller(code, subtract(code, range.to, from), index(code, keyTile));
      contract(wide, batch, from, count, queryPanel, scores);
      for (auto [i, other] : llvm::enumerate(turned)) {
        Value panel = add(code, turnedPanels, multiply(code, index(code, i * keyTile), width));
        for (unsigned v = 0; v < wide; ++v) {
          auto [query, left] = rowsOf(v);
          Panel place = panelOf(panel, v);
          place.column = from;
          gatherRows(code, at(others[other], batch), query, left, count, place);
        }
        region.usePanel(other, scratch, panel, from, wide * lanes);
      }

      Values references(before.take_front(Algebra::hasReference ? wide : 0)), state;
      if (Algebra::hasReference)
        references = loop(code, none, count, 1, references, [&](Value row, ValueRange greatest) {
          Values next;
          Value key = add(code, from, row);
          for (unsigned v = 0; v < wide; ++v) {
            Lanes score = region.score(v, key, contraction(place(scores, row, v)));
            storeLanes(score.value, place(scores, row, v));
            next.push_back(maximum(score, number(greatest[v])).value);
          }
          return next;
        });
      Values rescale;
      if (Algebra::hasReference)
        for (unsigned v = 0; v < wide; ++v)
          rescale.push_back(Algebra::weight(number(before[v]), number(references[v])).value);
      state = references;
      Values sums(before.drop_front(references.size()));
      for (auto [i, sum] : llvm::enumerate(sums))
        if (Algebra::hasReference)
          sum = (number(sum) * number(rescale[i % wide])).value;
      state.append(loop(code, none, count, 1, sums, [&](Value row, ValueRange sums) {
        Values next(sums);
        Value key = add(code, from, row);
        for (unsigned v = 0; v < wide; ++v) {
          Lanes score = Algebra::hasReference ? number(loadLanes(place(scores, row, v)))
                                              : region.score(v, key, contraction(place(scores, row, v)));
          Lanes weight = Algebra::weight(score, Algebra::hasReference ? number(references[v]) : score);
          unsigned sum = v;
          if (Algebra::hasMeasure) {
            next[sum] = (number(next[sum]) + Algebra::measure(weight)).value;
            sum += wide;
          }
          if (auto factor = region.factor(v, key))
            weight = weight * *factor;
          if (stream.isValued())
            storeLanes(weight.value, place(scores, row, v));
          else
            next[sum] = (number(next[sum]) + weight).value;
        }
        return next;
      }));
      if (stream.isValued())
        accumulate(wide, batch, from, count, scores, accumulators, rescale);
      return state;
    });

    ValueRange sums = ValueRange(state).drop_front(Algebra::hasReference ? wide : 0);
    loop(code, none, features, 1, [&](Value row) {
      for (unsigned v = 0; v < wide; ++v) {
        Value total = stream.isValued() ? loadLanes(place(accumulators, row, v)) : sums[sums.size() - wide + v];
        Lanes measure = Algebra::hasMeasure ? number(sums[v]) : number(total);
        storeLanes(Algebra::finish(number(total), measure).value, place(accumulators, row, v));
      }
    });
    for (unsigned v = 0; v < wide; ++v) {
      auto [begin, count] = rowsOf(v);
      scatterRows(code, at(output, batch), begin, count, features, panelOf(accumulators, v));
    }
  }

  Value contraction(Value offset) { return stream.isContracted() ? loadLanes(offset) : Value(); }

  /// S [key][query] of a tile.
  void contract(unsigned wide, llvm::ArrayRef<Value> batch, Value from, Value count, Value queryPanel, Value scores) {
    if (!stream.isContracted())
      return;
    Value block = add(code, multiply(code, flat(key.loops, batch), keyBlocks),
                      code.createOrFold<arith::DivUIOp>(from, index(code, rows)));
    loop(code, index(code, 0), ceilDiv(code, count, rows), 1, [&](Value i) {
      Value panelAt = multiply(code, add(code, block, i), multiply(code, depth, index(code, rows)));
      Values initial(rows * wide, splat(code, vectorType(), 0));
      Values products = multiplyBlock(wide, panelOfKeys, panelAt, queryPanel, depth, initial);
      Value to = add(code, scores, multiply(code, i, index(code, rows * wide * lanes)));
      for (auto [j, product] : llvm::enumerate(products))
        storeLanes(product, add(code, to, index(code, j * lanes)));
    });
  }

  /// O [e][query] = rescale O + Vᵀ P of a tile.
  void accumulate(unsigned wide, llvm::ArrayRef<Value> batch, Value from, Value count, Value weights,
                  Value accumulators, llvm::ArrayRef<Value> rescale) {
    Value number = flat(value.loops, batch);
    loop(code, index(code, 0), featureBlocks, 1, [&](Value feature) {
      Value to = add(code, accumulators, multiply(code, feature, index(code, rows * wide * lanes)));
      Values initial;
      for (unsigned j = 0; j < rows * wide; ++j) {
        Value sum = loadLanes(add(code, to, index(code, j * lanes)));
        initial.push_back(rescale.empty() ? sum : (Lanes{&code, sum} * Lanes{&code, rescale[j % wide]}).value);
      }
      Values sums = multiplyBlock(wide, panelOfValues, valueOffset(number, feature, from), weights, count, initial);
      for (auto [j, sum] : llvm::enumerate(sums))
        storeLanes(sum, add(code, to, index(code, j * lanes)));
    });
  }

  Code &code;
  StreamOp stream;
  unsigned lanes, vectors, rows;
  llvm::SmallVector<Value> extents;
  Operand query, key, value, output;
  llvm::SmallVector<Operand> others;
  Value queries, keys, depth, features, keyBlocks, featureBlocks, tiles;
  Value panelOfKeys, panelOfValues, scratch, slot;
  bool shared = false;
};

struct Tiles : mlir::PassWrapper<Tiles, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Tiles)
  Tiles(const Machine &machine = {}) {
    vectorBits = machine.vectorBits;
    registers = machine.registers;
  }
  Tiles(const Tiles &other) : PassWrapper(other) {}
  llvm::StringRef getArgument() const final { return "attnc-tiles"; }
  llvm::StringRef getDescription() const final { return "streams on arrays as loops over tiles of vectors"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, mlir::func::FuncDialect, memref::MemRefDialect, scf::SCFDialect,
                    vector::VectorDialect>();
  }

  void runOnOperation() final {
    Machine machine{vectorBits, registers};
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp op) { streams.push_back(op); });
    for (StreamOp stream : streams) {
      Code code(stream.getLoc(), stream);
      bool known = algebra::withAlgebra(std::string_view(stream.getAlgebra()), [&](auto algebra) {
        TileEmitter<decltype(algebra)>(code, stream, machine).run();
      });
      if (!known) {
        stream.emitOpError() << "there is no algebra '" << stream.getAlgebra() << "'";
        return signalPassFailure();
      }
      stream.erase();
    }
  }

  Option<unsigned> vectorBits{*this, "vector-bits", llvm::cl::desc("bits of a vector"), llvm::cl::init(128)};
  Option<unsigned> registers{*this, "registers", llvm::cl::desc("how many vectors registers hold"), llvm::cl::init(16)};
};

} // namespace

std::unique_ptr<mlir::Pass> createTilesPass(const Machine &machine) { return std::make_unique<Tiles>(machine); }
void registerTilesPass() { mlir::PassRegistration<Tiles>(); }

} // namespace attnc
