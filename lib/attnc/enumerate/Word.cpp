#include "attnc/enumerate/Word.h"

#include <algorithm>
#include <functional>

namespace attnc::enumerate {

std::vector<unsigned> Graph::uses() const {
  std::vector<unsigned> uses(nodes.size(), 0);
  for (const Node &node : nodes)
    for (const Ref &ref : node.operands)
      if (!ref.input)
        ++uses[ref.index];
  if (!output.input)
    ++uses[output.index];
  return uses;
}

Graph decode(const Presentation &presentation, const Word &word) {
  Graph graph;
  std::size_t at = 0;
  std::function<Graph::Ref()> next = [&]() -> Graph::Ref {
    const char symbol = word[at++];
    if (kindOf(symbol) != SymbolKind::Operation)
      return {kindOf(symbol) == SymbolKind::Input, indexOf(symbol)};
    const unsigned node = graph.nodes.size();
    graph.nodes.push_back({indexOf(symbol), {}});
    for (std::size_t i = 0; i < presentation.operations[indexOf(symbol)].domain.size(); ++i) {
      const Graph::Ref operand = next();
      graph.nodes[node].operands.push_back(operand);
    }
    return {false, node};
  };
  graph.output = next();
  return graph;
}

Word encode(const Graph &graph) {
  Word word;
  std::vector<int> met(graph.nodes.size(), -1);
  int count = 0;
  std::function<void(Graph::Ref)> walk = [&](Graph::Ref ref) {
    if (ref.input) {
      word += inputSymbol(ref.index);
    } else if (met[ref.index] >= 0) {
      word += againSymbol(met[ref.index]);
    } else {
      met[ref.index] = count++;
      word += operationSymbol(graph.nodes[ref.index].operation);
      for (const Graph::Ref &operand : graph.nodes[ref.index].operands)
        walk(operand);
    }
  };
  walk(graph.output);
  return word;
}

std::string text(const Presentation &presentation, const Word &word) {
  const Graph graph = decode(presentation, word);
  const std::vector<unsigned> uses = graph.uses();
  std::vector<std::string> names(graph.nodes.size());
  std::string shared;
  std::function<std::string(Graph::Ref)> written = [&](Graph::Ref ref) -> std::string {
    if (ref.input)
      return presentation.inputs[ref.index].name;
    if (!names[ref.index].empty())
      return names[ref.index];
    const Graph::Node &node = graph.nodes[ref.index];
    std::string call = presentation.operations[node.operation].name + "(";
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      call += (i ? ", " : "") + written(node.operands[i]);
    call += ")";
    if (uses[ref.index] < 2)
      return call;
    names[ref.index] = "y" + std::to_string(ref.index);
    shared += (shared.empty() ? " where " : ", ") + names[ref.index] + " = " + call;
    return names[ref.index];
  };
  std::string whole = written(graph.output);
  return whole + shared;
}

bool listedBefore(const Presentation &presentation, const Word &a, const Word &b) {
  auto made = [&](const Word &word) {
    std::vector<unsigned> counts(presentation.operations.size() + 1, 0);
    for (char symbol : word)
      if (kindOf(symbol) == SymbolKind::Operation) {
        ++counts[0];
        ++counts[1 + indexOf(symbol)];
      }
    return counts;
  };
  const auto madeOfA = made(a), madeOfB = made(b);
  if (madeOfA[0] != madeOfB[0])
    return madeOfA[0] < madeOfB[0];
  // Operations come before inputs, in the order of their declaration; what is met again comes between.
  auto rank = [](char symbol) { return std::pair(2 - static_cast<int>(kindOf(symbol)), indexOf(symbol)); };
  if (!a.empty() && !b.empty() && a[0] != b[0])
    return rank(a[0]) < rank(b[0]);
  if (madeOfA != madeOfB)
    return madeOfA > madeOfB;
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

std::string classOf(const Presentation &presentation, const Word &word) {
  std::string names;
  for (const Presentation::Class &one : presentation.classes)
    if (std::ranges::any_of(word, [&](char symbol) {
          return kindOf(symbol) == SymbolKind::Operation &&
                 std::ranges::find(one.operations, indexOf(symbol)) != one.operations.end();
        }))
      names += (names.empty() ? "" : " + ") + one.name;
  return names;
}

} // namespace attnc::enumerate
