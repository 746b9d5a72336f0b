#include "attnc/driver/Compare.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace attnc;

static Array of(std::vector<double> values) {
  Array array = *Array::zeros(DType::F64, {std::int64_t(values.size())});
  std::copy(values.begin(), values.end(), array.mutableAs<double>().begin());
  return array;
}

TEST_CASE("the relative error of arrays") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  CHECK(relativeError(of({3, 4}), of({3, 4})) == 0);
  CHECK(relativeError(of({3, 5}), of({3, 4})) == Approx(0.2));
  CHECK(relativeError(of({nan, inf, 1}), of({nan, inf, 1})) == 0);
  CHECK(relativeError(of({nan}), of({1})) == inf);
  CHECK(relativeError(of({inf}), of({-inf})) == inf);
  CHECK(relativeError(of({1}), of({0})) == inf);
  CHECK(relativeError(of({0}), of({0})) == 0);
  CHECK(relativeError(of({}), of({})) == 0);
  CHECK(relativeError(of({1}), of({1, 2})) == inf);
}
