#include "attnc/gpu/WarpGroups.h"

#include "attnc/dialect/DeviceOps.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/RowFold.h"
#include "attnc/stream/Algebra.h"
#include "attnc/stream/KeyRange.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include <fmt/format.h>

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace scf = mlir::scf;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

/// Registers of a thread that copies, and of one that computes; what of the latter tiles and results may take.
constexpr int64_t fewRegisters = 56, manyRegisters = 224, mostKept = 190;
/// Shared memory that a block may have, and columns of a product.
constexpr int64_t mostShared = 227 * 1024, mostColumns = 256;
/// The axes of a tensor map; elements of 16 bits in 16 bytes, of which its strides are multiples.
constexpr int64_t mostAxes = 5, strideElements = 8;
/// Keys and values that a device's second cache may keep while blocks read them in turn.
constexpr int64_t cacheBytes = 32 << 20;

/// Quarters of a register that a thread has for each key of a tile: two for the score of the next one, one for the
/// weight, and what scores are computed with, of which NVIDIA's assembler keeps some all the time.
static int64_t quartersOfKey(StreamOp stream) {
  bool reads = false, places = false;
  for (unsigned i = 0; i < stream.getOthers().size(); ++i)
    reads |= stream.mapOf(3 + i).isFunctionOfDim(stream.keyLoop());
  for (mlir::Operation &op : stream.getScore().front())
    places |= mlir::isa<arith::SIToFPOp, arith::UIToFPOp>(op);
  return places ? 8 : reads ? 7 : 5;
}

tl::expected<GroupTiling, std::string> groupTilingOf(StreamOp stream) {
  auto refuse = [](std::string why) { return tl::unexpected(std::move(why)); };
  if (!stream.isContracted() || !stream.isValued() || !stream.hasQueries())
    return refuse("it is not made of queries, keys and values");
  GroupTiling tiling;
  tiling.depth = stream.extentOf(stream.depthLoop());
  tiling.features = stream.extentOf(stream.featureLoop());
  tiling.element = mlir::getElementTypeOrSelf(stream->getOperand(0));
  const struct {
    const char *name;
    unsigned row, column;
  } parts[] = {{"queries", stream.queryLoop(), stream.depthLoop()},
               {"keys", stream.keyLoop(), stream.depthLoop()},
               {"values", stream.keyLoop(), stream.featureLoop()}};
  for (auto [i, part] : llvm::enumerate(parts)) {
    auto type = mlir::cast<mlir::ShapedType>(stream->getOperand(i).getType());
    mlir::AffineMap map = stream.mapOf(i);
    if (!type.getElementType().isBF16() && !type.getElementType().isF16())
      return refuse(fmt::format("its {} are not of 16 bits", part.name));
    if (type.getElementType() != tiling.element)
      return refuse("its elements are not all of one type");
    if (!map.isFunctionOfDim(part.row) || map.getDimPosition(map.getNumResults() - 1) != part.column)
      return refuse(fmt::format("rows of its {} do not lie along memory", part.name));
    if (int64_t(map.getNumResults()) > mostAxes)
      return refuse(fmt::format("its {} have more than {} axes", part.name, mostAxes));
    if (auto array = mlir::dyn_cast<mlir::MemRefType>(type); array && !array.getLayout().isIdentity())
      return refuse(fmt::format("its {} are part of a larger array", part.name));
  }
  for (int64_t length : {tiling.depth, tiling.features})
    if (mlir::ShapedType::isDynamic(length) || length % strideElements != 0 || length == 0)
      return refuse(fmt::format("its lengths are not multiples of {} that are compiled in", strideElements));
  if (int64_t count = stream.extentOf(stream.queryLoop());
      !mlir::ShapedType::isDynamic(count) && count <= GroupTiling::groupRows)
    return refuse(fmt::format("it has no more than {} queries", GroupTiling::groupRows));
  for (int64_t keys : {128, 112, 96, 80, 64, 48, 32})
    for (int64_t stages : {4, 2}) {
      tiling.keys = keys;
      tiling.stages = stages;
      int64_t kept = keys * quartersOfKey(stream) / 4 + tiling.features / 2;
      if (kept <= mostKept && tiling.features <= mostColumns && tiling.bytes() <= mostShared)
        return tiling;
    }
  return refuse(fmt::format("lengths of {} and {} do not fit in the registers and the shared memory of warp groups",
                            tiling.depth, tiling.features));
}

