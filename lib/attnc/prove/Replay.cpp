#include "attnc/prove/Replay.h"

#include "attnc/diagram/Equal.h"
#include "attnc/prove/Finite.h"
#include "attnc/prove/Soundness.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc {

using namespace rewriting;

const tl::expected<Pattern, std::string> &Patterns::operator()(const RuleRef &rule, bool reversed) {
  auto key = std::pair(rule.get(), reversed);
  auto found = known.find(key);
  if (found == known.end())
    found = known.emplace(key, Pattern::make(tables, rule, reversed)).first;
  return found->second;
}

const std::set<std::size_t> &Patterns::finite(const RuleRef &rule) {
  auto found = finites.find(rule.get());
  return found == finites.end() ? finites.emplace(rule.get(), finiteInputs(*rule)).first->second : found->second;
}

std::vector<Match> Patterns::matches(const Host &host, const Pattern &pattern) {
  const std::set<std::size_t> &inputs = finite(pattern.rule);
  if (inputs.empty())
    return allMatches(host, pattern);
  const std::vector<bool> masked = maskedNodes(host);
  std::vector<Match> result;
  forEachMatch(host, pattern, [&](Match match) {
    if (!maskedInput(host, masked, match, inputs))
      result.push_back(std::move(match));
    return true;
  });
  return result;
}

std::optional<std::string> Patterns::masked(const Host &host, const Pattern &pattern) {
  const std::vector<bool> masked = maskedNodes(host);
  std::optional<std::string> name;
  forEachMatch(host, pattern, [&](const Match &match) {
    if (auto input = maskedInput(host, masked, match, finite(pattern.rule)))
      name = pattern.left.node(pattern.left.inputs[*input]).name;
    return !name;
  });
  return name;
}

/// What the user may call a match: its result's name, or the learner that is rewritten.
static std::vector<std::string> namesOf(const Host &host, const Pattern &pattern, const Match &match) {
  std::vector<std::string> names;
  for (rewriting::Wire root : match.roots)
    if (!host.node(root).name.empty())
      names.push_back(host.node(root).name);
  for (std::size_t i = 0; i < match.learners.size(); ++i)
    if (match.learners[i].learner.valid() && (pattern.wholeLearner || names.empty()))
      names.push_back(host.learners[match.learners[i].learner.index()].label);
  return names;
}

static std::string placesText(const Host &host, const Pattern &pattern, const std::vector<Match> &matches) {
  std::string text;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    auto names = namesOf(host, pattern, matches[i]);
    text += fmt::format("{}{}{}", i ? ", " : "", i + 1, names.empty() ? "" : " (" + names[0] + ")");
  }
  return text;
}

tl::expected<Rewrite, std::string> makeStep(const Definition &before, const Step &step, Tables &tables,
                                            Patterns &patterns) {
  const auto &made = patterns(step.rule, step.reversed);
  if (!made)
    return tl::unexpected(made.error());
  const Pattern &pattern = *made;
  std::vector<std::string> places;
  Host host = load(tables, before, false, &places);
  std::vector<Match> matches = patterns.matches(host, pattern);
  if (matches.empty()) {
    if (auto name = patterns.masked(host, pattern))
      return tl::unexpected(fmt::format("it matches only where '{}' may be -inf, for which it does not hold", *name));
    return tl::unexpected<std::string>("it matches nowhere");
  }
  Rewrite rewrite{&step, matches.size(), 0, "", {}, {}, {}, {}};
  auto note = [&](const Match &match) {
    for (rewriting::Wire root : match.roots)
      if (Span span = host.node(root).span; span.valid())
        rewrite.matched.push_back(span);
    for (NodeId id : nodesOf(host, pattern, match))
      if (id.index() < places.size()) // it was there before the step
        rewrite.places.insert(places[id.index()]);
  };
  if (step.everywhere) {
    // A rewrite may undo a match found before it: then the rest is looked for again.
    std::size_t count = 0;
    for (; count < 1000; ++count) {
      std::vector<Match> now = patterns.matches(host, pattern);
      if (now.empty())
        break;
      note(now[0]);
      auto applied = apply(host, pattern, now[0], step.arguments);
      if (!applied)
        return tl::unexpected(applied.error());
      rewrite.assumed.insert(rewrite.assumed.end(), applied->assumed.begin(), applied->assumed.end());
    }
    if (count == 1000)
      return tl::unexpected<std::string>("it can be made again and again without end");
    rewrite.chosen = count;
    rewrite.after = freeze(host);
    return rewrite;
  }
  if (step.match) {
    if (*step.match < 1 || *step.match > static_cast<std::int64_t>(matches.size()))
      return tl::unexpected(
          fmt::format("it matches at {} places: {}", matches.size(), placesText(host, pattern, matches)));
    rewrite.chosen = *step.match - 1;
  } else if (step.place) {
    auto called = [&](const Match &match) {
      auto names = namesOf(host, pattern, match);
      return std::ranges::find(names, *step.place) != names.end();
    };
    auto found = std::ranges::find_if(matches, called);
    if (found == matches.end())
      return tl::unexpected(
          fmt::format("it does not match at '{}', but at {}", *step.place, placesText(host, pattern, matches)));
    rewrite.chosen = found - matches.begin();
  }
  const Match &match = matches[rewrite.chosen];
  auto names = namesOf(host, pattern, match);
  rewrite.place = names.empty() ? "" : names[0];
  note(match);
  auto applied = apply(host, pattern, match, step.arguments);
  if (!applied)
    return tl::unexpected(applied.error());
  rewrite.assumed = applied->assumed;
  rewrite.after = freeze(host);
  return rewrite;
}

Replay replay(const Derivation &derivation) {
  Tables tables;
  Patterns patterns(tables);
  Replay result;
  result.begin = freeze(load(tables, *derivation.from));
  Definition now = result.begin;
  for (const Step &step : derivation.steps) {
    auto rewrite = makeStep(now, step, tables, patterns);
    if (!rewrite) {
      result.problem = rewrite.error();
      return result;
    }
    if (step.rule->kind == RuleKind::Equation)
      if (auto wrong = differAnywhere(now, rewrite->after, rewrite->after.constraints, 3)) {
        result.problem = "before and after it, " + *wrong;
        return result;
      }
    now = rewrite->after;
    result.rewrites.push_back(std::move(*rewrite));
  }
  Definition begin = freeze(load(tables, now), false), end = freeze(load(tables, *derivation.to), false);
  auto difference = firstDifference(begin, end, {.renameSizes = true});
  result.reached = !difference;
  if (difference)
    result.problem = difference->message;
  return result;
}

} // namespace attnc
