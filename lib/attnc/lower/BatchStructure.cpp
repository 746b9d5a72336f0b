#include "attnc/lower/Batcher.h"

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
        return List(added.results);
      });
  return {{done.results[0], frames, own}};
}

/// Selection: each result is the first, in the order "NaN, then greater, then lower index", of those after
/// the result before it. O(n count) comparisons and no scratch.
Wires Batcher::apply(TopKOp op) {
  const Batched array = wire(op.getArray());
  OpFoldResult count = size(op.getCount()), length = array.extents[0];
  Extents outer = sizesOf(array.frames), all = outer;
  all.push_back(count);
  mlir::Type scalar = scalarOf(op.getValues());
  Value zero = indexConstant(builder, location, 0), one = indexConstant(builder, location, 1);
  Value high = asValue(builder, location, length), results = asValue(builder, location, count);
  Value lowest = arith::ConstantOp::create(builder, location, unitOf(Cap::Max, scalar));
  Value nowhere = indexConstant(builder, location, -1);
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
        List carried(arrays);
        carried.append({lowest, nowhere});
        auto ranks = scf::ForOp::create(
            b, l, zero, results, one, carried, [&](mlir::OpBuilder &b, mlir::Location l, Value rank, ValueRange now) {
              Value last = now[2], lastAt = now[3];
              Value first = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, rank, zero);
              Value left = arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, rank, high);
              auto best = scf::ForOp::create(
                  b, l, zero, high, one, ValueRange{lowest, nowhere},
                  [&](mlir::OpBuilder &b, mlir::Location l, Value i, ValueRange best) {
                    List at(row);
                    at.push_back(i);
                    Value x = tensor::ExtractOp::create(b, l, array.tensor, at);
                    auto both = [&](Value p, Value q) -> Value { return arith::AndIOp::create(b, l, p, q); };
                    auto either = [&](Value p, Value q) -> Value { return arith::OrIOp::create(b, l, p, q); };
                    Value higher = arith::CmpIOp::create(b, l, arith::CmpIPredicate::sgt, i, lastAt);
                    Value notBefore = arith::XOrIOp::create(b, l, before(b, l, x, last),
                                                            arith::ConstantOp::create(b, l, b.getBoolAttr(true)));
                    Value remaining = both(left, either(first, either(before(b, l, last, x), both(notBefore, higher))));
                    Value none = arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, best[1], zero);
                    Value take = both(remaining, either(none, before(b, l, x, best[0])));
                    Value value = arith::SelectOp::create(b, l, take, x, best[0]),
                          place = arith::SelectOp::create(b, l, take, i, best[1]);
                    scf::YieldOp::create(b, l, ValueRange{value, place});
                  });
              List at(row);
              at.push_back(rank);
              Value place = arith::IndexCastOp::create(b, l, b.getI64Type(), best.getResult(1));
              Value values = tensor::InsertOp::create(b, l, best.getResult(0), now[0], at);
              Value places = tensor::InsertOp::create(b, l, place, now[1], at);
              scf::YieldOp::create(b, l, ValueRange{values, places, best.getResult(0), best.getResult(1)});
            });
        return List{ranks.getResult(0), ranks.getResult(1)};
      });
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