namespace {

/// Descriptors of matrices in shared memory (PTX ISA, matrix descriptor format): rows of 128 bytes, swizzled, in pieces
/// of eight; `leading`: bytes from a panel of columns to the next, where the product goes across them.
Value matrixAt(Code &code, Value address, int64_t leading) {
  constexpr uint64_t swizzled = uint64_t(1) << 62;
  uint64_t fixed = swizzled | uint64_t(GroupTiling::pieceBytes >> 4) << 32 | uint64_t(leading >> 4) << 16;
  Value bits = arith::ExtUIOp::create(code, code.getI64Type(), address);
  bits = arith::ShRUIOp::create(code, bits, arith::ConstantOp::create(code, code.getI64IntegerAttr(4)));
  return arith::OrIOp::create(code, bits, arith::ConstantOp::create(code, code.getI64IntegerAttr(int64_t(fixed))));
}

template <class Algebra> class GroupEmitter {
public:
  GroupEmitter(Code &code, StreamOp stream, const GroupTiling &tiling)
      : code(code), stream(stream), tiling(tiling), loops(code, stream) {}

  void run() {
    queries = loops.extent(stream.queryLoop());
    keys = loops.extent(stream.keyLoop());
    tiles = ceilDiv(code, queries, GroupTiling::queries);
    indices = loops.count(loops.batch());
    tasks = multiply(code, indices, tiles);
    query = operand(0, stream.queryLoop(), GroupTiling::queries, tiling.depth);
    key = operand(1, stream.keyLoop(), tiling.keys, tiling.depth);
    value = operand(2, stream.keyLoop(), tiling.keys, tiling.features);
    Value none = index(code, 0), one = index(code, 1);
    Value blocks = smaller(code, tasks, dialect::ProcessorsOp::create(code, code.getIndexType()));
    auto grid = scf::ParallelOp::create(code, ValueRange{none}, ValueRange{blocks}, ValueRange{one});
    grid->setAttr(blockAttribute, code.getI64IntegerAttr(GroupTiling::threads));
    grid->setAttr(persistentAttribute, code.getUnitAttr());
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(grid.getBody());
    block(grid.getInductionVars()[0]);
  }

private:
  /// A matrix for each index of the batch along which it runs, as a tensor map.
  struct Mapped {
    Value map;
    llvm::SmallVector<unsigned> loops;
    int64_t rows, length;
  };
  /// What blocks do one after the other.
  struct Task {
    Values batch;
    Value first; // query
    KeyRange range;
  };

  /// A dense array: its strides follow from the extents.
  Mapped operand(unsigned number, unsigned rowLoop, int64_t boxRows, int64_t length) {
    mlir::AffineMap map = stream.mapOf(number);
    Mapped made{nullptr, {}, boxRows, length};
    Value stride = index(code, length), rowStride;
    Values extents{stride, loops.extent(rowLoop)}, strides;
    llvm::SmallVector<int64_t> box{GroupTiling::columns, boxRows};
    for (unsigned axis = map.getNumResults() - 1; axis-- > 0;) {
      unsigned loop = map.getDimPosition(axis);
      if (loop == rowLoop) {
        rowStride = stride;
      } else {
        made.loops.push_back(loop);
        extents.push_back(loops.extent(loop));
        strides.push_back(stride);
        box.push_back(1);
      }
      stride = multiply(code, stride, loops.extent(loop));
    }
    strides.insert(strides.begin(), rowStride);
    auto type = mlir::MemRefType::get({}, code.getI64Type());
    made.map = dialect::TensorMapOp::create(code, type, stream->getOperand(number), extents, strides, box);
    return made;
  }

  //===- Numbers and places ---------------------------------------------------------------------------------------===//

  Value word(int64_t number) { return arith::ConstantOp::create(code, code.getI32IntegerAttr(int32_t(number))); }
  Value word(Value index) { return arith::IndexCastOp::create(code, code.getI32Type(), index); }
  Value rest(Value a, int64_t b) { return code.createOrFold<arith::RemUIOp>(a, index(code, b)); }
  Value over(Value a, int64_t b) { return code.createOrFold<arith::DivUIOp>(a, index(code, b)); }
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }
  Value place(int64_t at) { return arith::AddIOp::create(code, base, word(at)); }
  /// The place of the stage of a tile, of what lies at `at` in the first and at `at` + `step` in the second.
  Value place(Value tile, int64_t at, int64_t step) {
    Value stage = multiply(code, rest(tile, tiling.stages), index(code, step));
    return arith::AddIOp::create(code, place(at), word(stage));
  }
  Value keyPlace(Value tile) { return place(tile, tiling.keysAt(0), tiling.keysAt(1) - tiling.keysAt(0)); }
  Value valuePlace(Value tile) { return place(tile, tiling.valuesAt(0), tiling.keysAt(1) - tiling.keysAt(0)); }

