#include "attnc/eval/Eval.h"

#include "attnc/diagram/Parameters.h"
#include "attnc/eval/Interpreter.h"
#include "attnc/eval/Kernels.h"
#include "attnc/eval/Loops.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace attnc {

using namespace eval;

namespace {

DType dtypeOf(Kind kind) {
  constexpr DType dtypes[] = {DType::F64, DType::I64, DType::Bool};
  return dtypes[static_cast<std::size_t>(kind)];
}

Extents rowMajor(const Extents &extents) {
  Extents strides(extents.size());
  std::uint64_t stride = 1; // may wrap around in an array that has no elements, and is not used then
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    strides[axis] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(std::max<std::int64_t>(extents[axis], 1));
  }
  return strides;
}

/// Whether the bytes can be read as they are: aligned, and 0 or 1 for bools.
bool readable(const Array &array, Kind kind) {
  if (kind != Kind::Bool)
    return reinterpret_cast<std::uintptr_t>(array.data()) % 8 == 0;
  return std::all_of(array.data(), array.data() + array.byteCount(), [](std::byte b) { return b <= std::byte(1); });
}

/// The array as a wire outside all boxes, or an error in `memory`.
View viewOf(const Array &array, const Type &type, const std::string &name, Interpreter &interpreter, Memory &memory) {
  const Extents extents = interpreter.values(type.axes);
  if (memory.failed())
    return {};
  if (array.shape() != extents || array.dtype() != dtypeOf(type.kind)) {
    memory.error = fmt::format("'{}' is {} of shape {}, and {} of shape {} is needed", name, attnc::name(array.dtype()),
                               shapeText(array.shape()), attnc::name(dtypeOf(type.kind)), shapeText(extents));
    return {};
  }
  if (readable(array, type.kind)) {
    // The caller keeps the arrays for as long as this runs; nothing writes through an operand.
    return {type.kind, nullptr, const_cast<std::byte *>(array.data()), extents, rowMajor(extents)};
  }
  View view = memory.allocate(type.kind, extents);
  if (memory.failed())
    return view;
  if (type.kind == Kind::Bool)
    std::transform(array.data(), array.data() + array.byteCount(), view.as<Bool>(),
                   [](std::byte b) -> Bool { return b != std::byte(0); });
  else
    std::memcpy(view.data, array.data(), array.byteCount());
  return view;
}

/// The result as a dense array; or an error in `memory`.
Array arrayOf(const View &view, Memory &memory) {
  View dense = view;
  if (!view.owner || view.strides != rowMajor(view.extents)) {
    dense = memory.allocate(view.kind, view.extents);
    if (memory.failed())
      return {};
    copy(dense, view);
  }
  return Array::view(dtypeOf(dense.kind), dense.extents, dense.data, dense.owner);
}

/// A hole that the diagram uses somewhere.
const Learner *holeIn(const Diagram &diagram, const Definition &definition) {
  for (const Op &op : diagram.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator))
      if (const Learner &learner = definition.learner(apply->learner); learner.kind == LearnerKind::Hole)
        return &learner;
    if (const DiagramRef &body = bodyOf(op.generator))
      if (const Learner *hole = holeIn(*body, definition))
        return hole;
  }
  return nullptr;
}

} // namespace

tl::expected<std::vector<Array>, std::string> evaluate(const Definition &definition, const Size::Values &sizes,
                                                       std::span<const Array> inputs, std::span<const Array> parameters,
                                                       const EvalOptions &options) {
  using Error = tl::unexpected<std::string>;
  if (const Learner *hole = holeIn(definition.diagram, definition))
    return Error(fmt::format("the box '{}' has not been given: a hole cannot be run", hole->label));
  const Diagram &diagram = definition.diagram;
  if (inputs.size() != diagram.inputs.size())
    return Error(fmt::format("'{}' takes {} arrays, not {}", definition.name, diagram.inputs.size(), inputs.size()));
  const std::vector<Parameter> expected = parametersOf(definition);
  if (parameters.size() != expected.size())
    return Error(fmt::format("'{}' has {} parameters, not {}", definition.name, expected.size(), parameters.size()));

  Memory memory(options.maxMemory);
  Interpreter interpreter(definition, sizes, memory);
  std::vector<View> wires;
  for (std::size_t i = 0; i < inputs.size() && !memory.failed(); ++i) {
    const Wire &wire = diagram.wire(diagram.inputs[i]);
    wires.push_back(viewOf(inputs[i], wire.type, wire.name, interpreter, memory));
  }
  for (std::size_t i = 0; i < parameters.size() && !memory.failed(); ++i)
    interpreter.addParameter(expected[i].learner,
                             viewOf(parameters[i], expected[i].type, expected[i].name, interpreter, memory));
  std::vector<Array> outputs;
  if (!memory.failed())
    for (const View &view : interpreter.run(diagram, wires))
      if (!memory.failed())
        outputs.push_back(arrayOf(view, memory));
  if (memory.failed())
    return Error(memory.error);
  return outputs;
}

} // namespace attnc
