#pragma once
#include "attnc/diagram/Diagram.h"

namespace attnc {

/// What a rule claims (docs/theories.md): the same function for every filling of the learners; that the right side is
/// one filling of the left's; that the left side can express whatever the right can (`==`: and the other way).
enum class RuleKind : std::uint8_t { Equation, Specialise, Express };
std::string_view name(RuleKind kind);

/// Two diagrams with the same inputs, which stand for any wires, and learners, which stand for any of their kind and
/// type. A learner that the left side has is one of the host; one of the right side alone is new.
///
///     rule distribute : equation
///       forall (c: [], w: [m])
///       sum m (w) { c * w } == c * sum(w)
struct Rule {
  std::string name, doc;
  RuleKind kind = RuleKind::Equation;
  bool bothWays = false;  // `==`
  unsigned boxes = 0;     // `per`: both sides are results of this many boxes around, one in the other
  Definition left, right; // with one table of learners
  std::vector<Constraint> conditions;
  /// The sides with the rule's `by` fillings plugged in, each into the left where the left has its learner, else into
  /// the right; null where nothing was. And the fillings by themselves, with the rule's learners.
  std::shared_ptr<const Definition> filledLeft, filledRight;
  std::vector<std::pair<LearnerId, Definition>> fillings;
  Span span;
};
using RuleRef = std::shared_ptr<const Rule>;

/// What a step by the rule is: its kind, or `generalise` of one with '=>' that is reversed.
std::string_view claim(const Rule &rule, bool reversed);

/// `by RULE reversed at PLACE with r = d`: one rewrite of a derivation.
struct Step {
  RuleRef rule;
  bool reversed = false, everywhere = false;
  std::optional<std::string> place;
  std::optional<std::int64_t> match;
  std::vector<std::pair<std::string, Size>> arguments;
  Span span;
};

struct Derivation {
  std::string name, doc;
  std::shared_ptr<const Definition> from, to;
  std::vector<Step> steps;
  Span span;
};

/// Rules to search with.
struct Theory {
  struct Member {
    RuleRef rule;
    bool reversed = false;
  };
  std::string name, doc;
  std::vector<Member> rules;
  Span span;
};
using TheoryRef = std::shared_ptr<const Theory>;

/// What grows from a root by a theory.
struct Taxonomy {
  std::string name, doc;
  std::shared_ptr<const Definition> root;
  TheoryRef theory;
  std::optional<std::int64_t> depth;
  Span span;
};

} // namespace attnc