  enum Barrier : int64_t { QueryFull, QueryEmpty, KeyFull, ValueFull, KeyEmpty, ValueEmpty };
  static constexpr int64_t barrierBytes = 8, stageBarriers = 4;
  Value barrierOf(Barrier which) { return place(tiling.barriersAt() + which * barrierBytes); }
  Value barrierOf(Barrier which, Value tile) {
    return place(tile, tiling.barriersAt() + which * barrierBytes, stageBarriers * barrierBytes);
  }
  /// The parity of the phase in which a tile comes to its stage, or a task's queries to their place.
  Value parity(Value number, int64_t stages, bool before = false) {
    Value round = over(number, stages);
    return word(rest(before ? plus(round, 1) : round, 2));
  }
  void wait(Value barrier, Value parity) { dialect::WaitOp::create(code, barrier, parity); }
  void waitFor(Barrier full, Value tile) { wait(barrierOf(full, tile), parity(tile, tiling.stages)); }

  //===- Tasks ----------------------------------------------------------------------------------------------------===//

  /// Later queries come first, for where they see more keys they take longest; of so many indices of the batch at a
  /// time as have keys and values that a cache keeps.
  Task taskOf(Value number) {
    Value bytes = multiply(code, keys, index(code, (tiling.depth + tiling.features) * 2));
    Value most = code.createOrFold<arith::DivUIOp>(index(code, cacheBytes), greater(code, bytes, index(code, 1)));
    Value section = smaller(code, greater(code, most, index(code, 1)), indices);
    Value whole = multiply(code, section, tiles);
    Value before = multiply(code, code.createOrFold<arith::DivUIOp>(number, whole), section);
    Value rest = code.createOrFold<arith::RemUIOp>(number, whole);
    section = smaller(code, section, subtract(code, indices, before));
    Value tile = code.createOrFold<arith::DivUIOp>(rest, section);
    tile = subtract(code, subtract(code, tiles, index(code, 1)), tile);
    Task task;
    task.batch = loops.indices(loops.batch(), add(code, before, code.createOrFold<arith::RemUIOp>(rest, section)));
    task.first = multiply(code, tile, index(code, GroupTiling::queries));
    Value last = subtract(code, smaller(code, plus(task.first, GroupTiling::queries), queries), index(code, 1));
    task.range = solveKeyRange(code, stream, task.batch, task.first, last, keys);
    return task;
  }

