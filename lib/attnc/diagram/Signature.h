#pragma once
#include "attnc/diagram/Diagram.h"

#include <tl/expected.hpp>

namespace attnc {

/// The result types of a generator on operands of the given types, or which law of its signature is
/// broken, in lower case. Bodies are trusted to be valid in themselves; their interface is checked.
tl::expected<std::vector<Type>, std::string> resultTypes(const Generator &generator, std::span<const Type> operands,
                                                         std::span<const Learner> learners);

/// Checks a whole diagram and its bodies: wires and ports agree, operations are in topological order, types
/// are what the signatures give, `per` references are in range. Returns what is broken.
tl::expected<void, std::string> validate(const Diagram &diagram, std::span<const Learner> learners);

} // namespace attnc
