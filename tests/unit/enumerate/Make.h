#pragma once
#include "attnc/enumerate/Word.h"

#include <functional>
#include <random>
#include <set>

namespace attnc::enumerate::make {

/// Tokens, weights and memories: T, A, M = 0, 1, 2; mem, read, score, mix = 0, 1, 2, 3.
inline Presentation anatomy() {
  Presentation p;
  p.name = "anatomy";
  p.sorts = {{"T", true}, {"A", true}, {"M", true}};
  p.inputs = {{"x", 0, true}};
  p.operations = {{"mem", {0, 0}, 2}, {"read", {0, 2}, 0}, {"score", {0, 0}, 1}, {"mix", {1, 0}, 0}};
  p.output = 0;
  using Kind = Presentation::Criterion::Kind;
  p.criteria = {
      {"stacking", Kind::Through, {0}}, {"token_sharing", Kind::Shared, {0}}, {"weight_sharing", Kind::Shared, {1, 2}}};
  p.classes = {{"linear", {0, 1}}, {"dot_product", {2, 3}}};
  return p;
}

inline Term variable(unsigned index) { return {-1, index, {}}; }
inline Term term(int operation, std::vector<Term> operands) { return {operation, 0, std::move(operands)}; }

/// The same words by force: all graphs of at most `most` nodes in all orders of building, those whose output needs
/// every node, by their walk. Written without a look at the enumerator.
inline std::set<Word> byForce(const Presentation &p, unsigned most) {
  std::set<Word> words;
  Graph graph;
  auto sortOf = [&](Graph::Ref ref) {
    return ref.input ? p.inputs[ref.index].sort : p.operations[graph.nodes[ref.index].operation].codomain;
  };
  auto admitted = [&] {
    std::vector<unsigned> uses(graph.nodes.size(), 0), inputs(p.inputs.size(), 0);
    for (const Graph::Node &node : graph.nodes)
      for (Graph::Ref ref : node.operands)
        ++(ref.input ? inputs : uses)[ref.index];
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] > 1 && !p.inputs[i].copied)
        return false;
    for (std::size_t i = 0; i < uses.size(); ++i) {
      if (uses[i] == 0 && i + 1 < uses.size())
        return false;
      if (uses[i] > 1 && !p.sorts[sortOf({false, static_cast<unsigned>(i)})].copied)
        return false;
    }
    return true;
  };
  std::function<void()> grow = [&] {
    if (!graph.nodes.empty()) {
      graph.output = {false, static_cast<unsigned>(graph.nodes.size() - 1)};
      if (sortOf(graph.output) == p.output && admitted())
        words.insert(encode(graph));
    }
    if (graph.nodes.size() == most)
      return;
    for (unsigned operation = 0; operation < p.operations.size(); ++operation) {
      const auto &domain = p.operations[operation].domain;
      std::vector<Graph::Ref> operands;
      const unsigned before = graph.nodes.size();
      std::function<void()> choose = [&] {
        if (operands.size() == domain.size()) {
          graph.nodes.push_back({operation, operands});
          grow();
          graph.nodes.pop_back();
          return;
        }
        const unsigned sort = domain[operands.size()];
        auto attempt = [&](Graph::Ref ref) {
          if (sortOf(ref) != sort)
            return;
          operands.push_back(ref);
          choose();
          operands.pop_back();
        };
        for (unsigned i = 0; i < p.inputs.size(); ++i)
          attempt({true, i});
        for (unsigned i = 0; i < before; ++i)
          attempt({false, i});
      };
      choose();
    }
  };
  grow();
  return words;
}

} // namespace attnc::enumerate::make
