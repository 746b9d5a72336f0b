#pragma once
#include "attnc/diagram/Diagram.h"

#include <set>

namespace attnc {

/// The inputs that are logits, by number: what reaches a softmax, an exponential or a sigmoid through sums,
/// differences, choices, maxima and minima, boxes, slices and exchanges of axes alone. They may be −∞, which says that
/// a pair is masked.
std::set<std::size_t> scoresOf(const Definition &definition);

} // namespace attnc
