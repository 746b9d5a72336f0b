#include "attnc/driver/Compare.h"

#include <cmath>
#include <limits>

namespace attnc {

double relativeError(const Array &a, const Array &b) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  auto left = a.converted(DType::F64), right = b.converted(DType::F64);
  if (a.shape() != b.shape() || !left || !right)
    return infinite;
  double difference = 0, norm = 0;
  for (std::int64_t i = 0; i < left->elementCount(); ++i) {
    double x = left->as<double>()[i], y = right->as<double>()[i];
    if (!std::isfinite(x) || !std::isfinite(y)) {
      if (!(x == y || (std::isnan(x) && std::isnan(y))))
        return infinite;
      continue;
    }
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return difference == 0 ? 0 : std::sqrt(difference) / std::sqrt(norm);
}

} // namespace attnc
