#pragma once
#include "attnc/diagram/Builder.h"
#include "attnc/diagram/Canonical.h"

#include <functional>
#include <random>

/// Short words for building diagrams in tests. A broken law ends the test by exception.
namespace attnc::make {

inline const Type scalar{Kind::Real, {}};
inline Size size(const char *name) { return Size::variable(name); }
inline Type real(std::vector<Size> axes) { return {Kind::Real, std::move(axes)}; }

/// A builder whose errors end the test.
class Draft {
public:
  explicit Draft(const std::vector<Learner> &learners) : builder(learners) {}

  WireId input(Type type, std::string name = {}) { return builder.input(std::move(type), std::move(name)); }
  std::vector<WireId> all(Generator g, std::vector<WireId> operands, Span span = {}) {
    auto results = builder.add(std::move(g), std::move(operands), span);
    if (!results)
      throw std::runtime_error(results.error());
    return *results;
  }
  WireId add(Generator g, std::vector<WireId> operands, Span span = {}) {
    return all(std::move(g), std::move(operands), span).at(0);
  }
  WireId fn(PointwiseFn f, std::vector<WireId> operands) { return add(Pointwise{f}, std::move(operands)); }
  WireId apply(std::size_t learner, std::vector<WireId> operands, std::vector<unsigned> per = {}) {
    return add(Apply{LearnerId(learner), std::move(per)}, std::move(operands));
  }
  /// The operations of a diagram, one by one.
  std::vector<WireId> copy(const Diagram &diagram, const std::vector<WireId> &inputs) {
    std::vector<WireId> values(diagram.wires.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[diagram.inputs[i].index()] = inputs[i];
    for (const Op &op : diagram.ops) {
      std::vector<WireId> operands;
      for (WireId wire : op.operands)
        operands.push_back(values[wire.index()]);
      std::vector<WireId> results = all(op.generator, operands, op.span);
      for (std::size_t i = 0; i < results.size(); ++i)
        values[op.results[i].index()] = results[i];
    }
    std::vector<WireId> outputs;
    for (WireId wire : diagram.outputs)
      outputs.push_back(values[wire.index()]);
    return outputs;
  }
  const Type &type(WireId wire) const { return builder.type(wire); }
  Diagram finish(const std::vector<WireId> &outputs) { return std::move(builder).finish(outputs); }

private:
  Builder builder;
};

using Body = std::function<std::vector<WireId>(Draft &, const std::vector<WireId> &)>;

/// The diagram of a function on wires.
inline Diagram diagram(const std::vector<Learner> &learners, const std::vector<Type> &inputs, const Body &body) {
  Draft draft(learners);
  std::vector<WireId> wires;
  for (const Type &type : inputs)
    wires.push_back(draft.input(type));
  std::vector<WireId> outputs = body(draft, wires);
  return draft.finish(outputs);
}

inline Definition definition(Diagram d, std::vector<Learner> learners = {}) {
  Definition result;
  result.name = "f";
  result.outputNames.resize(d.outputs.size());
  result.diagram = std::move(d);
  result.learners = std::move(learners);
  return result;
}

inline Definition define(const std::vector<Learner> &learners, const std::vector<Type> &inputs, const Body &body) {
  return definition(diagram(learners, inputs, body), learners);
}

/// A box around a function; modes as letters, "ms".
inline Generator box(const std::vector<Learner> &learners, Cap cap, Size size, std::string_view modes,
                     const std::vector<Type> &outer, const Body &body, bool indexed = false) {
  std::vector<Type> inputs;
  Box box{cap, std::move(size), indexed, {}, nullptr};
  if (indexed)
    inputs.push_back({Kind::Int, {}});
  for (std::size_t i = 0; i < modes.size(); ++i) {
    box.modes.push_back(modes[i] == 'm' ? Mode::Map : Mode::Share);
    inputs.push_back(modes[i] == 'm' ? outer[i].slice() : outer[i]);
  }
  box.body = std::make_shared<Diagram>(diagram(learners, inputs, body));
  return box;
}

inline Learner universal(std::string label, std::size_t inputs = 1) {
  return {LearnerKind::Universal, std::move(label), std::vector<Type>(inputs, scalar), {scalar}, {}, 64, {}};
}

inline std::string form(const Definition &d) { return canonicalForm(d).text; }

} // namespace attnc::make
