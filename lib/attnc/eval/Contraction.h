#pragma once
#include "attnc/eval/Memory.h"

namespace attnc::eval {

/// The sum of left * right over the axes that are `folded`, as matrix products (Eigen); the product itself
/// never stands in memory. left and right are reals with equal extents, and strides of 0 where they do not
/// vary. The result has the other axes, in order, and varies along those along which a factor does.
///
/// The axes fall in four groups by which factor varies along them, and each matrix product is
///
///     both: one product each      left only: rows      right only: columns      folded: the sum
///
/// Sums of products are reassociated: the result agrees with the fold in order up to rounding.
View contract(Memory &memory, const View &left, const View &right, const std::vector<bool> &folded);

} // namespace attnc::eval
