#pragma once
#include "attnc/diagram/Canonical.h"

namespace attnc {

/// Where two diagrams differ, and how, in the user's words: "here 'exp' is applied, there 'tanh'". Here is the
/// left diagram, there the right one. A span is invalid when nothing was written there.
struct Difference {
  Span left, right;
  std::string message;
};

/// The first difference, from the outputs back through the canonical forms; nothing when the forms are equal.
std::optional<Difference> firstDifference(const Definition &left, const Definition &right,
                                          const CanonicalOptions &options = {});

} // namespace attnc
