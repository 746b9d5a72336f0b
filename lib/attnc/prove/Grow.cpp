#include "attnc/prove/Grow.h"

#include "attnc/diagram/Canonical.h"
#include "attnc/support/StateFile.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fmt/format.h>
#include <set>
#include <sstream>
#include <thread>

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

/// A move by the place of its rule in the theory, and the form of what it leads to: what a state file keeps.
struct Found {
  std::size_t member;
  std::int64_t match;
  Hash128 form;
};

/// What only one thread uses.
struct Worker {
  Tables tables;
  Patterns patterns{tables};
};

/// A node rewritten: all it leads to, in order, and the diagrams of it where they were made.
struct Expansion {
  std::vector<Found> found;
  std::vector<std::optional<Definition>> definitions;
  std::string error;
};

std::optional<Hash128> readHash(std::string_view text) {
  if (text.size() != 32)
    return std::nullopt;
  Hash128 hash;
  const char *begin = text.data(), *middle = begin + 16, *end = begin + 32;
  if (std::from_chars(begin, middle, hash.high, 16).ptr != middle ||
      std::from_chars(middle, end, hash.low, 16).ptr != end)
    return std::nullopt;
  return hash;
}

/// What the lines of a state file depend on: the rules, in their order, and this program's way of finding matches.
std::string identity(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies) {
  std::string text;
  for (const auto &taxonomy : taxonomies) {
    text += fmt::format("{} {}:", taxonomy->name, canonicalForm(*taxonomy->root).hash.hex());
    for (const Theory::Member &member : taxonomy->theory->rules) {
      const Rule &rule = *member.rule;
      text += fmt::format("{} {} {} {} {} {};", rule.name, int(rule.kind), rule.bothWays, member.reversed,
                          canonicalForm(rule.left).hash.hex(), canonicalForm(rule.right).hash.hex());
      for (const Constraint &condition : rule.conditions)
        text += condition.str() + ";";
    }
  }
  return hash128(text).hex();
}

class Grower {
public:
  Grower(const std::vector<Known> &library, const GrowOptions &options) : options(options) {
    std::size_t threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
    for (std::size_t i = 0; i < threads; ++i)
      workers.push_back(std::make_unique<Worker>());
    for (std::size_t i = 0; i < library.size(); ++i)
      names[opened(*library[i].definition).form].push_back(i);
  }

  tl::expected<Growth, std::string> run(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies) {
    if (!options.state.empty()) {
      auto opened = state.open(options.state, "attnc taxonomy 1 " + identity(taxonomies),
                               [&](std::string_view line) { return readLine(line, taxonomies); });
      if (!opened)
        return tl::unexpected(opened.error());
    }
    for (; current < taxonomies.size(); ++current)
      if (auto grown = grow(*taxonomies[current]); !grown)
        return tl::unexpected(grown.error());
    return std::move(growth);
  }

private:
  Reached opened(const Definition &definition) { return reached(freeze(load(workers[0]->tables, definition), false)); }

  std::size_t add(Reached there, std::optional<std::size_t> parent, Move move) {
    auto [entry, fresh] = byForm.emplace(there.form, growth.nodes.size());
    if (fresh) {
      auto known = names.find(there.form);
      // Written the same whether it was found now or is made again from the state file.
      growth.nodes.push_back({freeze(load(workers[0]->tables, there.definition), false), there.form, current,
                              parent ? growth.nodes[*parent].depth + 1 : 0, parent, std::move(move),
                              known == names.end() ? std::vector<std::size_t>() : known->second});
    }
    return entry->second;
  }

  // ---- The state file: <taxonomy> <form> : (<member> <match> <form>)…

  std::string lineOf(std::size_t node, const std::vector<Found> &found) const {
    std::string line = fmt::format("{} {} :", current, growth.nodes[node].form.hex());
    for (const Found &one : found)
      line += fmt::format(" {} {} {}", one.member, one.match, one.form.hex());
    return line;
  }

  bool readLine(std::string_view line, const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies) {
    std::istringstream in{std::string(line)};
    std::size_t taxonomy;
    std::string form, colon;
    if (!(in >> taxonomy >> form >> colon) || taxonomy >= taxonomies.size() || colon != ":" || !readHash(form))
      return false;
    std::vector<Found> found;
    for (Found one; in >> one.member >> one.match >> form;) {
      auto hash = readHash(form);
      if (!hash || one.member >= taxonomies[taxonomy]->theory->rules.size())
        return false;
      one.form = *hash;
      found.push_back(one);
    }
    listed[{taxonomy, *readHash(line.substr(line.find(' ') + 1, 32))}] = std::move(found);
    return in.eof();
  }

  // ---- Rewriting a node

