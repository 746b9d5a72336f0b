#include "attnc/lower/Batcher.h"
#include "attnc/lower/Parallel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

// The generators that move elements: gather, scatter, top-k, transpose, reshape.
namespace attnc {

using namespace attnc::dialect;
namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using mlir::OpFoldResult;
using mlir::Value;
using mlir::ValueRange;

namespace {

Value indexConstant(mlir::OpBuilder &b, mlir::Location l, int64_t value) {
  return arith::ConstantIndexOp::create(b, l, value);
}
Value asValue(mlir::OpBuilder &b, mlir::Location l, OpFoldResult size) {
  return mlir::getValueOrCreateConstantIndexOp(b, l, size);
}
Value toIndex(mlir::OpBuilder &b, mlir::Location l, Value number) {
  return arith::IndexCastOp::create(b, l, b.getIndexType(), number);
}
Value zeroOf(mlir::OpBuilder &b, mlir::Location l, mlir::Type type) {
  return arith::ConstantOp::create(b, l, b.getZeroAttr(type));
}

/// 0 ≤ index < size; as unsigned numbers that is one comparison.
Value inRange(mlir::OpBuilder &b, mlir::Location l, Value index, Value size) {
  return arith::CmpIOp::create(b, l, arith::CmpIPredicate::ult, index, size);
}

/// Says of loops that their iterations are independent.
void markParallel(llvm::ArrayRef<scf::ForOp> loops) {
  for (scf::ForOp loop : loops)
    loop->setAttr(parallelAttribute, mlir::UnitAttr::get(loop.getContext()));
}

/// Loops from 0 to each extent with step 1, carrying arrays.
scf::LoopNest
loopNest(mlir::OpBuilder &b, mlir::Location l, llvm::ArrayRef<OpFoldResult> extents, ValueRange carried,
         llvm::function_ref<llvm::SmallVector<Value>(mlir::OpBuilder &, mlir::Location, ValueRange, ValueRange)> body) {
  llvm::SmallVector<Value> lows(extents.size(), indexConstant(b, l, 0)), steps(extents.size(), indexConstant(b, l, 1)),
      highs;
  for (OpFoldResult extent : extents)
    highs.push_back(asValue(b, l, extent));
  return scf::buildLoopNest(b, l, lows, highs, steps, carried,
                            [&](mlir::OpBuilder &inside, mlir::Location where, ValueRange indices, ValueRange arrays) {
                              auto results = body(inside, where, indices, arrays);
                              return scf::ValueVector(results.begin(), results.end());
                            });
}

/// The coordinates of a wire in loops over `frames`, `own` following.
llvm::SmallVector<Value> coordinates(const Batched &wire, llvm::ArrayRef<unsigned> frames, ValueRange indices,
                                     ValueRange own) {
  llvm::SmallVector<Value> result;
  for (unsigned frame : wire.frames)
    result.push_back(indices[llvm::find(frames, frame) - frames.begin()]);
  result.append(own.begin(), own.end());
  return result;
}

} // namespace

Wires Batcher::apply(GatherOp op) {
  Wires args = operands(op->getOperands());
  const Batched &array = args[0], &index = args[1];
  Frames frames = together(args);
  llvm::SmallVector<OpFoldResult, 4> own(llvm::drop_begin(array.extents));
  mlir::Type scalar = scalarOf(op.getResult());
  OpFoldResult extent = array.extents[0];
  auto constant = mlir::getConstantIntValue(extent);
  if (constant == 0) {
    Extents all = sizesOf(frames);
    all.append(own);
    return {
        {filledTensor(builder, location, all, mlir::cast<mlir::TypedAttr>(builder.getZeroAttr(scalar))), frames, own}};
  }
  Value size = asValue(builder, location, extent);
  Nest loops = nest(frames, own);
  loops.reads.push_back(readFrom(index, frames));
  Value result = loops.map(scalar, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) -> Value {
    llvm::SmallVector<Value> indices;
    for (unsigned loop = 0; loop < loops.extents.size(); ++loop)
      indices.push_back(mlir::linalg::IndexOp::create(b, l, loop));
    Value at = toIndex(b, l, e[0]), inside = inRange(b, l, at, size);
    auto element = [&](mlir::OpBuilder &b, Value position) -> Value {
      auto where = coordinates(array, frames, indices, position);
      where.append(indices.begin() + frames.size(), indices.end());
      return loadedScalar(b, l, tensor::ExtractOp::create(b, l, array.tensor, where));
    };
    Value zero = zeroOf(b, l, scalar);
    if (constant) { // something is there, so an index outside can read it in place of branching
      Value safe = arith::SelectOp::create(b, l, inside, at, indexConstant(b, l, 0));
      return arith::SelectOp::create(b, l, inside, element(b, safe), zero);
    }
    return scf::IfOp::create(
               b, l, inside, [&](mlir::OpBuilder &b, mlir::Location l) { scf::YieldOp::create(b, l, element(b, at)); },
               [&](mlir::OpBuilder &b, mlir::Location l) { scf::YieldOp::create(b, l, zero); })
        .getResult(0);
  });
  return {{result, frames, own}};
}

