#include "attnc/prove/Grow.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc {

using namespace rewriting;

std::vector<Move> Growth::derivation(std::size_t node) const {
  std::vector<Move> moves;
  for (; nodes[node].parent; node = *nodes[node].parent)
    moves.push_back(nodes[node].move);
  std::reverse(moves.begin(), moves.end());
  return moves;
}

Growth grow(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies, const std::vector<Known> &library,
            const GrowOptions &options) {
  Tables tables;
  Patterns patterns(tables);
  std::map<Hash128, std::vector<std::size_t>> names;
  for (std::size_t i = 0; i < library.size(); ++i)
    names[reached(freeze(load(tables, *library[i].definition))).form].push_back(i);
  Growth growth;
  std::map<Hash128, std::size_t> byForm;
  std::size_t named = 0;
  std::size_t current = 0;
  auto add = [&](Reached there, std::size_t depth, std::optional<std::size_t> parent, Move move) {
    auto [entry, fresh] = byForm.emplace(there.form, growth.nodes.size());
    if (fresh) {
      auto known = names.find(there.form);
      growth.nodes.push_back({std::move(there.definition), there.form, current, depth, parent, std::move(move),
                              known == names.end() ? std::vector<std::size_t>() : known->second});
      named += !growth.nodes.back().known.empty();
    }
    return entry->second;
  };
  for (std::size_t at = 0;; ++at) {
    while (at == growth.nodes.size() && current < taxonomies.size()) {
      add(reached(freeze(load(tables, *taxonomies[current]->root))), 0, std::nullopt, {});
      if (at == growth.nodes.size())
        ++current; // its root is there already
    }
    if (at == growth.nodes.size())
      break;
    const Taxonomy &taxonomy = *taxonomies[growth.nodes[at].taxonomy];
    std::size_t maxDepth = taxonomy.depth ? std::size_t(*taxonomy.depth) : options.maxDepth;
    if (growth.nodes[at].depth >= maxDepth) {
      if (at + 1 == growth.nodes.size())
        ++current;
      if (growth.ended.empty())
        growth.ended =
            fmt::format("what is {} steps from '{}' was not rewritten further", maxDepth, taxonomy.root->name);
      continue;
    }
    Definition here = growth.nodes[at].definition; // the vector grows below
    std::size_t depth = growth.nodes[at].depth + 1;
    for (auto &[move, there] : neighbours(here, *taxonomy.theory, tables, patterns)) {
      if (there.form == growth.nodes[at].form)
        continue;
      std::size_t to = add(std::move(there), depth, at, move);
      auto same = [&](const Growth::Edge &edge) {
        return edge.from == at && edge.to == to && edge.move.rule == move.rule;
      };
      // Edges of one node stand together, at the end.
      bool known = false;
      for (std::size_t i = growth.edges.size(); i-- > 0 && growth.edges[i].from == at;)
        known |= same(growth.edges[i]);
      if (!known)
        growth.edges.push_back({at, to, move});
    }
    if (growth.nodes.size() >= options.maxNodes) {
      growth.ended = fmt::format("{} diagrams were reached, which is the bound; nodes {} steps from the root were the "
                                 "last to be rewritten",
                                 growth.nodes.size(), depth - 1);
      break;
    }
    if (options.progress && at % 16 == 0)
      options.progress(growth.nodes.size(), named, depth);
    if (at + 1 == growth.nodes.size())
      ++current;
  }
  return growth;
}

} // namespace attnc
