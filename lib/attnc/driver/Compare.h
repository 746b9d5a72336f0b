#pragma once
#include "attnc/arrays/Array.h"

namespace attnc {

/// ‖a - b‖ / ‖b‖ over all elements, in float64. Elements where both are NaN, or both the same infinity, agree; where
/// one is and the other is not, the error is infinite. 0 / 0 is 0; of different shapes, infinite.
double relativeError(const Array &a, const Array &b);

} // namespace attnc
