#pragma once
#include "attnc/prove/Replay.h"
#include "attnc/support/Hash.h"

namespace attnc {

/// One way from a diagram to a neighbour: a step that `makeStep` can make again.
struct Move {
  RuleRef rule;
  bool reversed = false;
  std::int64_t match = 1; // which of the rule's matches, from 1; 0: everywhere
};

/// A diagram that was reached, with the form that tells it apart from others (sizes named alike).
struct Reached {
  Definition definition;
  Hash128 form;
};
Reached reached(Definition definition);

/// Every diagram one rewrite away, by rule and match; inputs that nothing uses any more are left out.
std::vector<std::pair<Move, Reached>> neighbours(const Definition &from, const Theory &theory,
                                                 rewriting::Tables &tables, Patterns &patterns);

struct SearchOptions {
  std::size_t maxSteps = 8;
  std::size_t maxDiagrams = 20000;                        // that are kept; more end the search
  std::function<void(std::size_t, std::size_t)> progress; // diagrams, steps from either end
};

struct Search {
  std::optional<std::vector<Move>> path; // from the first diagram to the second
  std::size_t diagrams = 0;
  std::string ended; // why there is none, in lower case
};

/// A shortest way between two diagrams, looked for from both ends: from the second backwards by what can be undone
/// (`==`).
Search derive(const Definition &from, const Definition &to, const Theory &theory, const SearchOptions &options = {});

/// A derivation as a program of the language.
std::string derivationText(const std::string &name, const std::string &from, const std::string &to,
                           const std::vector<Move> &path);

} // namespace attnc
