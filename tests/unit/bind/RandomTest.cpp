#include "attnc/bind/Random.h"
#include "Make.h"

#include <cmath>
#include <cstring>

using namespace attnc;
using namespace attnc::test;

struct Moments {
  double mean = 0, deviation = 0;
};
static Moments moments(const Array &array) {
  Moments m;
  auto values = array.as<double>();
  for (double x : values)
    m.mean += x / double(values.size());
  for (double x : values)
    m.deviation += (x - m.mean) * (x - m.mean) / double(values.size());
  m.deviation = std::sqrt(m.deviation);
  return m;
}
static bool same(const Array &a, const Array &b) { return std::memcmp(a.data(), b.data(), a.byteCount()) == 0; }

TEST_CASE("random reals are normal with the deviation asked for") {
  for (double deviation : {1.0, 0.25}) {
    Array array = *randomArray(Kind::Real, {301, 333}, "x", 1, deviation);
    Moments m = moments(array);
    CHECK(std::abs(m.mean) < 0.01 * deviation);
    CHECK(m.deviation == Approx(deviation).epsilon(0.01));
    double within = 0;
    for (double x : array.as<double>())
      within += std::abs(x) < deviation;
    CHECK(within / double(array.elementCount()) == Approx(0.6827).epsilon(0.01));
  }
}

TEST_CASE("random ints are uniform in 0..7, random bools fair") {
  std::vector<int> counts(8);
  Array ints = *randomArray(Kind::Int, {80000}, "i", 3, 1);
  for (std::int64_t value : ints.as<std::int64_t>())
    ++counts.at(value);
  for (int count : counts)
    CHECK(std::abs(count - 10000) < 500);
  Array bools = *randomArray(Kind::Bool, {80000}, "b", 3, 1);
  int heads = 0;
  for (bool value : bools.as<bool>())
    heads += value;
  CHECK(std::abs(heads - 40000) < 1000);
}

TEST_CASE("random arrays depend on their name and seed alone") {
  Array a = *randomArray(Kind::Real, {5}, "a", 1, 1);
  CHECK(same(a, *randomArray(Kind::Real, {5}, "a", 1, 1)));
  CHECK(!same(a, *randomArray(Kind::Real, {5}, "b", 1, 1)));
  CHECK(!same(a, *randomArray(Kind::Real, {5}, "a", 2, 1)));
  Array longer = *randomArray(Kind::Real, {7}, "a", 1, 1);
  CHECK(std::memcmp(a.data(), longer.data(), 4 * sizeof(double)) == 0);
  CHECK(randomArray(Kind::Real, {0, 3}, "a", 1, 1)->elementCount() == 0);
}

TEST_CASE("weights are scaled by all the inputs of their layer") {
  std::vector<Type> two = {real({var("n"), Size(4)}), real({var("m")})};
  Size::Values sizes{{"n", 3}, {"m", 24}, {"r", 100}};
  auto check = [&](LearnerKind kind, const std::vector<double> &expected) {
    Learner learner{kind, "L",     kind == LearnerKind::Param ? std::vector<Type>{} : two, {real({var("r")})},
                    {},   Size(25)};
    auto got = parameterDeviations(learner, sizes);
    CHECK(got.size() == parametersOf(learner, LearnerId(0)).size());
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(got[i] == Approx(expected[i]));
  };
  double layer = 1 / 6.0; // 12 + 24 inputs
  check(LearnerKind::Linear, {layer, layer});
  check(LearnerKind::Affine, {layer, layer, layer});
  check(LearnerKind::Param, {1});
  check(LearnerKind::Universal, {layer, layer, layer, 0.2, 0.2});
  Learner none{LearnerKind::Linear, "L", {real({Size(0)})}, {real({})}, {}};
  CHECK(parameterDeviations(none, sizes) == std::vector<double>{1});
}
