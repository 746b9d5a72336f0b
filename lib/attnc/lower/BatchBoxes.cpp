#include "attnc/lower/Batcher.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Utils/Utils.h"

// Boxes, scans and the learners inside them.
namespace attnc {

using namespace attnc::dialect;
namespace arith = mlir::arith;
namespace scf = mlir::scf;
namespace tensor = mlir::tensor;
using mlir::OpFoldResult;
using mlir::Value;
using mlir::ValueRange;

Batched Batcher::indexWire(unsigned frame) {
  mlir::Type number = builder.getI64Type();
  if (Value step = stack[frame].step) {
    Value at = arith::IndexCastOp::create(builder, location, number, step);
    return {tensor::FromElementsOp::create(builder, location, mlir::RankedTensorType::get({}, number), at), {}, {}};
  }
  Nest loops = nest({frame}, {});
  Value result = loops.map(number, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange) -> Value {
    return arith::IndexCastOp::create(b, l, number, mlir::linalg::IndexOp::create(b, l, 0));
  });
  return {result, {frame}, {}};
}

Wires Batcher::apply(CallOp op) {
  Wires args = operands(op.getArgs());
  return body(op.getBody().front(), args);
}

Wires Batcher::apply(BoxOp op) {
  unsigned frame = stack.size();
  OpFoldResult extent = size(op.getSize());
  stack.push_back({extent, nullptr});
  Wires arguments;
  if (op.getIndexed())
    arguments.push_back(indexWire(frame));
  for (auto [value, mapped] : llvm::zip(op.getArgs(), op.getMapped())) {
    Batched entering = wire(value);
    if (mapped) {
      entering.frames.push_back(frame);
      entering.extents.erase(entering.extents.begin());
    }
    arguments.push_back(std::move(entering));
  }
  Wires inside = body(op.getBody().front(), arguments);
  location = op.getLoc();

  Cap cap = capNamed(op.getCap());
  Wires results;
  for (auto [result, wire] : llvm::zip(op.getResults(), inside)) {
    bool varies = llvm::is_contained(wire.frames, frame);
    Frames outer = wire.frames;
    if (varies)
      outer.pop_back();
    Frames all = outer;
    all.push_back(frame);
    if (cap == Cap::None) {
      Batched leaving = spread(wire, all);
      leaving.frames = outer;
      leaving.extents.insert(leaving.extents.begin(), extent);
      results.push_back(std::move(leaving));
      continue;
    }
    Extents kept = sizesOf(outer);
    kept.append(wire.extents);
    Nest loops = nest(all, wire.extents);
    loops.reads.push_back(readFrom(wire, all));
    llvm::SmallVector<bool> folded(loops.extents.size(), false);
    folded[outer.size()] = true;
    Value initial = filledTensor(builder, location, kept, unitOf(cap, scalarOf(result)));
    Value total = loops.fold(folded, initial, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
      return emitFold(b, l, cap, e.back(), e.front());
    });
    results.push_back({total, outer, wire.extents});
  }
  stack.pop_back();
  return results;
}

Value Batcher::slice(Value array, unsigned position, Value step) {
  auto type = mlir::cast<mlir::RankedTensorType>(array.getType());
  Extents sizes(tensor::getMixedSizes(builder, location, array)), offsets(type.getRank(), builder.getIndexAttr(0)),
      steps(type.getRank(), builder.getIndexAttr(1));
  sizes[position] = builder.getIndexAttr(1);
  offsets[position] = step;
  auto shape = llvm::to_vector(type.getShape());
  shape.erase(shape.begin() + position);
  if (llvm::is_contained(shape, 0)) { // no offset is within an axis of length 0
    sizes.erase(sizes.begin() + position);
    return emptyTensor(builder, location, sizes, type.getElementType());
  }
  Value thin = tensor::ExtractSliceOp::create(builder, location, array, offsets, sizes, steps);
  return withoutAxes(thin, position, 1);
}

Value Batcher::withoutAxes(Value array, unsigned first, unsigned count) {
  int64_t rank = mlir::cast<mlir::RankedTensorType>(array.getType()).getRank();
  llvm::SmallVector<mlir::ReassociationIndices> groups;
  mlir::ReassociationIndices waiting;
  for (int64_t axis = 0; axis < rank; ++axis) {
    waiting.push_back(axis);
    if (axis >= first && axis < first + count)
      continue;
    groups.push_back(std::exchange(waiting, {}));
  }
  if (!groups.empty())
    groups.back().append(waiting);
  return tensor::CollapseShapeOp::create(builder, location, array, groups);
}

