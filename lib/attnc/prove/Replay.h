#pragma once
#include "attnc/rewrite/Apply.h"

#include <set>

namespace attnc {

/// One rewrite as it was made.
struct Rewrite {
  const Step *step;
  std::size_t matches, chosen; // how many there were, which was taken (from 0); with `everywhere`, how many were made
  std::string place;           // what the source calls the result that was replaced
  std::vector<Constraint> assumed;
  Definition after;
  std::vector<Span> matched;    // where the replaced operations were written
  std::set<std::string> places; // of these operations in the diagram before, by rewriting::load
};

struct Replay {
  Definition begin; // opened, as rewriting sees it
  std::vector<Rewrite> rewrites;
  /// Why the step after these could not be made, or why the end is not the one claimed; empty when all holds.
  std::string problem;
  bool reached = false; // the end is equal to the derivation's `to`
};

/// Makes the steps of a derivation one after the other. Each equation is checked by evaluation on random arrays before
/// and after too. The end is compared by canonical form, sizes named alike, inputs that nothing uses left out.
Replay replay(const Derivation &derivation);

/// What a rule's direction looks like for matching, made once.
class Patterns {
public:
  explicit Patterns(rewriting::Tables &tables) : tables(tables) {}
  const tl::expected<rewriting::Pattern, std::string> &operator()(const RuleRef &rule, bool reversed);

  /// The matches of a pattern at which its rule holds: none where a wire that must be finite (finiteInputs) may be −∞.
  std::vector<rewriting::Match> matches(const rewriting::Host &host, const rewriting::Pattern &pattern);
  /// The name of a wire for which all matches are none, if there are any.
  std::optional<std::string> masked(const rewriting::Host &host, const rewriting::Pattern &pattern);

private:
  const std::set<std::size_t> &finite(const RuleRef &rule);

  rewriting::Tables &tables;
  std::map<std::pair<const Rule *, bool>, tl::expected<rewriting::Pattern, std::string>> known;
  std::map<const Rule *, std::set<std::size_t>> finites;
};

/// One step on a definition; the error says why it cannot be made.
tl::expected<Rewrite, std::string> makeStep(const Definition &before, const Step &step, rewriting::Tables &tables,
                                            Patterns &patterns);

} // namespace attnc
