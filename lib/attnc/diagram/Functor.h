#pragma once
#include "attnc/diagram/Diagram.h"

namespace attnc {

/// A structure-preserving map out of diagrams: wires go to values, operations to functions between them.
/// `Target` provides, for every generator G,
///
///     std::vector<Value> apply(const G &, const Op &, std::span<const Value> operands);
///
/// so that a new generator does not compile until every functor says what it means. Composition and
/// tensor are preserved because the wires carry the values. A value is let go after its last use.
template <class Value, class Target>
std::vector<Value> mapDiagram(Target &target, const Diagram &diagram, std::span<const Value> inputs) {
  std::vector<Value> values(diagram.wires.size());
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i)
    values[diagram.inputs[i].index()] = inputs[i];
  std::vector<std::size_t> uses(diagram.wires.size(), 0);
  for (const Op &op : diagram.ops)
    for (WireId wire : op.operands)
      ++uses[wire.index()];
  for (WireId wire : diagram.outputs)
    ++uses[wire.index()];
  std::vector<Value> operands;
  for (const Op &op : diagram.ops) {
    for (WireId wire : op.operands)
      operands.push_back(values[wire.index()]);
    std::vector<Value> results =
        std::visit([&](const auto &generator) { return target.apply(generator, op, std::span<const Value>(operands)); },
                   op.generator);
    operands.clear();
    for (WireId wire : op.operands)
      if (--uses[wire.index()] == 0)
        values[wire.index()] = Value();
    for (std::size_t i = 0; i < op.results.size(); ++i)
      if (uses[op.results[i].index()] > 0)
        values[op.results[i].index()] = std::move(results[i]);
  }
  std::vector<Value> outputs;
  for (WireId wire : diagram.outputs)
    outputs.push_back(values[wire.index()]);
  return outputs;
}

} // namespace attnc