  /// Runs `body` for the tasks of a block, with the number of each among them and that of the first of its tiles; it
  /// gives that of the next.
  void eachTask(Value block, llvm::function_ref<Value(const Task &, Value number, Value tile)> body) {
    Value none = index(code, 0);
    Value step = mlir::gpu::GridDimOp::create(code, code.getIndexType(), mlir::gpu::Dimension::x);
    auto loop = scf::ForOp::create(code, block, tasks, step, ValueRange{none, none});
    mlir::OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(loop.getBody());
    Value number = loop.getRegionIterArgs()[0];
    Value next = body(taskOf(loop.getInductionVar()), number, loop.getRegionIterArgs()[1]);
    scf::YieldOp::create(code, ValueRange{plus(number, 1), next});
  }

  void block(Value number) {
    Value shared = sharedMemory(code, tiling.bytes(), GroupTiling::pieceBytes);
    base = word(memref::ExtractAlignedPointerAsIndexOp::create(code, shared).getResult());
    thread.emplace(code);
    Value none = index(code, 0), isFirst = equal(code, thread->id, none);
    branch(code, isFirst, [&] { beginBarriers(); }, [] {});
    barrier(code);
    Value group = over(thread->id, GroupTiling::groupThreads);
    branch(
        code, equal(code, group, none),
        [&] {
          dialect::RegistersOp::create(code, fewRegisters, /*more=*/false);
          branch(code, isFirst, [&] { copy(number); }, [] {});
        },
        [&] {
          dialect::RegistersOp::create(code, manyRegisters, /*more=*/true);
          compute(number, subtract(code, group, index(code, 1)));
        });
  }

  void beginBarriers() {
    // A place is free once each warp that computes is done with it.
    constexpr int64_t warps = GroupTiling::groups * GroupTiling::groupThreads / warpSize;
    auto begin = [&](Value place, int64_t arrivals) { dialect::BeginBarrierOp::create(code, place, arrivals); };
    begin(barrierOf(QueryFull), 1);
    begin(barrierOf(QueryEmpty), warps);
    for (int64_t stage = 0; stage < tiling.stages; ++stage) {
      for (Barrier full : {KeyFull, ValueFull})
        begin(barrierOf(full, index(code, stage)), 1);
      for (Barrier empty : {KeyEmpty, ValueEmpty})
        begin(barrierOf(empty, index(code, stage)), warps);
    }
    dialect::PublishBarriersOp::create(code);
  }

  //===- The group that copies ------------------------------------------------------------------------------------===//

  void load(const Mapped &from, llvm::ArrayRef<Value> batch, Value row, Value to, Value barrier) {
    int64_t panels = GroupTiling::panels(from.length), bytes = from.rows * GroupTiling::rowBytes;
    dialect::ExpectOp::create(code, barrier, panels * bytes);
    for (int64_t panel = 0; panel < panels; ++panel) {
      Values at{word(panel * GroupTiling::columns), word(row)};
      for (unsigned loop : from.loops)
        at.push_back(word(batch[loop]));
      dialect::LoadBoxOp::create(code, from.map, at, arith::AddIOp::create(code, to, word(panel * bytes)), barrier);
    }
  }

  void copy(Value block) {
    eachTask(block, [&](const Task &task, Value number, Value tile) {
      wait(barrierOf(QueryEmpty), parity(number, 1, /*before=*/true));
      load(query, task.batch, task.first, place(0), barrierOf(QueryFull));
      return loop(code, task.range.from, task.range.to, tiling.keys, tile, [&](Value from, ValueRange carried) {
        Value tile = carried[0], free = parity(tile, tiling.stages, /*before=*/true);
        wait(barrierOf(KeyEmpty, tile), free);
        load(key, task.batch, from, keyPlace(tile), barrierOf(KeyFull, tile));
        wait(barrierOf(ValueEmpty, tile), free);
        load(value, task.batch, from, valuePlace(tile), barrierOf(ValueFull, tile));
        return Values{plus(tile, 1)};
      })[0];
    });
  }

