#include "attnc/prove/Scores.h"

#include "attnc/diagram/Functor.h"

namespace attnc {

namespace {

/// Wires go to the inputs that reach them unharmed.
class ScoreTarget {
public:
  using Value = std::set<std::size_t>;
  using Wires = std::vector<Value>;
  using Operands = std::span<const Value>;

  Wires run(const Diagram &diagram, const Wires &inputs) { return mapDiagram<Value>(*this, diagram, inputs); }

  Wires apply(const Pointwise &pointwise, const Op &, Operands operands) {
    switch (pointwise.fn) {
    case PointwiseFn::Exp:
      return used(operands[0]);
    case PointwiseFn::Where:
      return {both(operands[1], operands[2])};
    case PointwiseFn::Add:
    case PointwiseFn::Sub:
    case PointwiseFn::Max:
    case PointwiseFn::Min:
      return {both(operands[0], operands[1])};
    default:
      return {{}};
    }
  }
  Wires apply(const Softmax &, const Op &, Operands operands) {
    for (const Value &one : operands)
      used(one);
    return {{}};
  }
  Wires apply(const Box &box, const Op &, Operands operands) {
    Wires inputs(box.indexed ? 1 : 0);
    inputs.insert(inputs.end(), operands.begin(), operands.end());
    Wires results = run(*box.body, inputs);
    if (box.cap == Cap::Prod)
      results.assign(results.size(), {});
    return results;
  }
  Wires apply(const Scan &scan, const Op &op, Operands operands) {
    Wires inputs(scan.indexed ? 1 : 0);
    inputs.insert(inputs.end(), operands.begin(), operands.end());
    Wires after = run(*scan.body, inputs);
    // What a state takes up at one step the next may use.
    for (unsigned i = 0; i < scan.states; ++i)
      inputs[scan.indexed + i] = both(inputs[scan.indexed + i], after[i]);
    run(*scan.body, inputs);
    return Wires(op.results.size());
  }
  Wires apply(const Call &call, const Op &, Operands operands) {
    if (call.name == "sigmoid") // within, the sign changes before the exponential
      return used(operands[0]);
    return run(*call.body, Wires(operands.begin(), operands.end()));
  }
  Wires apply(const Gather &, const Op &, Operands operands) { return {operands[0]}; }
  Wires apply(const Transpose &, const Op &, Operands operands) { return {operands[0]}; }
  Wires apply(const Reshape &, const Op &, Operands operands) { return {operands[0]}; }
  template <class Other> Wires apply(const Other &, const Op &op, Operands) { return Wires(op.results.size()); }

  Value scores;

private:
  Wires used(const Value &value) {
    scores.insert(value.begin(), value.end());
    return {{}};
  }
  static Value both(const Value &a, const Value &b) {
    Value result = a;
    result.insert(b.begin(), b.end());
    return result;
  }
};

} // namespace

std::set<std::size_t> scoresOf(const Definition &definition) {
  ScoreTarget target;
  ScoreTarget::Wires inputs;
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i)
    inputs.push_back({i});
  target.run(definition.diagram, inputs);
  std::set<std::size_t> scores;
  for (std::size_t input : target.scores)
    if (definition.diagram.type(definition.diagram.inputs[input]).kind == Kind::Real)
      scores.insert(input);
  return scores;
}

} // namespace attnc
