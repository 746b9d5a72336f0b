#include "attnc/lower/Batcher.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "llvm/ADT/TypeSwitch.h"

namespace attnc {

using namespace attnc::dialect;
namespace arith = mlir::arith;
namespace tensor = mlir::tensor;
using mlir::OpFoldResult;
using mlir::Value;

void Batcher::interpret(mlir::Operation *op) {
  location = op->getLoc();
  Wires results = llvm::TypeSwitch<mlir::Operation *, Wires>(op)
                      .Case<ConstOp, SizeOp, PointwiseOp, GatherOp, ScatterOp, TopKOp, SoftmaxOp, TransposeOp,
                            ReshapeOp, BoxOp, ScanOp, CallOp, ApplyOp>([&](auto typed) { return apply(typed); });
  for (auto [value, wire] : llvm::zip(op->getResults(), results))
    bind(value, std::move(wire));
}

Wires Batcher::body(mlir::Block &block, llvm::ArrayRef<Batched> arguments) {
  for (auto [argument, wire] : llvm::zip(block.getArguments(), arguments))
    bind(argument, wire);
  for (mlir::Operation &op : block.without_terminator())
    interpret(&op);
  return operands(block.getTerminator()->getOperands());
}

Wires Batcher::operands(mlir::ValueRange values) const {
  Wires list;
  for (Value value : values)
    list.push_back(wire(value));
  return list;
}

OpFoldResult Batcher::size(Value index) const { return mlir::getAsOpFoldResult(known.lookup(index)); }

Batcher::Frames Batcher::together(llvm::ArrayRef<Batched> wires) {
  Frames all;
  for (const Batched &wire : wires)
    all.append(wire.frames);
  llvm::sort(all);
  all.erase(llvm::unique(all), all.end());
  return all;
}

Batcher::Extents Batcher::sizesOf(llvm::ArrayRef<unsigned> frames) const {
  Extents sizes;
  for (unsigned frame : frames)
    sizes.push_back(stack[frame].size);
  return sizes;
}

Nest Batcher::nest(llvm::ArrayRef<unsigned> frames, llvm::ArrayRef<OpFoldResult> own) {
  Nest result{builder, location, sizesOf(frames), {}};
  result.extents.append(own.begin(), own.end());
  return result;
}

Access Batcher::read(const Batched &wire, llvm::ArrayRef<unsigned> frames, llvm::ArrayRef<unsigned> own) {
  Access access{wire.tensor, {}};
  for (unsigned frame : wire.frames)
    access.loops.push_back(llvm::find(frames, frame) - frames.begin());
  for (unsigned axis : own)
    access.loops.push_back(frames.size() + axis);
  return access;
}

Access Batcher::readFrom(const Batched &wire, llvm::ArrayRef<unsigned> frames, unsigned first) {
  llvm::SmallVector<unsigned> own(wire.extents.size());
  std::iota(own.begin(), own.end(), first);
  return read(wire, frames, own);
}

Batched Batcher::spread(const Batched &wire, llvm::ArrayRef<unsigned> frames) {
  if (llvm::ArrayRef<unsigned>(wire.frames) == frames)
    return wire;
  Nest loops = nest(frames, wire.extents);
  loops.reads.push_back(readFrom(wire, frames));
  Value result = loops.map(scalarOf(wire.tensor), [](auto &, auto, mlir::ValueRange elements) { return elements[0]; });
  return {result, Frames(frames), wire.extents};
}

/// A nest of no loops, so that it goes into the loops of its users as everything else does.
Wires Batcher::apply(ConstOp op) {
  Value result =
      nest({}, {}).map(op.getValue().getType(), [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange) -> Value {
        return arith::ConstantOp::create(b, l, op.getValue());
      });
  return {{result, {}, {}}};
}

Wires Batcher::apply(SizeOp op) {
  Value number = arith::IndexCastOp::create(builder, location, builder.getI64Type(), known.lookup(op.getSize()));
  return {{tensor::FromElementsOp::create(builder, location, op.getType(), number), {}, {}}};
}

Wires Batcher::apply(PointwiseOp op) {
  Wires args = operands(op.getArgs());
  PointwiseFn fn = *pointwiseNamed(std::string_view(op.getFn()));
  Frames frames = together(args);
  Nest loops = nest(frames, {});
  for (const Batched &arg : args)
    loops.reads.push_back(readFrom(arg, frames));
  mlir::Type type = scalarOf(op.getResult());
  Value result = loops.map(type, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange scalars) {
    return emitPointwise(b, l, fn, scalars, type);
  });
  return {{result, frames, {}}};
}

