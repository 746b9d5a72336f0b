#pragma once
#include "attnc/diagram/Diagram.h"

#include <functional>

namespace attnc {

/// Replaces size names everywhere: wires, generators, bodies.
Diagram substitute(const Diagram &diagram, const Size::Bindings &bindings);
/// Renames learners everywhere; `map[id]` is the new id.
Diagram renumberLearners(const Diagram &diagram, std::span<const LearnerId> map);
/// Replaces the body of every named box that `which` selects by its operations, in place.
Diagram inlineCalls(const Diagram &diagram, const std::function<bool(const Call &)> &which,
                    std::span<const Learner> learners);
/// The definition with sizes bound everywhere: diagram, learners, constraints.
Definition substitute(const Definition &definition, const Size::Bindings &bindings);

} // namespace attnc
