#pragma once
#include "Make.h"

#include <random>

/// Random well-typed definitions with values for all that they need.
namespace attnc::make {

struct Sample {
  Definition definition;
  Size::Values sizes;
  std::vector<Array> inputs, parameters;
};

/// Nested boxes, scans, calls and learners of every kind over axes of length 0, 1, 2, 3 and 5.
/// `special` puts infinities and NaN among the reals.
Sample randomSample(unsigned seed, bool special);

} // namespace attnc::make
