#include "attnc/enumerate/Modulo.h"

#include <deque>
#include <fmt/format.h>
#include <functional>
#include <numeric>
#include <unordered_map>

namespace attnc::enumerate {

static std::size_t operationsOf(const Word &word) {
  std::size_t count = 0;
  for (char symbol : word)
    count += kindOf(symbol) == SymbolKind::Operation;
  return count;
}

tl::expected<std::vector<unsigned>, std::string> variablesOf(const Presentation &presentation,
                                                             const Presentation::Equation &equation) {
  std::vector<std::optional<unsigned>> sorts;
  std::vector<unsigned> met;
  std::string broken;
  std::function<void(const Term &, std::optional<unsigned>)> walk = [&](const Term &term,
                                                                        std::optional<unsigned> needed) {
    if (term.operation < 0) {
      sorts.resize(std::max<std::size_t>(sorts.size(), term.variable + 1));
      met.resize(sorts.size(), 0);
      ++met[term.variable];
      if (!needed)
        broken = "a side is a variable";
      else if (sorts[term.variable] && sorts[term.variable] != needed)
        broken = "a variable stands for two sorts";
      else
        sorts[term.variable] = needed;
      return;
    }
    const auto &operation = presentation.operations[term.operation];
    if (needed && operation.codomain != *needed)
      broken = fmt::format("'{}' gives {} where {} is needed", operation.name,
                           presentation.sorts[operation.codomain].name, presentation.sorts[*needed].name);
    if (operation.domain.size() != term.operands.size())
      broken =
          fmt::format("'{}' takes {} operands, not {}", operation.name, operation.domain.size(), term.operands.size());
    for (std::size_t i = 0; i < std::min(term.operands.size(), operation.domain.size()); ++i)
      walk(term.operands[i], operation.domain[i]);
  };
  std::vector<unsigned> before;
  for (const Term *side : {&equation.left, &equation.right}) {
    met.assign(sorts.size(), 0);
    walk(*side, std::nullopt);
    for (unsigned count : met)
      if (count != 1)
        broken = broken.empty() ? "a variable does not stand once on each side" : broken;
    if (side == &equation.right && met.size() != before.size() && broken.empty())
      broken = "a variable does not stand once on each side";
    before = met;
  }
  if (broken.empty() && presentation.operations[equation.left.operation].codomain !=
                            presentation.operations[equation.right.operation].codomain)
    broken = "its sides are of two sorts";
  if (!broken.empty())
    return tl::unexpected(broken);
  std::vector<unsigned> result;
  for (const auto &sort : sorts)
    result.push_back(*sort);
  return result;
}

namespace {

using Ref = Graph::Ref;

bool match(const Graph &graph, const std::vector<unsigned> &uses, const Term &pattern, Ref at, bool root,
           std::vector<Ref> &bound) {
  if (pattern.operation < 0) {
    bound.resize(std::max<std::size_t>(bound.size(), pattern.variable + 1));
    bound[pattern.variable] = at;
    return true;
  }
  if (at.input || graph.nodes[at.index].operation != static_cast<unsigned>(pattern.operation) ||
      (!root && uses[at.index] != 1))
    return false;
  for (std::size_t i = 0; i < pattern.operands.size(); ++i)
    if (!match(graph, uses, pattern.operands[i], graph.nodes[at.index].operands[i], false, bound))
      return false;
  return true;
}

Ref build(Graph &graph, const Term &term, const std::vector<Ref> &bound) {
  if (term.operation < 0)
    return bound[term.variable];
  Graph::Node node{static_cast<unsigned>(term.operation), {}};
  for (const Term &operand : term.operands)
    node.operands.push_back(build(graph, operand, bound));
  graph.nodes.push_back(std::move(node));
  return {false, static_cast<unsigned>(graph.nodes.size() - 1)};
}

std::size_t operationsOf(const Term &term) {
  std::size_t count = term.operation >= 0;
  for (const Term &operand : term.operands)
    count += operationsOf(operand);
  return count;
}

} // namespace

std::vector<Word> neighbours(const Presentation &presentation, const Presentation::Equation &equation,
                             const Word &word) {
  std::vector<Word> made;
  const Graph graph = decode(presentation, word);
  const std::vector<unsigned> uses = graph.uses();
  for (auto [from, to] : {std::pair(&equation.left, &equation.right), std::pair(&equation.right, &equation.left)}) {
    if (graph.nodes.size() + operationsOf(*to) > largestDiagram + operationsOf(*from))
      continue; // more than a word can say
    for (unsigned i = 0; i < graph.nodes.size(); ++i) {
      std::vector<Ref> bound;
      if (!match(graph, uses, *from, {false, i}, true, bound))
        continue;
      Graph changed = graph;
      const Ref instead = build(changed, *to, bound);
      for (std::size_t node = 0; node < graph.nodes.size(); ++node)
        for (Ref &operand : changed.nodes[node].operands)
          if (operand == Ref{false, i})
            operand = instead;
      if (changed.output == Ref{false, i})
        changed.output = instead;
      made.push_back(encode(changed));
    }
  }
  return made;
}

tl::expected<std::vector<std::size_t>, std::string>
classes(const Presentation &presentation, const std::vector<Word> &words, unsigned most, std::size_t limit) {
  std::unordered_map<Word, std::size_t> classOf; // of every diagram met: a word of the class
  std::vector<std::size_t> result(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto [known, fresh] = classOf.emplace(words[i], i);
    result[i] = known->second;
    if (!fresh)
      continue;
    // All that equations make of it: a class is met whole, from its first word.
    std::deque<Word> front{words[i]};
    while (!front.empty()) {
      const Word word = std::move(front.front());
      front.pop_front();
      for (const Presentation::Equation &equation : presentation.equations)
        for (Word &next : neighbours(presentation, equation, word))
          if (operationsOf(next) <= most && classOf.emplace(next, i).second)
            front.push_back(std::move(next));
      if (classOf.size() > limit)
        return tl::unexpected(fmt::format("more than {} diagrams are met from the first {} of {} that are compared",
                                          limit, i + 1, words.size()));
    }
  }
  return result;
}

} // namespace attnc::enumerate
