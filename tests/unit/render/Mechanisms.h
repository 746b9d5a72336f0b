#pragma once
#include "attnc/diagram/Diagram.h"

#include <vector>

namespace attnc::test {

/// Mechanisms of attention built by hand, to be drawn: the shapes that the language's front end gives.
Definition sdpa();
Definition linearAttention();
Definition bahdanau();
Definition causal();
Definition retention();
Definition twoSimplicial();
/// Heads around a named box `sdpa`, with projections; learners per head.
Definition multihead();
/// Two layers of it, each a named box, with residuals.
Definition twoLayers();
/// One of everything that has a sign of its own.
Definition zoo();
std::vector<Definition> mechanisms();

/// `count` operations in a row, and `depth` boxes inside each other.
Definition chain(std::size_t count);
Definition nest(std::size_t depth);
/// A random well-typed definition.
Definition random(unsigned seed);

} // namespace attnc::test