Batcher::Frames Batcher::framesOfLearners(ScanOp scan) const {
  Frames frames;
  scan.getBody().walk([&](ApplyOp apply) {
    int64_t inside = 1; // the scan itself
    for (mlir::Operation *parent = apply->getParentOp(); parent != scan; parent = parent->getParentOp())
      inside += mlir::isa<BoxOp, ScanOp>(parent);
    for (int64_t per : apply.getPer())
      if (per >= inside)
        if (unsigned frame = stack.size() - 1 - (per - inside); !stack[frame].step)
          frames.push_back(frame);
  });
  return frames;
}

/// A loop whose states carry the axes of all boxes that anything inside depends on.
Wires Batcher::apply(ScanOp op) {
  Wires args = operands(op.getArgs());
  unsigned states = op.getStates(), frame = stack.size();
  args.push_back({{}, framesOfLearners(op), {}});
  Frames frames = together(args);
  args.pop_back();
  OpFoldResult extent = size(op.getSize());

  llvm::SmallVector<Value> initial;
  for (unsigned i = 0; i < states; ++i)
    initial.push_back(spread(args[i], frames).tensor);
  Value zero = arith::ConstantIndexOp::create(builder, location, 0),
        one = arith::ConstantIndexOp::create(builder, location, 1);
  auto loop = scf::ForOp::create(builder, location, zero,
                                 mlir::getValueOrCreateConstantIndexOp(builder, location, extent), one, initial);
  Wires steps;
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    if (states > 0)
      builder.setInsertionPointToEnd(loop.getBody());
    else
      builder.setInsertionPoint(loop.getBody()->getTerminator());
    stack.push_back({extent, loop.getInductionVar()});
    Wires arguments;
    if (op.getIndexed())
      arguments.push_back(indexWire(frame));
    for (unsigned i = 0; i < states; ++i)
      arguments.push_back({loop.getRegionIterArg(i), frames, args[i].extents});
    for (auto [wire, mapped] : llvm::zip(llvm::drop_begin(args, states), op.getMapped())) {
      Batched entering = wire;
      if (mapped) {
        entering.tensor = slice(wire.tensor, wire.frames.size(), loop.getInductionVar());
        entering.extents.erase(entering.extents.begin());
      }
      arguments.push_back(std::move(entering));
    }
    steps = body(op.getBody().front(), arguments);
    stack.pop_back();
    location = op.getLoc();
    for (Batched &wire : steps)
      wire = spread(wire, frames);
    if (states > 0) {
      llvm::SmallVector<Value> next;
      for (unsigned i = 0; i < states; ++i)
        next.push_back(steps[i].tensor);
      scf::YieldOp::create(builder, location, next);
    }
  }

  Wires results;
  llvm::SmallVector<Value> stacks;
  for (Batched &wire : llvm::drop_begin(steps, states)) {
    Extents all = sizesOf(frames);
    all.push_back(extent);
    all.append(wire.extents);
    stacks.push_back(emptyTensor(builder, location, all, scalarOf(wire.tensor)));
    results.push_back({{}, frames, wire.extents});
    results.back().extents.insert(results.back().extents.begin(), extent);
  }
  if (!stacks.empty()) {
    builder.setInsertionPoint(loop);
    // The empty arrays were made behind the loop; the loop takes them as operands.
    for (Value &empty : stacks)
      empty.getDefiningOp()->moveBefore(loop);
    auto yields = [&](mlir::OpBuilder &b, mlir::Location l, llvm::ArrayRef<mlir::BlockArgument> carried) {
      llvm::SmallVector<Value> next;
      for (auto [wire, array] : llvm::zip(llvm::drop_begin(steps, states), carried)) {
        auto type = mlir::cast<mlir::RankedTensorType>(array.getType());
        if (llvm::is_contained(type.getShape(), 0)) {
          next.push_back(array);
          continue;
        }
        Extents sizes = sizesOf(frames), offsets(type.getRank(), b.getIndexAttr(0)),
                strides(type.getRank(), b.getIndexAttr(1));
        sizes.push_back(b.getIndexAttr(1));
        sizes.append(wire.extents);
        offsets[frames.size()] = array.getOwner()->getArgument(0);
        next.push_back(tensor::InsertSliceOp::create(b, l, wire.tensor, array, offsets, sizes, strides));
      }
      return next;
    };
    auto more = loop.replaceWithAdditionalYields(builder, stacks, false, yields);
    loop = mlir::cast<scf::ForOp>(more->getOperation());
  }
  loop->setAttr(scanAttribute, builder.getUnitAttr());
  builder.setInsertionPointAfter(loop);
  for (unsigned i = 0; i < stacks.size(); ++i)
    results[i].tensor = loop.getResult(states + i);
  for (unsigned i = 0; i < states; ++i)
    results.push_back({loop.getResult(i), frames, args[i].extents});
  return results;
}

