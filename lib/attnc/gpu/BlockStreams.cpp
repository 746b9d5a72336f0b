#include "attnc/gpu/BlockScans.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"
#include "attnc/gpu/Products.h"
#include "attnc/gpu/RowFold.h"
#include "attnc/gpu/Staging.h"
#include "attnc/gpu/WarpGroups.h"
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
  /// `parted`: whether keys may be, where there are few queries.
  BlockEmitter(Code &code, StreamOp stream, const Tiling &tiling, bool parted)
      : code(code), stream(stream), tiling(tiling), parted(parted), loops(code, stream) {}

  void run() {
    queries = loops.extent(stream.queryLoop());
    keys = loops.extent(stream.keyLoop());
    Value none = index(code, 0), one = index(code, 1), indices = loops.count(loops.batch());
    tiles = ceilDiv(code, queries, tiling.queries());
    if (parted)
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

  /// Where one tile has all queries, keys are parted so that there are blocks enough.
  void findParts(Value tasks) {
    auto count = mlir::getConstantIntValue(queries), length = mlir::getConstantIntValue(keys);
    if (!count || *count > tiling.queries() || *count == 0 || (length && *length < 2 * leastPart))
      return;
    Value most = code.createOrFold<arith::DivUIOp>(keys, index(code, leastPart));
    PartStates made;
    made.parts = partKeys(code, keys, tasks, tiling.keys, wantedBlocks, most);
    made.features = tiling.valued ? tiling.features : 1;
    made.queries = *count;
    Value floats = multiply(code, multiply(code, tasks, made.parts.count), index(code, *count * (made.features + 2)));
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
      int64_t room = tiling.usedDepth();
      Staging(code, query.at(code, batch, none), tiling.depth, room, products->queryRoom, tiling.threads())
          .copy(*thread, first, queries, tiling.queries(), none);
      keyRows.emplace(code, key.at(code, batch, none), tiling.depth, room, products->keyRoom, tiling.threads());
      if (!key.placed.empty())
        keyRows->usePlaces(*placing, key.placed);
    }
    if (tiling.valued) {
      Operand value = operands.value();
      valueRows.emplace(code, value.at(code, batch, none), tiling.features, tiling.usedFeatures(), products->valueRoom,
                        tiling.threads());
      if (!value.placed.empty())
        valueRows->usePlaces(*placing, value.placed);
    }
    std::optional<int64_t> features;
    if (tiling.valued)
      features = tiling.features;
    fold.emplace(code, stream, features, tiling.featureTiles(), *thread, batch, add(code, first, products->row),
                 queries);

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
    Values state = fold->unit(part);
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
    fold->gather(state);
    if (states)
      keep(state, add(code, multiply(code, number, tiles), tile), part);
    else
      fold->write(state, StreamOutputs(code, stream, loops, batch));
  }

  /// The state after a tile of keys, which lies from row `at` on.
  Values absorb(Value from, Value to, Value at, ValueRange before) {
    Values state(before), scores = tiling.contracted ? products->contract(at) : Values(tiling.keys / 2);
    Values scales = fold->weigh(scores, from, to, state);
    auto results = llvm::MutableArrayRef(state).drop_front(fold->firstResult());
    fold->rescale(scales, results);
    if (tiling.valued)
      products->accumulate(scores, at, results);
    else
      fold->sumWeights(scores, results);
    return state;
  }

  /// Keeps the state of the block for the others to be merged with.
  void keep(llvm::ArrayRef<Value> state, Value task, Value part) {
    fold->eachRow([&](int64_t h) {
      Value begin = states->at(code, task, part, plus(products->row, 8 * h));
      auto store = [&](Value value, Value at) {
        memref::StoreOp::create(code, value, states->array, ValueRange{add(code, begin, at)});
      };
      fold->eachResult(h, state, store);
      if (Algebra::hasReference)
        store(state[h], index(code, states->features));
      if (fold->measures() > 0)
        store(state[fold->references() + h], index(code, states->features + 1));
    });
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
      if (Algebra::hasMeasure || stream.isMeasured())
        absorb(next[1], states->load(code, at, states->features + 1));
      return next;
    });
    StreamOutputs outputs(code, stream, loops, loops.indices(loops.batch(), point[0]));
    Value finished = Algebra::finish(number(sums[0]), number(sums[1])).value;
    StreamOutputs::store(code, finished, outputs.results, query, column);
    if (outputs.measures)
      StreamOutputs::store(code, sums[1], *outputs.measures, query, none); // the same from each column
  }

  Code &code;
  StreamOp stream;
  Tiling tiling;
  bool parted;
  StreamLoops loops;
  Value queries, keys, tiles;
  std::optional<PartStates> states; // where keys are parted
  std::optional<Thread> thread;
  std::optional<TileProducts> products;
  std::optional<RowFold<Algebra>> fold;
  std::optional<Region> placing; // of the one query, where there is one
};

/// Queries that have keys of their own become indices of the batch, with one query each. Whether they had.
bool separateQueries(StreamOp stream) {
  if (!stream.hasQueries() || stream.scoreOp().getPlaces().empty())
    return false;
  unsigned query = stream.queryLoop();
  llvm::SmallVector<mlir::Attribute> maps;
  for (auto map : stream.getMaps().getAsValueRange<mlir::AffineMapAttr>()) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
      unsigned loop = map.getDimPosition(axis);
      axes.push_back(mlir::getAffineDimExpr(loop + (loop > query), stream.getContext()));
    }
    maps.push_back(mlir::AffineMapAttr::get(mlir::AffineMap::get(map.getNumDims() + 1, 0, axes, stream.getContext())));
  }
  stream.setMapsAttr(mlir::ArrayAttr::get(stream.getContext(), maps));
  stream.getScore().front().insertArgument(query + 1, mlir::IndexType::get(stream.getContext()), stream.getLoc());
  stream.setBatch(query + 1);
  return true;
}

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

  Streams() = default;
  explicit Streams(bool groups) { warpGroups = groups; }
  Streams(const Streams &other) : PassWrapper(other) { warpGroups = bool(other.warpGroups); }
  Option<bool> warpGroups{*this, "warp-groups", llvm::cl::desc("the device has warp groups, as sm_90a")};

  void runOnOperation() final {
    llvm::SmallVector<StreamOp> streams;
    getOperation()->walk([&](StreamOp op) { streams.push_back(op); });
    getOperation()->walk([](dialect::ChunksOp scan) {
      Code code(scan.getLoc(), scan);
      emitScan(code, scan);
      scan.erase();
    });
    for (StreamOp stream : streams) {
      if (auto groups = warpGroups ? groupTilingOf(stream) : tl::unexpected(std::string())) {
        Code code(stream.getLoc(), stream);
        emitGroups(code, stream, *groups);
        stream.erase();
        continue;
      }
      bool separated = separateQueries(stream);
      auto tiling = tilingOf(stream);
      if (!tiling) {
        stream.emitOpError() << tiling.error();
        return signalPassFailure();
      }
      Code code(stream.getLoc(), stream);
      algebra::withAlgebra(std::string_view(stream.getAlgebra()), [&](auto algebra) {
        BlockEmitter<decltype(algebra)>(code, stream, *tiling, !separated).run();
      });
      stream.erase();
    }
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createBlocksPass(bool warpGroups) { return std::make_unique<Streams>(warpGroups); }

} // namespace attnc