  //===- The groups that compute ----------------------------------------------------------------------------------===//

  void release(Value barrier) { dialect::ArriveOp::create(code, barrier, equal(code, thread->lane, index(code, 0))); }

  /// S = Q Kᵀ of a tile.
  Values contract(Value tile) {
    llvm::SmallVector<int64_t> left, right;
    for (int64_t k = 0; k < tiling.depth; k += 16) {
      int64_t panel = k / GroupTiling::columns, along = k % GroupTiling::columns * 2;
      left.push_back((panel * GroupTiling::queries * GroupTiling::rowBytes + along) >> 4);
      right.push_back((panel * tiling.keys * GroupTiling::rowBytes + along) >> 4);
    }
    Value leftMatrix = matrixAt(code, groupQueries, 16), rightMatrix = matrixAt(code, keyPlace(tile), 16);
    return product({}, {}, leftMatrix, rightMatrix, left, right, /*turned=*/false, tiling.keys / 2);
  }

  /// O + P V of a tile.
  Values accumulate(llvm::ArrayRef<Value> sums, llvm::ArrayRef<Value> weights, Value tile) {
    llvm::SmallVector<int64_t> steps;
    for (int64_t k = 0; k < tiling.keys; k += 16)
      steps.push_back(k * GroupTiling::rowBytes >> 4);
    Value matrix = matrixAt(code, valuePlace(tile), tiling.keys * GroupTiling::rowBytes);
    return product(sums, weights, nullptr, matrix, {}, steps, /*turned=*/true, int64_t(sums.size()));
  }

  Values product(ValueRange sums, ValueRange left, Value leftMatrix, Value rightMatrix,
                 llvm::ArrayRef<int64_t> leftSteps, llvm::ArrayRef<int64_t> rightSteps, bool turned, int64_t results) {
    llvm::SmallVector<mlir::Type> types(results, code.getF32Type());
    auto op = dialect::GroupProductOp::create(code, types, sums, left, leftMatrix, rightMatrix, leftSteps, rightSteps,
                                              turned, tiling.element);
    return op->getResults();
  }
  Values await(ValueRange sums, int64_t pending) {
    return dialect::AwaitOp::create(code, sums.getTypes(), sums, pending)->getResults();
  }

  /// Weights as words of two: a tile of results is laid out as the left factor of the next product.
  Values packed(llvm::ArrayRef<Value> weights) {
    Values words;
    auto two = [&](mlir::Type element) { return mlir::VectorType::get({2}, element); };
    for (std::size_t i = 0; i < weights.size(); i += 2) {
      Value wide = vector::FromElementsOp::create(code, two(code.getF32Type()), weights.slice(i, 2));
      Value narrow = arith::TruncFOp::create(code, two(tiling.element), wide);
      Value one = vector::BitCastOp::create(code, mlir::VectorType::get({1}, code.getI32Type()), narrow);
      words.push_back(vector::ExtractOp::create(code, one, 0));
    }
    return words;
  }

