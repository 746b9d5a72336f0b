#include "attnc/rewrite/Sizes.h"

#include <algorithm>

namespace attnc::rewriting {

Verdict judge(const Constraint &condition) {
  Size difference = condition.left - condition.right;
  if (condition.modulus) {
    if (condition.modulus->isConstant() && difference.isConstant() && *condition.modulus->constant() > 0)
      return *difference.constant() % *condition.modulus->constant() == 0 ? Verdict::Holds : Verdict::Fails;
    return difference.dividedBy(*condition.modulus) ? Verdict::Holds : Verdict::Assumed;
  }
  if (condition.relation == Constraint::Relation::AtMost)
    difference = condition.right - condition.left;
  if (auto value = difference.constant()) {
    bool holds = condition.relation == Constraint::Relation::Equal ? *value == 0 : *value >= 0;
    return holds ? Verdict::Holds : Verdict::Fails;
  }
  if (condition.relation == Constraint::Relation::Equal)
    return Verdict::Assumed;
  bool positive = true, negative = true;
  for (const Size::Term &term : difference.polynomial()) {
    positive &= term.coefficient > 0;
    negative &= term.coefficient < 0;
  }
  // Sizes may be 0, so that only a constant decides a difference that is never positive.
  bool strictly = negative && !difference.polynomial().empty() && difference.polynomial().back().names.empty();
  return positive ? Verdict::Holds : strictly ? Verdict::Fails : Verdict::Assumed;
}

bool SizeMatch::unify(const Size &wanted, const Size &asGiven) {
  Size known = bindings.empty() ? wanted : wanted.substitute(bindings);
  Size given = equated.empty() ? asGiven : asGiven.substitute(equated);
  // A single name that is not known yet; or a polynomial in one such name.
  std::optional<std::string> unknown;
  for (const std::string &name : wanted.names())
    if (!bindings.contains(name)) {
      if (unknown)
        return false;
      unknown = name;
    }
  if (!unknown)
    return known == given || equate(known, given);
  if (wanted.asVariable()) {
    bindings.emplace(*unknown, given);
    return true;
  }
  // The unknown takes a name that no host has.
  Size::Bindings apart = bindings;
  apart[*unknown] = Size::variable("?");
  auto solved = wanted.substitute(apart).solveFor("?", given);
  if (!solved)
    return false;
  bindings.emplace(*unknown, *solved);
  return true;
}

/// A size that is a name of the host is narrowed to the other.
bool SizeMatch::equate(const Size &one, const Size &other) {
  const Size *name = !narrows ? nullptr : other.asVariable() ? &other : one.asVariable() ? &one : nullptr;
  if (!name)
    return false;
  const Size &value = name == &other ? one : other;
  std::string variable = *name->asVariable();
  if (value.mentions(variable))
    return false;
  Size::Bindings step{{variable, value}};
  for (auto *known : {&equated, &bindings})
    for (auto &[key, size] : *known)
      size = size.substitute(step);
  equated.emplace(variable, value);
  return true;
}

bool SizeMatch::refutes(const Constraint &condition) const {
  auto known = [&](const Size &size) {
    return std::ranges::all_of(size.names(), [&](const std::string &name) { return bindings.contains(name); });
  };
  if (!known(condition.left) || !known(condition.right) || (condition.modulus && !known(*condition.modulus)))
    return false;
  Constraint here = condition;
  here.left = here.left.substitute(bindings);
  here.right = here.right.substitute(bindings);
  if (here.modulus)
    here.modulus = here.modulus->substitute(bindings);
  return judge(here) == Verdict::Fails;
}

} // namespace attnc::rewriting
