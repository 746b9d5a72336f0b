#include "attnc/diagram/Transform.h"

#include "attnc/diagram/Builder.h"

namespace attnc {

namespace {

template <class Change> DiagramRef changed(const DiagramRef &body, const Change &change) {
  return std::make_shared<Diagram>(change(*body));
}

/// A copy of the diagram in which `change(generator)` has rewritten every generator; bodies are its business.
template <class Change> Diagram mapGenerators(const Diagram &diagram, const Change &change) {
  Diagram result = diagram;
  for (Op &op : result.ops)
    std::visit(change, op.generator);
  return result;
}

struct SizeChange {
  const Size::Bindings &bindings;
  void operator()(SizeValue &g) const { g.size = g.size.substitute(bindings); }
  void operator()(Scatter &g) const { g.size = g.size.substitute(bindings); }
  void operator()(TopK &g) const { g.count = g.count.substitute(bindings); }
  void operator()(Reshape &g) const {
    for (Size &axis : g.axes)
      axis = axis.substitute(bindings);
  }
  void operator()(Box &g) const {
    g.size = g.size.substitute(bindings);
    body(g.body);
  }
  void operator()(Scan &g) const {
    g.size = g.size.substitute(bindings);
    body(g.body);
  }
  void operator()(Call &g) const { body(g.body); }
  template <class Plain> void operator()(Plain &) const {}

  void body(DiagramRef &ref) const { ref = std::make_shared<Diagram>(substitute(*ref, bindings)); }
};

struct LearnerChange {
  std::span<const LearnerId> map;
  void operator()(Apply &g) const { g.learner = map[g.learner.index()]; }
  void operator()(Box &g) const { body(g.body); }
  void operator()(Scan &g) const { body(g.body); }
  void operator()(Call &g) const { body(g.body); }
  template <class Plain> void operator()(Plain &) const {}

  void body(DiagramRef &ref) const { ref = std::make_shared<Diagram>(renumberLearners(*ref, map)); }
};

/// Copies operations into a builder, opening the selected calls on the way.
class Inliner {
public:
  Inliner(const std::function<bool(const Call &)> &which, const std::vector<Learner> &learners)
      : which(which), learners(learners) {}

  Diagram whole(const Diagram &diagram) {
    Builder builder(learners);
    std::vector<WireId> inputs;
    for (WireId input : diagram.inputs)
      inputs.push_back(builder.input(diagram.type(input), diagram.wire(input).name));
    return std::move(builder).finish(into(builder, diagram, inputs));
  }

private:
  std::vector<WireId> into(Builder &builder, const Diagram &diagram, const std::vector<WireId> &inputs) {
    std::vector<WireId> values(diagram.wires.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      values[diagram.inputs[i].index()] = inputs[i];
    for (const Op &op : diagram.ops) {
      std::vector<WireId> operands, results;
      for (WireId wire : op.operands)
        operands.push_back(values[wire.index()]);
      auto *call = std::get_if<Call>(&op.generator);
      if (call && which(*call)) {
        results = into(builder, *call->body, operands);
      } else {
        Generator generator = op.generator;
        std::visit(
            [&](auto &g) {
              if constexpr (requires { g.body; })
                g.body = changed(g.body, [&](const Diagram &body) { return whole(body); });
            },
            generator);
        results = *builder.add(std::move(generator), operands, op.span);
      }
      for (std::size_t i = 0; i < results.size(); ++i) {
        values[op.results[i].index()] = results[i];
        builder.suggestName(results[i], diagram.wire(op.results[i]).name);
      }
    }
    std::vector<WireId> outputs;
    for (WireId wire : diagram.outputs)
      outputs.push_back(values[wire.index()]);
    return outputs;
  }

  const std::function<bool(const Call &)> &which;
  const std::vector<Learner> &learners;
};

} // namespace

Diagram substitute(const Diagram &diagram, const Size::Bindings &bindings) {
  Diagram result = mapGenerators(diagram, SizeChange{bindings});
  for (Wire &wire : result.wires)
    wire.type = wire.type.substitute(bindings);
  return result;
}

Diagram renumberLearners(const Diagram &diagram, std::span<const LearnerId> map) {
  return mapGenerators(diagram, LearnerChange{map});
}

Diagram inlineCalls(const Diagram &diagram, const std::function<bool(const Call &)> &which,
                    std::span<const Learner> learners) {
  std::vector<Learner> table(learners.begin(), learners.end());
  return Inliner(which, table).whole(diagram);
}

Definition substitute(const Definition &definition, const Size::Bindings &bindings) {
  Definition result = definition;
  result.diagram = substitute(definition.diagram, bindings);
  for (Learner &learner : result.learners) {
    for (Type &type : learner.domain)
      type = type.substitute(bindings);
    for (Type &type : learner.codomain)
      type = type.substitute(bindings);
    for (Size &size : learner.per)
      size = size.substitute(bindings);
    learner.width = learner.width.substitute(bindings);
  }
  for (Constraint &constraint : result.constraints)
    constraint = constraint.substitute(bindings);
  return result;
}

} // namespace attnc