Wires Batcher::apply(ScatterOp op) {
  Batched index = wire(op.getIndices()), array = wire(op.getArray());
  Frames frames = together({index, array});
  llvm::SmallVector<OpFoldResult, 4> own(array.extents);
  own[0] = size(op.getSize());
  llvm::ArrayRef<OpFoldResult> slice = llvm::ArrayRef(own).drop_front();
  Extents all = sizesOf(frames), outer = all;
  all.append(own);
  outer.push_back(array.extents[0]);
  Value high = asValue(builder, location, own[0]);
  mlir::Type scalar = scalarOf(op.getResult());
  Value zeros = filledTensor(builder, location, all, mlir::cast<mlir::TypedAttr>(builder.getZeroAttr(scalar)));

  using List = llvm::SmallVector<Value>;
  auto done = loopNest(
      builder, location, outer, zeros, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange indices, ValueRange sums) {
        Value from = indices.back();
        Value to =
            toIndex(b, l, tensor::ExtractOp::create(b, l, index.tensor, coordinates(index, frames, indices, from)));
        // A loop of one step or none in place of a branch: what a loop carries stays in its array.
        Value times = arith::IndexCastUIOp::create(b, l, b.getIndexType(), inRange(b, l, to, high));
        Extents inner{times};
        inner.append(slice.begin(), slice.end());
        auto added = loopNest(
            b, l, inner, sums, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange at, ValueRange sums) -> List {
              List source{from}, target(indices.drop_back());
              source.append(at.begin() + 1, at.end());
              target.push_back(to);
              target.append(at.begin() + 1, at.end());
              Value old = tensor::ExtractOp::create(b, l, sums[0], target);
              Value more = tensor::ExtractOp::create(b, l, array.tensor, coordinates(array, frames, indices, source));
              Value sum = emitPointwise(b, l, PointwiseFn::Add, {old, more}, scalar);
              return {tensor::InsertOp::create(b, l, sum, sums[0], target)};
            });
        markParallel(llvm::ArrayRef(added.loops).drop_front()); // of one slice, all elements differ
        return List(added.results);
      });
  markParallel(llvm::ArrayRef(done.loops).drop_back());
  return {{done.results[0], frames, own}};
}

/// Selection, in the order "NaN, then greater, then lower index": the best so far are held in order, and an element
/// that goes before the last of them is moved in. O(n + m count) comparisons where m elements enter, of random ones
/// about count (1 + log(n / count)), and no scratch.
Wires Batcher::apply(TopKOp op) {
  const Batched array = wire(op.getArray());
  OpFoldResult count = size(op.getCount()), length = array.extents[0];
  Extents outer = sizesOf(array.frames), all = outer;
  all.push_back(count);
  mlir::Type scalar = scalarOf(op.getValues());
  Value zero = indexConstant(builder, location, 0), one = indexConstant(builder, location, 1);
  Value results = asValue(builder, location, count), high = asValue(builder, location, length);
  Value lowest = arith::ConstantOp::create(builder, location, unitOf(Cap::Max, scalar));
  Value nowhere = arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(-1));
  Value no = arith::ConstantOp::create(builder, location, builder.getBoolAttr(false));
  Value some = arith::MinUIOp::create(builder, location, results, one);
  Value looked = arith::MulIOp::create(builder, location, high, some); // none, where nothing is to be held
  Value initial[] = {emptyTensor(builder, location, all, scalar),
                     emptyTensor(builder, location, all, builder.getI64Type())};

  auto before = [&](mlir::OpBuilder &b, mlir::Location l, Value x, Value y) -> Value {
    if (!mlir::isa<mlir::FloatType>(scalar))
      return arith::CmpIOp::create(b, l, arith::CmpIPredicate::sgt, x, y);
    Value xNaN = arith::CmpFOp::create(b, l, arith::CmpFPredicate::UNO, x, x);
    Value yNumber = arith::CmpFOp::create(b, l, arith::CmpFPredicate::ORD, y, y);
    Value greater = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OGT, x, y);
    return arith::OrIOp::create(b, l, greater, arith::AndIOp::create(b, l, xNaN, yNumber));
  };
  using List = llvm::SmallVector<Value>;
  auto done = loopNest(
      builder, location, outer, initial, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange row, ValueRange arrays) {
        auto at = [&](Value place) {
          List whole(row);
          whole.push_back(place);
          return whole;
        };
        auto put = [&](mlir::OpBuilder &b, mlir::Location l, Value x, Value i, Value place, ValueRange held) -> List {
          return {tensor::InsertOp::create(b, l, x, held[0], at(place)),
                  tensor::InsertOp::create(b, l, i, held[1], at(place))};
        };
        auto best = scf::ForOp::create(
            b, l, zero, looked, one, arrays, [&](mlir::OpBuilder &b, mlir::Location l, Value i, ValueRange held) {
              Value x = tensor::ExtractOp::create(b, l, array.tensor, at(i));
              Value least = arith::SubIOp::create(b, l, results, one);
              Value last = arith::MinUIOp::create(b, l, i, least); // the place that is written if x enters
              // While there is room nothing has been written at `last`, and what is read there does not matter.
              Value room = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ult, i, results);
              Value worst = tensor::ExtractOp::create(b, l, held[0], at(last));
              Value enters = arith::OrIOp::create(b, l, room, before(b, l, x, worst));
              // A loop of one step or none in place of a branch: what a loop carries stays in its array.
              Value times = arith::IndexCastUIOp::create(b, l, b.getIndexType(), enters);
              auto entered = scf::ForOp::create(
                  b, l, zero, times, one, held, [&](mlir::OpBuilder &b, mlir::Location l, Value, ValueRange held) {
                    List carried(held);
                    carried.append({x, arith::IndexCastOp::create(b, l, b.getI64Type(), i), no});
                    auto moved = scf::ForOp::create(
                        b, l, zero, last, one, carried,
                        [&](mlir::OpBuilder &b, mlir::Location l, Value place, ValueRange now) {
                          Value y = tensor::ExtractOp::create(b, l, now[0], at(place));
                          Value j = tensor::ExtractOp::create(b, l, now[1], at(place));
                          Value found = arith::OrIOp::create(b, l, now[4], before(b, l, now[2], y));
                          auto select = [&](Value p, Value q) -> Value {
                            return arith::SelectOp::create(b, l, found, p, q);
                          };
                          List next = put(b, l, select(now[2], y), select(now[3], j), place, now.take_front(2));
                          next.append({select(y, now[2]), select(j, now[3]), found});
                          scf::YieldOp::create(b, l, next);
                        });
                    ValueRange now = moved.getResults();
                    scf::YieldOp::create(b, l, put(b, l, now[2], now[3], last, now.take_front(2)));
                  });
              scf::YieldOp::create(b, l, entered.getResults());
            });
        auto filled = scf::ForOp::create(b, l, high, results, one, best.getResults(),
                                         [&](mlir::OpBuilder &b, mlir::Location l, Value place, ValueRange held) {
                                           scf::YieldOp::create(b, l, put(b, l, lowest, nowhere, place, held));
                                         });
        return List(filled.getResults());
      });
  markParallel(done.loops);
  return {{done.results[0], array.frames, {count}}, {done.results[1], array.frames, {count}}};
}

