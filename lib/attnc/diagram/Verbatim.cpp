#include "attnc/diagram/Verbatim.h"

#include "attnc/diagram/Labelling.h"

#include <fmt/format.h>
#include <unordered_map>

namespace attnc {

namespace {

/// Bodies are written once each, by the order in which they are first met.
struct Writer {
  std::string text;
  std::unordered_map<const Diagram *, std::size_t> numbers;
  std::vector<const Diagram *> bodies;

  std::size_t number(const Diagram *body) {
    auto [entry, fresh] = numbers.emplace(body, bodies.size());
    if (fresh)
      bodies.push_back(body);
    return entry->second;
  }

  static std::string modes(const std::vector<Mode> &modes) {
    std::string letters;
    for (Mode mode : modes)
      letters += mode == Mode::Map ? 'm' : 's';
    return letters;
  }

  std::string detail(const Const &g) {
    return std::visit([&](auto value) { return fmt::format("{} {}", g.value.index(), value); }, g.value);
  }
  std::string detail(const SizeValue &g) { return g.size.str(); }
  std::string detail(const Scatter &g) { return g.size.str(); }
  std::string detail(const TopK &g) { return g.count.str(); }
  std::string detail(const Reshape &g) { return Type{Kind::Real, g.axes}.str(); }
  std::string detail(const Box &g) {
    return fmt::format("[{}] {} {} b{}", g.size.str(), g.indexed, modes(g.modes), number(g.body.get()));
  }
  std::string detail(const Scan &g) {
    return fmt::format("[{}] {} {} {} b{}", g.size.str(), g.indexed, g.states, modes(g.modes), number(g.body.get()));
  }
  std::string detail(const Call &g) { return fmt::format("b{}", number(g.body.get())); }
  std::string detail(const Apply &g) {
    std::string boxes;
    for (unsigned box : g.per)
      boxes += fmt::format(" {}", box);
    return fmt::format("L{}{}", g.learner.index(), boxes);
  }
  template <class Plain> std::string detail(const Plain &) { return {}; }

  void write(const Diagram &diagram) {
    for (const Op &op : diagram.ops) {
      text += std::holds_alternative<Call>(op.generator) ? "call" : describe(op.generator);
      text += ' ' + std::visit([&](const auto &g) { return detail(g); }, op.generator);
      for (WireId wire : op.operands)
        text += fmt::format(" %{}", wire.index());
      text += " ->";
      for (WireId wire : op.results)
        text += fmt::format(" %{}", wire.index());
      text += '\n';
    }
    for (const std::vector<WireId> *wires : {&diagram.inputs, &diagram.outputs}) {
      text += wires == &diagram.inputs ? "inputs" : "outputs";
      for (WireId wire : *wires)
        text += fmt::format(" %{}: {}", wire.index(), diagram.type(wire).str());
      text += '\n';
    }
  }
};

} // namespace

std::string verbatim(const Definition &definition) {
  Writer writer;
  writer.text = "as built\n";
  for (const Learner &learner : definition.learners)
    writer.text += learnerText(learner) + '\n';
  writer.write(definition.diagram);
  for (std::size_t i = 0; i < writer.bodies.size(); ++i) {
    writer.text += fmt::format("b{}\n", i);
    writer.write(*writer.bodies[i]);
  }
  return writer.text;
}

} // namespace attnc
