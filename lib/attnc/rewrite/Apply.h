#pragma once
#include "attnc/rewrite/Match.h"

namespace attnc::rewriting {

/// What a rewrite brought with it.
struct Applied {
  std::vector<Constraint> assumed; // side conditions that hold of some sizes only; they are the host's conditions now
  std::vector<Wire> results;       // what stands for the roots
};

/// Replaces a match by the other side, at a cost that grows with the pattern and what is copied because its index
/// changes, not with the host. Sizes of the right side alone are `arguments`, or new names. Why it cannot be done, in
/// lower case: the match does not stand any more, or a side condition fails.
tl::expected<Applied, std::string> apply(Host &host, const Pattern &pattern, const Match &match,
                                         const std::vector<std::pair<std::string, Size>> &arguments = {});

} // namespace attnc::rewriting