  /// Everything one rewrite away; or, where the state file lists it, only the diagrams that are new.
  Expansion expand(std::size_t node, const Taxonomy &taxonomy, Worker &worker) const {
    Expansion result;
    const Definition &here = growth.nodes[node].definition;
    auto known = listed.find({current, growth.nodes[node].form});
    if (known == listed.end()) {
      for (std::size_t member = 0; member < taxonomy.theory->rules.size(); ++member) {
        Theory one{"", "", {taxonomy.theory->rules[member]}, {}};
        for (auto &[move, there] : neighbours(here, one, worker.tables, worker.patterns)) {
          result.found.push_back({member, move.match, there.form});
          result.definitions.emplace_back(std::move(there.definition));
        }
      }
      return result;
    }
    result.found = known->second;
    for (const Found &one : result.found) {
      result.definitions.emplace_back();
      if (byForm.contains(one.form))
        continue;
      const Theory::Member &member = taxonomy.theory->rules[one.member];
      Step step;
      step.rule = member.rule, step.reversed = member.reversed, step.match = one.match;
      auto made = makeStep(here, step, worker.tables, worker.patterns);
      Reached there = made ? reached(freeze(load(worker.tables, made->after), false)) : Reached{};
      if (!made || there.form != one.form)
        result.error = fmt::format("the state file '{}' lists what '{}' does not make: delete it",
                                   options.state.string(), member.rule->name);
      result.definitions.back() = std::move(there.definition);
    }
    return result;
  }

  /// Several nodes, by all threads.
  std::vector<Expansion> expandAll(std::span<const std::pair<std::size_t, std::size_t>> queue,
                                   const Taxonomy &taxonomy) {
    std::vector<Expansion> results(queue.size());
    std::atomic<std::size_t> next = 0;
    auto work = [&](Worker &worker) {
      for (std::size_t i; (i = next++) < queue.size();)
        results[i] = expand(queue[i].first, taxonomy, worker);
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < std::min(workers.size(), queue.size()); ++i)
      threads.emplace_back([&, i] { work(*workers[i]); });
    work(*workers[0]);
    for (std::thread &thread : threads)
      thread.join();
    return results;
  }

  tl::expected<void, std::string> grow(const Taxonomy &taxonomy) {
    constexpr std::size_t wave = 128; // nodes between two looks at the state file
    std::size_t root = add(opened(*taxonomy.root), std::nullopt, {});
    growth.roots.push_back(root);
    std::size_t maxDepth = taxonomy.depth ? std::size_t(*taxonomy.depth) : options.maxDepth;
    std::vector<std::pair<std::size_t, std::size_t>> queue{{root, 0}}; // nodes, and how far from this root
    std::set<std::size_t> seen{root};
    for (std::size_t next = 0; next < queue.size();) {
      std::size_t end = next;
      while (end < queue.size() && end < next + wave && queue[end].second < maxDepth)
        ++end;
      if (end == next) {
        if (growth.ended.empty())
          growth.ended =
              fmt::format("what is {} steps from '{}' was not rewritten further", maxDepth, taxonomy.root->name);
        break;
      }
      std::vector<Expansion> expansions = expandAll(std::span(queue).subspan(next, end - next), taxonomy);
      for (Expansion &expansion : expansions) {
        auto [at, far] = queue[next++];
        if (!expansion.error.empty())
          return tl::unexpected(expansion.error);
        if (!listed.contains({current, growth.nodes[at].form}))
          state.add(lineOf(at, expansion.found));
        for (std::size_t i = 0; i < expansion.found.size(); ++i) {
          const Found &one = expansion.found[i];
          if (one.form == growth.nodes[at].form)
            continue;
          const Theory::Member &member = taxonomy.theory->rules[one.member];
          const Move move{member.rule, member.reversed, one.match};
          std::size_t to = add({std::move(expansion.definitions[i]).value_or(Definition()), one.form}, at, move);
          connect(at, to, move);
          if (seen.insert(to).second)
            queue.emplace_back(to, far + 1);
        }
        if (growth.nodes.size() >= options.maxNodes) {
          if (auto written = state.flush(); !written)
            return written;
          return tl::unexpected(fmt::format("{} diagrams were reached, and {} is the bound; nodes {} steps from '{}' "
                                            "were the last to be rewritten",
                                            growth.nodes.size(), options.maxNodes, far, taxonomy.root->name));
        }
      }
      if (auto written = state.flush(); !written)
        return written;
      if (options.progress)
        options.progress({growth.nodes.size(), next, queue.size(), std::chrono::steady_clock::now() - begun});
    }
    return {};
  }

  void connect(std::size_t from, std::size_t to, const Move &move) {
    if (edges.emplace(from, to, move.rule.get(), move.reversed).second)
      growth.edges.push_back({from, to, move});
  }

  const GrowOptions &options;
  std::vector<std::unique_ptr<Worker>> workers;
  StateFile state;
  std::map<std::pair<std::size_t, Hash128>, std::vector<Found>> listed; // by taxonomy and node
  const std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::map<Hash128, std::vector<std::size_t>> names;
  std::map<Hash128, std::size_t> byForm;
  std::set<std::tuple<std::size_t, std::size_t, const Rule *, bool>> edges;
  std::size_t current = 0;
  Growth growth;
};

} // namespace

tl::expected<Growth, std::string> grow(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies,
                                       const std::vector<Known> &library, const GrowOptions &options) {
  return Grower(library, options).run(taxonomies);
}

} // namespace attnc