Wires Batcher::apply(TransposeOp op) {
  const Batched array = wire(op.getArray());
  llvm::SmallVector<OpFoldResult, 4> own(array.extents);
  std::swap(own[0], own[1]);
  llvm::SmallVector<unsigned> axes(own.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[0], axes[1]);
  Nest loops = nest(array.frames, own);
  loops.reads.push_back(read(array, array.frames, axes));
  Value result = loops.map(scalarOf(op.getResult()), [](auto &, auto, ValueRange e) { return e[0]; });
  return {{result, array.frames, own}};
}

Wires Batcher::apply(ReshapeOp op) {
  const Batched array = wire(op.getArray());
  llvm::SmallVector<OpFoldResult, 4> own;
  for (Value axis : op.getAxes())
    own.push_back(size(axis));
  unsigned frames = array.frames.size(), before = array.extents.size(), after = own.size();
  mlir::Type element = mlir::getElementTypeOrSelf(array.tensor);
  if (before == 0) { // one element under axes of length 1
    Nest loops = nest(array.frames, own);
    loops.reads.push_back(readFrom(array, array.frames));
    return {{loops.map(element, [](auto &, auto, ValueRange e) { return e[0]; }), array.frames, own}};
  }
  Extents outer = sizesOf(array.frames);
  if (after == 0)
    return {{withoutAxes(array.tensor, frames, before), array.frames, own}};
  auto groups = [&](unsigned last) {
    llvm::SmallVector<mlir::ReassociationIndices> list;
    for (unsigned i = 0; i < frames; ++i)
      list.push_back({i});
    list.emplace_back();
    for (unsigned i = 0; i < last; ++i)
      list.back().push_back(frames + i);
    return list;
  };
  Extents all = outer;
  all.append(own);
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Value> dynamic;
  mlir::dispatchIndexOpFoldResults(all, dynamic, shape);
  auto type = mlir::RankedTensorType::get(shape, element);
  if (!dynamic.empty()) { // types that are equal may mean other extents here, so views must not be folded by type
    llvm::SmallVector<Value> extents;
    for (OpFoldResult extent : all)
      extents.push_back(asValue(builder, location, extent));
    Value list = tensor::FromElementsOp::create(builder, location, extents);
    return {{tensor::ReshapeOp::create(builder, location, type, array.tensor, list), array.frames, own}};
  }
  Value flat = array.tensor;
  if (before > 1)
    flat = tensor::CollapseShapeOp::create(builder, location, flat, groups(before));
  Value result = flat;
  if (after > 1)
    result = tensor::ExpandShapeOp::create(builder, location, type, flat, groups(after), all);
  return {{result, array.frames, own}};
}

} // namespace attnc
