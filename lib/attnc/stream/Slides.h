#pragma once
#include "attnc/dialect/AttncDialect.h"

namespace attnc {

/// The loop of the batch along which the places that a region gives for an axis of keys slide: a place is that loop's
/// index plus that of `own`, plus what is the same for all. Nothing where it is no such sum.
std::optional<unsigned> slidingLoop(dialect::StreamOp stream, unsigned place, unsigned own);

} // namespace attnc
