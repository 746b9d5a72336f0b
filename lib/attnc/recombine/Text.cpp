#include "attnc/recombine/Text.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <set>

namespace attnc::recombine {

using enumerate::Graph;

namespace {

class Writer {
public:
  Writer(const Generators &generators, const Graph &graph, const std::vector<Variable> &inputs, bool learners)
      : generators(generators), graph(graph), inputs(inputs), learners(learners), names(graph.nodes.size()) {
    for (const Variable &input : inputs)
      for (const std::string &wire : wires(input.name, input.sort))
        taken.insert(wire);
    taken.insert(generators.meanings.begin(), generators.meanings.end());
  }

  std::string diagram(const std::string &name, const std::string &doc) {
    std::string parameters;
    for (const Variable &input : inputs) {
      const auto &types = generators.sorts[input.sort].types;
      const auto own = wires(input.name, input.sort);
      for (std::size_t i = 0; i < types.size(); ++i)
        parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", own[i], types[i]);
    }
    const Graph::Node &last = graph.nodes[graph.output.index];
    const unsigned sort = generators.presentation.operations[last.operation].codomain;
    const std::string result = call(last);
    std::string text;
    for (std::size_t begin = 0; !doc.empty() && begin <= doc.size();) {
      const std::size_t end = std::min(doc.find('\n', begin), doc.size());
      text += "/// " + doc.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    return text + fmt::format("diagram {}({}) -> {} {{\n{}{}  {}\n}}\n", name, parameters,
                              fmt::join(generators.sorts[sort].types, " @ "), declarations, lines, result);
  }

private:
  std::vector<std::string> wires(const std::string &name, unsigned sort) const {
    const std::size_t count = generators.sorts[sort].types.size();
    if (count == 1)
      return {name};
    std::vector<std::string> all;
    for (std::size_t i = 1; i <= count; ++i)
      all.push_back(fmt::format("{}_{}", name, i));
    return all;
  }

  std::string call(const Graph::Node &node) {
    const auto &operation = generators.presentation.operations[node.operation];
    std::string arguments;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const Generators::Sort &sort = generators.sorts[operation.domain[i]];
      for (std::string wire : wiresOf(node.operands[i], operation.domain[i])) {
        if (learners && !sort.learner.empty()) {
          const std::string label = unused("W", ++labels);
          declarations += fmt::format("  {} {} : {}\n", sort.learner, label, sort.learnerTypes);
          wire = fmt::format("{}({})", label, wire);
        }
        arguments += (arguments.empty() ? "" : ", ") + wire;
      }
    }
    return fmt::format("{}({})", generators.meanings[node.operation], arguments);
  }

  std::vector<std::string> wiresOf(Graph::Ref ref, unsigned sort) {
    if (ref.input)
      return wires(inputs[ref.index].name, sort);
    std::string &name = names[ref.index];
    if (name.empty()) {
      const std::string value = call(graph.nodes[ref.index]);
      std::string letter = generators.presentation.sorts[sort].name;
      std::ranges::transform(letter, letter.begin(), [](unsigned char c) { return std::tolower(c); });
      name = unused(letter, ++counts[letter]);
      const auto own = resultsOf(ref, sort);
      taken.insert(own.begin(), own.end());
      lines += own.size() == 1 ? fmt::format("  {} = {}\n", name, value)
                               : fmt::format("  ({}) = {}\n", fmt::join(own, ", "), value);
    }
    return resultsOf(ref, sort);
  }

  /// As the diagram names its results, with the number this one has, if it names them.
  std::vector<std::string> resultsOf(Graph::Ref ref, unsigned sort) const {
    const std::string &name = names[ref.index];
    const auto &given = generators.resultNames[graph.nodes[ref.index].operation];
    if (given.size() < 2)
      return wires(name, sort);
    std::vector<std::string> own;
    for (const std::string &one : given)
      own.push_back(one + name.substr(generators.presentation.sorts[sort].name.size()));
    return own;
  }

  std::string unused(const std::string &stem, unsigned number) {
    std::string name = stem + std::to_string(number);
    while (!taken.insert(name).second)
      name += "'";
    return name;
  }

  const Generators &generators;
  const Graph &graph;
  const std::vector<Variable> &inputs;
  const bool learners;
  std::vector<std::string> names; // of the nodes that are written
  std::set<std::string> taken;
  std::map<std::string, unsigned> counts;
  unsigned labels = 0;
  std::string declarations, lines;
};

} // namespace

std::string diagramText(const Generators &generators, const Graph &graph, const std::vector<Variable> &inputs,
                        const std::string &name, const std::string &doc, bool learners) {
  return Writer(generators, graph, inputs, learners).diagram(name, doc);
}

std::vector<Variable> inputsOf(const enumerate::Presentation &presentation) {
  std::vector<Variable> inputs;
  for (const auto &input : presentation.inputs)
    inputs.push_back({input.name, input.sort});
  return inputs;
}

Graph graphOf(const enumerate::Term &term) {
  Graph graph;
  std::function<Graph::Ref(const enumerate::Term &)> add = [&](const enumerate::Term &one) -> Graph::Ref {
    if (one.operation < 0)
      return {true, one.variable};
    Graph::Node node{static_cast<unsigned>(one.operation), {}};
    for (const enumerate::Term &operand : one.operands)
      node.operands.push_back(add(operand));
    graph.nodes.push_back(std::move(node));
    return {false, static_cast<unsigned>(graph.nodes.size() - 1)};
  };
  graph.output = add(term);
  return graph;
}

} // namespace attnc::recombine
