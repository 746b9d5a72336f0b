#include "attnc/lower/Batcher.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
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

/// A nest of no loops, so that it goes into the loops of its users as everything else does. The constant stands outside
/// of it, where equal ones are seen to be one.
Wires Batcher::apply(ConstOp op) {
  Value constant = arith::ConstantOp::create(builder, location, op.getValue());
  Value result = nest({}, {}).map(op.getValue().getType(), [&](auto &, auto, mlir::ValueRange) { return constant; });
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

/// Stays one operation, so that a stream can be seen to run through it.
Wires Batcher::apply(SoftmaxOp op) {
  Wires args = operands(op->getOperands());
  Frames frames = together(args);
  Batched x = spread(args[0], frames);
  Value sink = args.size() > 1 ? spread(args[1], frames).tensor : Value();
  Value result = SoftmaxOp::create(builder, location, x.tensor.getType(), x.tensor, sink, frames.size());
  return {{result, frames, x.extents}};
}

} // namespace attnc