/// Three passes: maximum; exponentials and their sum; product with the reciprocal of the sum. Where the
/// maximum is -inf, 0 is subtracted instead, so that the exponentials are 0, and the sum is taken as 1.
Wires Batcher::apply(SoftmaxOp op) {
  Wires args = operands(op->getOperands());
  const Batched &x = args[0];
  mlir::Type real = scalarOf(op.getResult());
  Frames frames = together(args);
  Extents rows = sizesOf(frames);
  auto lowest = unitOf(Cap::Max, real), zero = unitOf(Cap::Sum, real), one = unitOf(Cap::Prod, real);
  llvm::SmallVector<bool> folded(frames.size(), false);
  folded.append(x.extents.size(), true);
  auto fold = [&](Cap cap, const Batched &array, Value initial) {
    Nest loops = nest(frames, x.extents);
    loops.reads.push_back(readFrom(array, frames));
    Value result = loops.fold(folded, initial, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) {
      return emitFold(b, l, cap, e.back(), e.front());
    });
    return Batched{result, frames, {}};
  };
  auto whereLowest = [&](mlir::OpBuilder &b, mlir::Location l, Value maximum, mlir::TypedAttr then,
                         Value otherwise) -> Value {
    Value masked =
        arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, maximum, arith::ConstantOp::create(b, l, lowest));
    return arith::SelectOp::create(b, l, masked, arith::ConstantOp::create(b, l, then), otherwise);
  };
  auto exponentials = [&](const Batched &array, const Batched &shift) {
    Nest loops = nest(frames, array.extents);
    loops.reads = {readFrom(array, frames), readFrom(shift, frames)};
    Value result = loops.map(real, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) -> Value {
      return mlir::math::ExpOp::create(b, l, arith::SubFOp::create(b, l, e[0], e[1]));
    });
    return Batched{result, frames, array.extents};
  };
  auto rowwise = [&](llvm::ArrayRef<Batched> reads, Payload payload) {
    Nest loops = nest(frames, {});
    for (const Batched &wire : reads)
      loops.reads.push_back(readFrom(wire, frames));
    return Batched{loops.map(real, payload), frames, {}};
  };

  bool sink = args.size() > 1;
  Batched maximum =
      fold(Cap::Max, x, sink ? spread(args[1], frames).tensor : filledTensor(builder, location, rows, lowest));
  Batched shift = rowwise({maximum}, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) {
    return whereLowest(b, l, e[0], zero, e[0]);
  });
  Batched powers = exponentials(x, shift);
  Batched sum =
      fold(Cap::Sum, powers, sink ? exponentials(args[1], shift).tensor : filledTensor(builder, location, rows, zero));
  Batched scale = rowwise({sum, maximum}, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) -> Value {
    return arith::DivFOp::create(b, l, arith::ConstantOp::create(b, l, one), whereLowest(b, l, e[1], one, e[0]));
  });
  Nest loops = nest(frames, x.extents);
  loops.reads = {readFrom(powers, frames), readFrom(scale, frames)};
  Value result = loops.map(real, [&](mlir::OpBuilder &b, mlir::Location l, mlir::ValueRange e) -> Value {
    return arith::MulFOp::create(b, l, e[0], e[1]);
  });
  return {{result, frames, x.extents}};
}

} // namespace attnc
