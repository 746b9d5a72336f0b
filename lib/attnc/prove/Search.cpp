#include "attnc/prove/Search.h"

#include "attnc/diagram/Canonical.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc {

using namespace rewriting;

Reached reached(Definition definition) {
  Hash128 form = canonicalForm(definition, {.renameSizes = true}).hash;
  return {std::move(definition), form};
}

std::vector<std::pair<Move, Reached>> neighbours(const Definition &from, const Theory &theory, Tables &tables,
                                                 Patterns &patterns) {
  std::vector<std::pair<Move, Reached>> found;
  const Host host = load(tables, from);
  for (const Theory::Member &member : theory.rules) {
    const auto &pattern = patterns(member.rule, member.reversed);
    if (!pattern)
      continue; // not of this direction
    std::vector<Match> matches = patterns.matches(host, *pattern);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      Host changed = host;
      if (apply(changed, *pattern, matches[i]))
        found.push_back({{member.rule, member.reversed, std::int64_t(i) + 1}, reached(freeze(changed, false))});
    }
  }
  return found;
}

namespace {

/// The diagrams reached from one end, and how.
struct Side {
  struct Node {
    Definition definition;
    Hash128 form, parent;
    Move move; // from the parent
  };
  std::vector<Node> nodes;
  std::map<Hash128, std::size_t> byForm;
  std::size_t frontier = 0; // nodes from here on are not expanded yet

  void start(Reached root) {
    byForm.emplace(root.form, 0);
    nodes.push_back({std::move(root.definition), root.form, root.form, {}});
  }
};

} // namespace

/// The move that leads from one diagram to the other: some match of the rule does.
static std::optional<Move> moveBetween(const Definition &from, Hash128 to, const Move &undone, Tables &tables,
                                       Patterns &patterns) {
  Theory one{"", "", {{undone.rule, !undone.reversed}}, {}};
  for (auto &[move, there] : neighbours(from, one, tables, patterns))
    if (there.form == to)
      return move;
  return std::nullopt;
}

Search derive(const Definition &from, const Definition &to, const Theory &theory, const SearchOptions &options) {
  Tables tables;
  Patterns patterns(tables);
  Theory backwards;
  for (const Theory::Member &member : theory.rules)
    if (member.rule->bothWays)
      backwards.rules.push_back({member.rule, !member.reversed});
  Side ahead, behind;
  ahead.start(reached(freeze(load(tables, from), false)));
  behind.start(reached(freeze(load(tables, to), false)));
  Search search;
  auto meet = [&](Hash128 form) {
    std::vector<Move> path;
    for (std::size_t at = ahead.byForm.at(form); at != 0; at = ahead.byForm.at(ahead.nodes[at].parent))
      path.push_back(ahead.nodes[at].move);
    std::reverse(path.begin(), path.end());
    for (std::size_t at = behind.byForm.at(form); at != 0;) {
      std::size_t parent = behind.byForm.at(behind.nodes[at].parent);
      auto move =
          moveBetween(behind.nodes[at].definition, behind.nodes[parent].form, behind.nodes[at].move, tables, patterns);
      if (!move)
        return false;
      path.push_back(*move);
      at = parent;
    }
    search.path = std::move(path);
    return true;
  };
  if (ahead.nodes[0].form == behind.nodes[0].form) {
    search.path.emplace();
    return search;
  }
  for (std::size_t steps = 0; steps < options.maxSteps; ++steps) {
    // The end with less to expand goes first.
    std::size_t first = ahead.nodes.size() - ahead.frontier, second = behind.nodes.size() - behind.frontier;
    bool forward = second == 0 || first <= second;
    Side &side = forward ? ahead : behind, &other = forward ? behind : ahead;
    std::size_t end = side.nodes.size();
    for (; side.frontier < end; ++side.frontier) {
      Definition here = side.nodes[side.frontier].definition; // the vector grows below
      Hash128 parent = side.nodes[side.frontier].form;
      for (auto &[move, there] : neighbours(here, forward ? theory : backwards, tables, patterns)) {
        if (!side.byForm.emplace(there.form, side.nodes.size()).second)
          continue;
        side.nodes.push_back({std::move(there.definition), there.form, parent, move});
        search.diagrams = ahead.nodes.size() + behind.nodes.size();
        if (other.byForm.contains(there.form) && meet(there.form))
          return search;
        if (search.diagrams > options.maxDiagrams) {
          search.ended =
              fmt::format("{} diagrams were reached in {} steps, which is the bound", search.diagrams, steps);
          return search;
        }
      }
    }
    if (options.progress)
      options.progress(search.diagrams, steps + 1);
    if (ahead.frontier == ahead.nodes.size() && behind.frontier == behind.nodes.size()) {
      search.ended = fmt::format("the rules lead to {} diagrams and no further", search.diagrams);
      return search;
    }
  }
  search.ended = fmt::format("there is none of {} steps or less among {} diagrams", options.maxSteps, search.diagrams);
  return search;
}

std::string derivationText(const std::string &name, const std::string &from, const std::string &to,
                           const std::vector<Move> &path) {
  std::string text = fmt::format("derivation {} : {} => {} {{\n", name, from, to);
  for (const Move &move : path)
    text += fmt::format("  by {}{}{}\n", move.rule->name, move.reversed ? " reversed" : "",
                        move.match == 0   ? " everywhere"
                        : move.match == 1 ? ""
                                          : fmt::format(" at {}", move.match));
  return text + "}\n";
}

} // namespace attnc
