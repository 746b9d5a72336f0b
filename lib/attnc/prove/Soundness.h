#pragma once
#include "attnc/diagram/Theory.h"

#include <optional>
#include <set>
#include <string>

namespace attnc {

/// Whether two definitions of the same inputs compute the same, on random arrays of random small sizes (0 too) that
/// meet the conditions: learners of one name are filled alike, a box that has yet to be given like a universal learner.
/// Inputs that are logits (Scores.h) are tried with −∞ and large values too; all others are finite. Nothing when they
/// agree (relative error 1e-9 in float64); else where they differ, in lower case. When no sizes are found that meet the
/// conditions, that is said too.
std::optional<std::string> differAnywhere(const Definition &left, const Definition &right,
                                          const std::vector<Constraint> &conditions, unsigned trials = 6);

/// Whether a rule is what it says it is, by trial. Nothing when it is; else why not, in lower case.
///   equation    both sides agree
///   specialise  the right side is a filling of the left: of a bare learner by itself (and a linear or affine learner
///               is filled by a linear or affine function), else with the rule's own fillings plugged in both agree;
///               a left side without learners is only narrowed: both agree
///   express     the same; with `==` the left side must be a filling of the right too; or a citation stands in for the
///               proof
std::optional<std::string> falseClaim(const Rule &rule);

/// The real inputs of an equation that must be finite: with −∞ in them the two sides differ on trial. None of a rule of
/// another kind.
std::set<std::size_t> finiteInputs(const Rule &rule);

} // namespace attnc
