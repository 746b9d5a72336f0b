#include "attnc/theory/Pointwise.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

using namespace attnc;

TEST_CASE("every pointwise function has one name and a signature of its arity", "[pointwise]") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(PointwiseFn::Uniform); ++i) {
    PointwiseFn fn = static_cast<PointwiseFn>(i);
    CHECK(info(fn).signature.size() == info(fn).arity + 1);
    CHECK(names.insert(info(fn).name).second);
    CHECK(pointwiseNamed(info(fn).name) == fn);
    if (isCommutative(fn))
      CHECK((info(fn).arity == 2 && info(fn).signature[0] == info(fn).signature[1]));
  }
  CHECK_FALSE(pointwiseNamed("nonsense"));
}

TEST_CASE("kinds follow the signature", "[pointwise]") {
  using K = std::vector<Kind>;
  CHECK(resultKind(PointwiseFn::Add, K{Kind::Int, Kind::Int}) == Kind::Int);
  CHECK_FALSE(resultKind(PointwiseFn::Add, K{Kind::Int, Kind::Real}));
  CHECK_FALSE(resultKind(PointwiseFn::Add, K{Kind::Bool, Kind::Bool}));
  CHECK(resultKind(PointwiseFn::Equal, K{Kind::Bool, Kind::Bool}) == Kind::Bool);
  CHECK(resultKind(PointwiseFn::Where, K{Kind::Bool, Kind::Bool, Kind::Bool}) == Kind::Bool);
  CHECK_FALSE(resultKind(PointwiseFn::Where, K{Kind::Int, Kind::Real, Kind::Real}));
  CHECK_FALSE(resultKind(PointwiseFn::Exp, K{}));
}

TEST_CASE("uniform numbers lie inside (0, 1), fit a float and look even", "[pointwise]") {
  double sum = 0;
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i) {
    double u = uniform(7, i);
    REQUIRE((u > 0 && u < 1 && static_cast<double>(static_cast<float>(u)) == u));
    sum += u;
  }
  CHECK(std::abs(sum / count - 0.5) < 4 * std::sqrt(1.0 / 12 / count)); // four standard deviations
  CHECK(uniform(7, 0) != uniform(8, 0));
  CHECK(uniform(-1, -1) == uniform(-1, -1));
}