Batched Batcher::parameter(Value array, llvm::ArrayRef<int64_t> per) {
  Batched result = wire(array);
  result.extents.erase(result.extents.begin(), result.extents.begin() + per.size());
  for (int64_t reference : per) {
    unsigned frame = stack.size() - 1 - reference;
    if (Value step = stack[frame].step)
      result.tensor = slice(result.tensor, result.frames.size(), step);
    else
      result.frames.push_back(frame);
  }
  return result;
}

Batched Batcher::contract(const Batched &wire, const Batched &weight, const Batched &initial) {
  Frames frames = initial.frames; // they are all
  unsigned domain = wire.extents.size();
  Nest loops = nest(frames, weight.extents);
  loops.reads = {readFrom(wire, frames), readFrom(weight, frames)};
  llvm::SmallVector<bool> folded(loops.extents.size(), false);
  std::fill_n(folded.begin() + frames.size(), domain, true);
  Value result = loops.fold(folded, initial.tensor, [](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
    return emitMultiplyAdd(b, l, e[2], e[0], e[1]);
  });
  return {result, frames, initial.extents};
}

Batched Batcher::affine(llvm::ArrayRef<Batched> inputs, llvm::ArrayRef<Batched> weights, const Batched *bias) {
  Wires all(inputs);
  all.append(weights.begin(), weights.end());
  if (bias)
    all.push_back(*bias);
  Frames frames = together(all);
  if (llvm::any_of(inputs, [&](const Batched &input) { return input.frames != inputs[0].frames; }))
    return sumOf(inputs, weights, bias, frames);
  Batched total{{}, frames, {}};
  if (bias) {
    total = spread(*bias, frames);
  } else {
    total.extents.append(weights[0].extents.begin() + inputs[0].extents.size(), weights[0].extents.end());
    Extents extents = sizesOf(frames);
    extents.append(total.extents);
    total.tensor = filledTensor(builder, location, extents, unitOf(Cap::Sum, scalarOf(weights[0].tensor)));
  }
  for (auto [input, weight] : llvm::zip(inputs, weights))
    total = contract(input, weight, total);
  return total;
}

/// Inputs of different boxes are mapped each in its own, and added where they meet: W [s; h] of each pair is a map of s
/// plus a map of h.
Batched Batcher::sumOf(llvm::ArrayRef<Batched> inputs, llvm::ArrayRef<Batched> weights, const Batched *bias,
                       const Frames &frames) {
  Wires parts;
  if (bias)
    parts.push_back(*bias);
  for (auto [input, weight] : llvm::zip(inputs, weights))
    parts.push_back(affine(input, weight, nullptr));
  Nest loops = nest(frames, parts.back().extents);
  for (const Batched &part : parts)
    loops.reads.push_back(readFrom(part, frames));
  mlir::Type scalar = scalarOf(parts[0].tensor);
  Value sum = loops.map(scalar, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
    Value total = e[0];
    for (Value part : e.slice(1, parts.size() - 1))
      total = emitPointwise(b, l, PointwiseFn::Add, {total, part}, scalar);
    return total;
  });
  return {sum, frames, parts.back().extents};
}

Wires Batcher::apply(ApplyOp op) {
  Wires inputs = operands(op.getArgs()), parameters;
  for (Value array : op.getParameters())
    parameters.push_back(parameter(array, op.getPer()));
  llvm::ArrayRef<Batched> arrays(parameters);
  std::size_t count = inputs.size();
  if (op.getKind() == "param")
    return {spread(arrays[0], together(arrays))};
  if (op.getKind() == "linear")
    return {affine(inputs, arrays, nullptr)};
  if (op.getKind() == "affine")
    return {affine(inputs, arrays.take_front(count), &arrays[count])};
  Batched hidden = affine(inputs, arrays.take_front(count), &arrays[count]);
  Nest loops = nest(hidden.frames, hidden.extents);
  loops.reads.push_back(readFrom(hidden, hidden.frames));
  mlir::Type real = scalarOf(op.getResult());
  hidden.tensor = loops.map(real, [&](mlir::OpBuilder &b, mlir::Location l, ValueRange e) {
    return emitPointwise(b, l, PointwiseFn::Tanh, e, real);
  });
  return {affine(hidden, arrays[count + 1], &arrays[count + 2])};
}

} // namespace attnc
