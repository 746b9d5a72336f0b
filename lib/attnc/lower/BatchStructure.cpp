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

/// Stays one operation, so that a stream can be seen to run through it.
Wires Batcher::apply(TopKOp op) {
  const Batched array = wire(op.getArray());
  OpFoldResult count = size(op.getCount());
  Extents all = sizesOf(array.frames);
  all.push_back(count);
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Value> dynamic;
  mlir::dispatchIndexOpFoldResults(all, dynamic, shape);
  auto values = mlir::RankedTensorType::get(shape, scalarOf(op.getValues()));
  auto best = TopKOp::create(builder, location, values, values.clone(builder.getI64Type()), array.tensor,
                             asValue(builder, location, count), array.frames.size());
  return {{best.getValues(), array.frames, {count}}, {best.getIndices(), array.frames, {count}}};
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
