#pragma once
#include "attnc/diagram/Theory.h"
#include "attnc/rewrite/Host.h"

#include <tl/expected.hpp>

namespace attnc::rewriting {

/// One direction of a rule, made ready for matching. Its inputs are metavariables: in a pattern, an input that is
/// sliced along the pattern's own axes, x[i][j], stands for any wire that depends on i and j (a "Miller pattern":
/// the indices are distinct, so there is one most general match), and an input that is not, for any wire that does not.
/// Axes that all results of both sides have outermost are none of the pattern's: the rule holds for each element.
class Pattern {
public:
  /// Why a side is no pattern, in lower case, or the pattern.
  static tl::expected<Pattern, std::string> make(Tables &tables, const RuleRef &rule, bool reversed);

  RuleRef rule;
  bool reversed;
  Host left, right;
  std::vector<Wire> leftRoots, rightRoots; // below the dropped axes
  std::vector<BinderId> droppedLeft, droppedRight;
  std::vector<bool> leftLearners, rightLearners; // by learner of the rule: does the side have it
  std::vector<std::string> sizes;                // every size name of the rule
  /// For a bare learner on the left, a(x, y), whose every use is rewritten at once.
  bool wholeLearner = false;
  bool commutes = false;      // the left side has operations whose operands commute
  std::size_t rightCount = 0; // nodes of the right side
  /// For each binder of the right side one of the left whose index its metavariables had there, or none: when a
  /// match is replaced, the new box takes that box's index over and what is inside needs no copy.
  std::vector<BinderId> heirs;

  /// Sizes of the host may become others: not by an equation, nor on the way to something more general.
  bool mayNarrow() const { return rule->kind != RuleKind::Equation && (rule->bothWays || !reversed); }
  std::string name() const { return rule->name + (reversed ? " reversed" : ""); }
  bool isDropped(bool onLeft, BinderId binder) const;
  /// The metavariable a wire of a side is, and the binders it is sliced by; nothing if it is none.
  struct Spine {
    std::uint32_t input;
    std::vector<BinderId> indices; // dropped ones left out
    std::size_t axes;              // all
  };
  std::optional<Spine> spine(const Host &side, bool onLeft, Wire wire) const;

private:
  Pattern(Tables &tables) : left(tables), right(tables) {}
  void dropAxes();
  void findHeirs();
  std::optional<std::string> wrong() const;
};

} // namespace attnc::rewriting
