#include "attnc/driver/Arguments.h"
#include "attnc/driver/Commands.h"
#include "attnc/driver/Theories.h"

#include "attnc/cost/Cost.h"
#include "attnc/decompile/Decompile.h"
#include "attnc/prove/Search.h"
#include "attnc/syntax/Printer.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

namespace attnc {

/// Left to right, the first rule that matches, as long as something new comes.
static std::vector<Move> towardsFixpoint(Definition &now, const Theory &theory, std::size_t limit,
                                         rewriting::Tables &tables, Patterns &patterns, std::ostream &err) {
  std::vector<Move> moves;
  Progress progress(err);
  std::set<Hash128> seen{reached(now).form};
  while (moves.size() < limit) {
    bool moved = false;
    for (auto &[move, there] : neighbours(now, theory, tables, patterns))
      if (seen.insert(there.form).second) {
        now = std::move(there.definition);
        moves.push_back(move);
        progress.say(fmt::format("{} rewrites", moves.size()));
        moved = true;
        break;
      }
    if (!moved)
      break;
  }
  return moves;
}

/// What a search for the cheapest came to.
struct Cheapest {
  std::vector<Move> moves;
  std::size_t priced = 0, open = 0; // diagrams; of them not rewritten, for the bound was reached
};

/// The cheapest diagram that equations reach: best first, so that a step that costs more may lead to one that costs
/// less.
static Cheapest towardsLeast(Definition &now, const Theory &theory, std::size_t limit, const Measure &measure,
                             const Size::Values &sizes, std::size_t mostDiagrams, rewriting::Tables &tables,
                             Patterns &patterns, std::ostream &err) {
  struct Node {
    Definition definition;
    Size cost;
    std::size_t parent, depth;
    Move move;
  };
  auto price = [&](const Definition &definition) -> std::optional<Size> {
    auto cost = costOf(definition);
    return cost ? std::optional((*cost).*measure.field) : std::nullopt;
  };
  auto less = [&](const Size &a, const Size &b) { return compare(a, b, sizes) == std::partial_ordering::less; };
  Progress progress(err);
  std::vector<Node> nodes{{now, *price(now), 0, 0, {}}};
  std::set<Hash128> seen{reached(now).form};
  std::set<std::size_t> open{0};
  while (!open.empty() && nodes.size() < mostDiagrams) {
    std::size_t at = *open.begin();
    for (std::size_t one : open)
      if (less(nodes[one].cost, nodes[at].cost))
        at = one;
    open.erase(at);
    if (nodes[at].depth >= limit)
      continue;
    Definition here = nodes[at].definition;
    for (auto &[move, there] : neighbours(here, theory, tables, patterns)) {
      if (!seen.insert(there.form).second)
        continue;
      auto cost = price(there.definition);
      if (!cost)
        continue;
      open.insert(nodes.size());
      nodes.push_back({std::move(there.definition), *cost, at, nodes[at].depth + 1, move});
      progress.say(
          fmt::format("{} diagrams of at most {}, {} to be rewritten", nodes.size(), mostDiagrams, open.size()));
    }
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < nodes.size(); ++i)
    if (less(nodes[i].cost, nodes[best].cost))
      best = i;
  now = nodes[best].definition;
  Cheapest result{{}, nodes.size(), open.size()};
  for (; best != 0; best = nodes[best].parent)
    result.moves.push_back(nodes[best].move);
  std::reverse(result.moves.begin(), result.moves.end());
  return result;
}

static void rewrite(const RewriteOptions &options, Session &session, nlohmann::json &result) {
  std::size_t limit = 1000;
  if (options.until != "fixpoint") {
    auto [end, error] = std::from_chars(options.until.data(), options.until.data() + options.until.size(), limit);
    if (error != std::errc() || end != options.until.data() + options.until.size()) {
      session.diagnostics.report(Diag::BadArgument, {}, options.until, "fixpoint or a number of rewrites");
      return;
    }
  }
  auto definition = session.definition(options.file, options.diagram);
  TheoryRef theory = definition ? selectTheory(session, options.rules) : nullptr;
  auto sizes = parseSizes(options.sizes, session);
  if (definition && sizes)
    checkSizeNames(*sizes, *definition, session);
  if (!theory || !sizes || session.diagnostics.hasErrors())
    return;
  rewriting::Tables tables;
  Patterns patterns(tables);
  Definition now = rewriting::freeze(rewriting::load(tables, *definition));
  std::vector<Move> moves;
  std::string priced;
  if (options.cost.empty()) {
    moves = towardsFixpoint(now, *theory, limit, tables, patterns, session.console.err);
  } else {
    Theory equations;
    for (const Theory::Member &member : theory->rules)
      if (member.rule->kind == RuleKind::Equation)
        equations.rules.push_back(member);
    auto before = costOf(now);
    if (!before) {
      session.diagnostics.report(Diag::CannotRun, definition->span, definition->name, before.error());
      return;
    }
    Measure measure = *measureNamed(options.cost);
    Cheapest cheapest = towardsLeast(now, equations, limit, measure, *sizes, options.maxDiagrams, tables, patterns,
                                     session.console.err);
    moves = std::move(cheapest.moves);
    auto after = costOf(now);
    auto text = [&](const Cost &cost) {
      Cost there = atSizes(cost, *sizes);
      std::string polynomial = (cost.*measure.field).str(), value = (there.*measure.field).str();
      return polynomial == value ? value : polynomial + " = " + value;
    };
    auto json = [&](const Cost &cost) {
      nlohmann::json entry = {{"polynomial", (cost.*measure.field).str()}};
      if (auto value = (atSizes(cost, *sizes).*measure.field).constant())
        entry["value"] = *value;
      return entry;
    };
    result["cost"] = {{"measure", options.cost},
                      {"before", json(*before)},
                      {"after", json(*after)},
                      {"priced", cheapest.priced},
                      {"open", cheapest.open}};
    priced = fmt::format("// {}: {}, was {}\n", options.cost, text(*after), text(*before));
    priced += fmt::format("// the cheapest of {} diagrams{}\n", cheapest.priced,
                          cheapest.open ? fmt::format("; {} of them were not rewritten further, for {} is the bound "
                                                      "(--max-diagrams)",
                                                      cheapest.open, options.maxDiagrams)
                                        : ", all that the equations reach");
  }
  auto declaration = toNamed(now, preludeDefinition);
  if (!declaration) {
    session.diagnostics.report(Diag::CannotConvert, definition->span, definition->name, declaration.error());
    return;
  }
  std::string text = priced;
  for (const Move &move : moves)
    text += fmt::format("// by {}{}\n", move.rule->name, move.reversed ? " reversed" : "");
  text += print(*declaration) + "\n";
  result["steps"] = movesJson(moves);
  result["program"] = text;
  if (!session.console.json || !options.output.empty())
    session.put(options.output, text);
}

int rewrite(const RewriteOptions &options, Console console) {
  Session session(console);
  nlohmann::json result = {{"steps", nullptr}, {"program", nullptr}};
  rewrite(options, session, result);
  if (console.json)
    session.tell(std::move(result), options.output);
  return session.finish();
}

} // namespace attnc
