#pragma once
#include "attnc/diagram/Diagram.h"

namespace attnc::rewriting {

/// A condition on sizes: holds for all sizes >= 0, never holds, or must be assumed.
enum class Verdict : std::uint8_t { Holds, Fails, Assumed };
Verdict judge(const Constraint &condition);

/// What the size names of a pattern are in a host. Names of the two are different worlds even when spelled alike.
struct SizeMatch {
  explicit SizeMatch(bool narrows) : narrows(narrows) {}

  /// Whether the pattern's size can be the host's; binds what follows.
  bool unify(const Size &wanted, const Size &given);
  /// Whether a condition on the pattern's sizes, all of them bound, never holds.
  bool refutes(const Constraint &condition) const;

  Size::Bindings bindings;
  /// Names of the host that must be other sizes for the match: only where the rule may narrow the host.
  Size::Bindings equated;
  bool narrows;

private:
  bool equate(const Size &one, const Size &other);
};

} // namespace attnc::rewriting
