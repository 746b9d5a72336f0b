#include "attnc/prove/Grow.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace attnc {

using namespace rewriting;

std::vector<Move> Growth::derivation(std::size_t node) const {
  std::vector<Move> moves;
  for (; nodes[node].parent; node = *nodes[node].parent)
    moves.push_back(nodes[node].move);
  std::reverse(moves.begin(), moves.end());
  return moves;
}

namespace {

class Grower {
public:
  Grower(const std::vector<Known> &library, const GrowOptions &options) : options(options), patterns(tables) {
    for (std::size_t i = 0; i < library.size(); ++i)
      names[opened(*library[i].definition).form].push_back(i);
  }

  Growth run(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies) {
    for (; current < taxonomies.size(); ++current)
      if (!grow(*taxonomies[current]))
        break;
    return std::move(growth);
  }

private:
  Reached opened(const Definition &definition) { return reached(freeze(load(tables, definition), false)); }

  std::size_t add(Reached there, std::optional<std::size_t> parent, Move move) {
    auto [entry, fresh] = byForm.emplace(there.form, growth.nodes.size());
    if (fresh) {
      auto known = names.find(there.form);
      growth.nodes.push_back({std::move(there.definition), there.form, current,
                              parent ? growth.nodes[*parent].depth + 1 : 0, parent, std::move(move),
                              known == names.end() ? std::vector<std::size_t>() : known->second});
      named += !growth.nodes.back().known.empty();
    }
    return entry->second;
  }

  /// False when the bound on nodes is reached.
  bool grow(const Taxonomy &taxonomy) {
    std::size_t root = add(opened(*taxonomy.root), std::nullopt, {});
    growth.roots.push_back(root);
    std::size_t maxDepth = taxonomy.depth ? std::size_t(*taxonomy.depth) : options.maxDepth;
    std::vector<std::pair<std::size_t, std::size_t>> queue{{root, 0}}; // nodes, and how far from this root
    std::set<std::size_t> seen{root};
    for (std::size_t next = 0; next < queue.size(); ++next) {
      auto [at, far] = queue[next];
      if (far >= maxDepth) {
        if (growth.ended.empty())
          growth.ended =
              fmt::format("what is {} steps from '{}' was not rewritten further", maxDepth, taxonomy.root->name);
        break;
      }
      Definition here = growth.nodes[at].definition; // the vector grows below
      for (auto &[move, there] : neighbours(here, *taxonomy.theory, tables, patterns)) {
        if (there.form == growth.nodes[at].form)
          continue;
        std::size_t to = add(std::move(there), at, move);
        connect(at, to, move);
        if (seen.insert(to).second)
          queue.emplace_back(to, far + 1);
      }
      if (growth.nodes.size() >= options.maxNodes) {
        growth.ended = fmt::format("{} diagrams were reached, which is the bound; nodes {} steps from '{}' were the "
                                   "last to be rewritten",
                                   growth.nodes.size(), far, taxonomy.root->name);
        return false;
      }
      if (options.progress && next % 16 == 0)
        options.progress(growth.nodes.size(), named, growth.nodes[at].depth + 1);
    }
    return true;
  }

  void connect(std::size_t from, std::size_t to, const Move &move) {
    if (edges.emplace(from, to, move.rule.get(), move.reversed).second)
      growth.edges.push_back({from, to, move});
  }

  const GrowOptions &options;
  Tables tables;
  Patterns patterns;
  std::map<Hash128, std::vector<std::size_t>> names;
  std::map<Hash128, std::size_t> byForm;
  std::set<std::tuple<std::size_t, std::size_t, const Rule *, bool>> edges;
  std::size_t named = 0, current = 0;
  Growth growth;
};

} // namespace

Growth grow(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies, const std::vector<Known> &library,
            const GrowOptions &options) {
  return Grower(library, options).run(taxonomies);
}

} // namespace attnc
