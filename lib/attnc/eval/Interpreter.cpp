#include "attnc/eval/Interpreter.h"

#include "attnc/diagram/Functor.h"
#include "attnc/eval/Kernels.h"
#include "attnc/eval/Loops.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::eval {

std::vector<View> Interpreter::run(const Diagram &diagram, std::span<const View> inputs) {
  return mapDiagram<View>(*this, diagram, inputs);
}

void Interpreter::locate(const Op &op) {
  if (!located)
    memory.error = fmt::format("{}: {}", describe(op.generator), memory.error);
  located = true;
}

std::int64_t Interpreter::value(const Size &size) {
  const std::optional<std::int64_t> number = size.evaluate(sizes);
  if (number && *number >= 0)
    return *number;
  if (!memory.failed())
    memory.error = number ? fmt::format("the size {} is {}", size.str(), *number)
                          : fmt::format("the size {} has no value", size.str());
  return 0;
}

Extents Interpreter::values(const std::vector<Size> &axes) {
  Extents result;
  for (const Size &axis : axes)
    result.push_back(value(axis));
  return result;
}

View Interpreter::result(Kind kind, Operands operands, const Extents &own) {
  Extents extents;
  std::vector<bool> varies;
  for (std::size_t box = 0; box < frames.size(); ++box) {
    extents.push_back(frames[box].extent);
    varies.push_back(std::any_of(operands.begin(), operands.end(), [&](const View &view) { return view.varies(box); }));
  }
  extents.insert(extents.end(), own.begin(), own.end());
  varies.resize(extents.size(), true);
  return memory.allocate(kind, extents, varies);
}

View Interpreter::constant(Kind kind) { return result(kind, {}, {}); }

View Interpreter::elementwise(PointwiseFn fn, Operands operands) {
  std::vector<Kind> kinds;
  std::vector<bool> varies(operands[0].rank());
  for (const View &operand : operands) {
    kinds.push_back(operand.kind);
    for (std::size_t axis = 0; axis < varies.size(); ++axis)
      varies[axis] = varies[axis] || operand.varies(axis);
  }
  View out = memory.allocate(*resultKind(fn, kinds), operands[0].extents, varies);
  if (memory.active())
    pointwise(fn, out, operands);
  return out;
}

std::vector<View> Interpreter::on(const Const &generator, const Op &, Operands) {
  constexpr Kind kinds[] = {Kind::Real, Kind::Int, Kind::Bool};
  View out = constant(kinds[generator.value.index()]);
  if (memory.active())
    std::visit(
        [&](auto number) {
          using T = std::conditional_t<std::is_same_v<decltype(number), bool>, Bool, decltype(number)>;
          *out.as<T>() = number;
        },
        generator.value);
  return {out};
}

std::vector<View> Interpreter::on(const SizeValue &generator, const Op &, Operands) {
  const std::int64_t number = value(generator.size);
  View out = constant(Kind::Int);
  if (memory.active())
    *out.as<std::int64_t>() = number;
  return {out};
}

std::vector<View> Interpreter::on(const Pointwise &generator, const Op &, Operands operands) {
  return {elementwise(generator.fn, operands)};
}

std::vector<View> Interpreter::on(const Gather &, const Op &, Operands operands) {
  const std::size_t boxes = frames.size();
  const View &array = operands[0];
  View out = result(array.kind, operands, Extents(array.extents.begin() + boxes + 1, array.extents.end()));
  if (memory.active())
    gather(out, array, operands[1], boxes);
  return {out};
}

std::vector<View> Interpreter::on(const Scatter &generator, const Op &, Operands operands) {
  const std::size_t boxes = frames.size();
  const View &array = operands[1];
  Extents own(array.extents.begin() + boxes, array.extents.end());
  own[0] = value(generator.size);
  View out = result(array.kind, operands, own);
  if (memory.active()) {
    fillWithZeros(out);
    scatter(out, operands[0], array, boxes);
  }
  return {out};
}

std::vector<View> Interpreter::on(const TopK &generator, const Op &, Operands operands) {
  const Extents own{value(generator.count)};
  View values = result(operands[0].kind, operands, own);
  View indices = result(Kind::Int, operands, own);
  if (memory.active())
    topK(values, indices, operands[0], frames.size());
  return {values, indices};
}

std::vector<View> Interpreter::on(const Softmax &generator, const Op &, Operands operands) {
  const std::size_t boxes = frames.size();
  View out = result(Kind::Real, operands, Extents(operands[0].extents.begin() + boxes, operands[0].extents.end()));
  if (memory.active())
    softmax(out, operands[0], generator.sink ? &operands[1] : nullptr, boxes);
  return {out};
}

std::vector<View> Interpreter::on(const Transpose &, const Op &, Operands operands) {
  const std::size_t boxes = frames.size();
  View out = operands[0];
  std::swap(out.extents[boxes], out.extents[boxes + 1]);
  std::swap(out.strides[boxes], out.strides[boxes + 1]);
  return {out};
}

namespace {

/// The step at which the view's own elements lie in row-major order; nothing when they do not lie evenly.
std::optional<std::int64_t> ownStep(const View &view, std::size_t boxes) {
  std::optional<std::int64_t> step;
  std::uint64_t span = 0; // in a rehearsal it may wrap around
  for (std::size_t axis = view.rank(); axis-- > boxes;) {
    if (view.extents[axis] == 1)
      continue;
    if (step && static_cast<std::uint64_t>(view.strides[axis]) != span)
      return std::nullopt;
    if (!step)
      step = view.strides[axis];
    span = static_cast<std::uint64_t>(view.strides[axis]) * static_cast<std::uint64_t>(view.extents[axis]);
  }
  return step.value_or(1);
}

} // namespace

std::vector<View> Interpreter::on(const Reshape &generator, const Op &, Operands operands) {
  const std::size_t boxes = frames.size();
  const Extents own = values(generator.axes);
  View out = operands[0];
  std::optional<std::int64_t> step = ownStep(out, boxes);
  if (!step) {
    out = result(out.kind, operands, Extents(out.extents.begin() + boxes, out.extents.end()));
    if (memory.active())
      copy(out, operands[0]);
    step = 1;
  }
  out.extents.resize(boxes);
  out.extents.insert(out.extents.end(), own.begin(), own.end());
  out.strides.resize(out.extents.size());
  std::uint64_t stride = static_cast<std::uint64_t>(*step);
  for (std::size_t axis = out.rank(); axis-- > boxes;) {
    out.strides[axis] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(std::max<std::int64_t>(out.extents[axis], 1));
  }
  return {out};
}

std::vector<View> Interpreter::on(const Call &generator, const Op &, Operands operands) {
  return run(*generator.body, operands);
}

} // namespace attnc::eval
