#pragma once
#include "attnc/diagram/Terms.h"
#include "attnc/support/Hash.h"

namespace attnc {

/// Normal terms with the two choices left in them made canonically: the order of commutative operands and the
/// numbers of learners. Both depend on each other: operands are ordered by codes of what they are, the code of a
/// learner is how it is used, so codes are refined against each other until nothing changes; what is then
/// still undecided is decided each way, and the least text wins.
class Labelling {
public:
  Labelling(const TermGraph &graph, std::vector<TermId> outputs, const std::vector<Learner> &learners,
            std::size_t budget);

  /// False when the budget was spent before the order was decided.
  bool complete() const { return finished; }
  /// The lines from the learners to the outputs (Canonical.h).
  const std::string &text() const { return best.text; }
  /// Learners by number.
  const std::vector<LearnerId> &learners() const { return best.learners; }

  /// A term's children in canonical order.
  std::vector<TermId> children(TermId term) const { return ordered(term, best.codes); }
  /// What the term is, learners by number: equal in two diagrams exactly when the terms are (up to 2^-128).
  Hash128 code(TermId term) const { return best.numbered[place[term.index()]]; }

private:
  using Colours = std::vector<Hash128>; // of learners
  struct Leaf {
    std::string text;
    Colours codes, numbered;
    std::vector<LearnerId> learners;
  };

  Colours termCodes(const Colours &colours) const;
  /// Refines the colours of learners; true when they order all commutative operands.
  bool refine(Colours &colours, Colours &codes);
  bool ambiguous(const Colours &codes) const;
  std::vector<TermId> ordered(TermId term, const Colours &codes) const;
  Leaf write(Colours codes) const;
  /// Explores below a path of individualised learners; returns the length of the path to go on from.
  std::size_t search(Colours colours, std::vector<LearnerId> &path);
  std::size_t reach(Leaf leaf, const std::vector<LearnerId> &path);

  const TermGraph &graph;
  const std::vector<Learner> &table;
  std::vector<TermId> outputs;
  std::vector<TermId> terms;      // those the outputs need, operands first
  std::vector<std::size_t> place; // of a term in `terms`
  std::vector<LearnerId> used;    // learners that occur
  std::vector<Hash128> labelCodes;
  std::size_t budget, work = 0;
  bool finished = true, found = false;
  Leaf best;
  std::vector<LearnerId> bestPath;
  std::vector<std::vector<LearnerId>> automorphisms; // image of each learner
};

/// `linear [d] -> [r] per n`: what of a learner counts.
std::string learnerText(const Learner &learner);

} // namespace attnc