  void compute(Value block, Value group) {
    Value one = index(code, 1), offset = multiply(code, group, index(code, GroupTiling::groupRows));
    groupQueries = arith::AddIOp::create(code, base, word(multiply(code, offset, index(code, GroupTiling::rowBytes))));
    Value own = word(plus(group, 1)), other = word(subtract(code, index(code, 2), group));
    constexpr int64_t both = GroupTiling::groups * GroupTiling::groupThreads;
    auto passOther = [&] { dialect::PassOp::create(code, other, both); };
    branch(code, equal(code, group, one), passOther, [] {}); // the first has its turn first
    Value warpRow = multiply(code, rest(thread->warp, GroupTiling::groupThreads / warpSize), index(code, 16));
    Value row = add(code, add(code, offset, warpRow), thread->group);
    eachTask(block, [&](const Task &task, Value number, Value tile) {
      RowFold<Algebra> fold(code, stream, tiling.features, tiling.features / 8, *thread, task.batch,
                            add(code, task.first, row), queries);
      Values state = fold.unit(index(code, 0));
      const KeyRange &range = task.range;
      wait(barrierOf(QueryFull), parity(number, 1));
      auto freeQueries = [&] { release(barrierOf(QueryEmpty)); };
      state.push_back(tile);
      llvm::SmallVector<mlir::Type> stateTypes;
      for (Value value : state)
        stateTypes.push_back(value.getType());
      auto tilesOfKeys = [&] {
        Values after =
            overKeys(fold, range, llvm::ArrayRef(state).drop_back(), tile, own, passOther, both, freeQueries);
        return after;
      };
      auto nothing = [&] {
        freeQueries();
        return state;
      };
      state = branch(code, less(code, range.from, range.to), stateTypes, tilesOfKeys, nothing);
      tile = state.pop_back_val();
      fold.gather(state);
      fold.write(state, StreamOutputs(code, stream, loops, task.batch));
      return tile;
    });
  }

  /// The state after all keys of a task, and the number of the tile after them.
  Values overKeys(RowFold<Algebra> &fold, const KeyRange &range, llvm::ArrayRef<Value> before, Value tile, Value own,
                  llvm::function_ref<void()> passOther, int64_t both, llvm::function_ref<void()> freeQueries) {
    Values state(before);
    waitFor(KeyFull, tile);
    Values scores = await(contract(tile), 0);
    release(barrierOf(KeyEmpty, tile));
    fold.weigh(scores, range.from, range.to, state); // results are 0 yet
    Values carried = std::move(state), words = packed(scores);
    auto wordCount = words.size();
    carried.append(words);
    carried.push_back(tile);
    carried =
        loop(code, plus(range.from, tiling.keys), range.to, tiling.keys, carried, [&](Value from, ValueRange given) {
          Value last = given.back(), next = plus(last, 1);
          Values words(given.drop_back().take_back(wordCount)), state(given.drop_back(wordCount + 1));
          auto results = llvm::MutableArrayRef(state).drop_front(fold.firstResult());
          waitFor(KeyFull, next);
          dialect::MeetOp::create(code, own, both);
          Values scores = contract(next);
          waitFor(ValueFull, last);
          Values sums = accumulate(results, words, last);
          passOther();
          scores = await(scores, 1);
          release(barrierOf(KeyEmpty, next));
          Values scales = fold.weigh(scores, from, range.to, state);
          sums = await(sums, 0);
          release(barrierOf(ValueEmpty, last));
          llvm::copy(sums, results.begin());
          fold.rescale(scales, results);
          state.append(packed(scores));
          state.push_back(next);
          return state;
        });
    freeQueries();
    Value last = carried.pop_back_val();
    words.assign(carried.end() - wordCount, carried.end());
    carried.truncate(carried.size() - wordCount);
    auto results = llvm::MutableArrayRef(carried).drop_front(fold.firstResult());
    waitFor(ValueFull, last);
    Values sums = await(accumulate(results, words, last), 0);
    release(barrierOf(ValueEmpty, last));
    llvm::copy(sums, results.begin());
    carried.push_back(plus(last, 1));
    return carried;
  }

  Code &code;
  StreamOp stream;
  GroupTiling tiling;
  StreamLoops loops;
  Value queries, keys, tiles, indices, tasks;
  Mapped query, key, value;
  Value base, groupQueries; // places
  std::optional<Thread> thread;
};

} // namespace

void emitGroups(Code &code, StreamOp stream, const GroupTiling &tiling) {
  algebra::withAlgebra(std::string_view(stream.getAlgebra()),
                       [&](auto algebra) { GroupEmitter<decltype(algebra)>(code, stream, tiling).run(); });
}

} // namespace attnc
