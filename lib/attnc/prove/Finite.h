#pragma once
#include "attnc/rewrite/Match.h"

#include <set>

namespace attnc {

/// The nodes in which the diagram itself may make −∞: constants that are not finite, and what is made of one, but for
/// what an exponential, a softmax or a comparison makes of it. Arrays that are given are finite.
std::vector<bool> maskedNodes(const rewriting::Host &host);

/// The first of these inputs of the rule that stands for a wire that may be −∞.
std::optional<std::size_t> maskedInput(const rewriting::Host &host, const std::vector<bool> &masked,
                                       const rewriting::Match &match, const std::set<std::size_t> &finite);

} // namespace attnc
