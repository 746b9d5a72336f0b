#include "attnc/theory/Size.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>

using namespace attnc;

namespace {
const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d");
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

Size randomSize(std::mt19937 &random) {
  Size sum;
  for (unsigned terms = random() % 4; terms > 0; --terms) {
    Size product(std::int64_t(random() % 7) - 3);
    for (unsigned degree = random() % 3; degree > 0; --degree)
      product = product * (random() % 2 ? n : random() % 2 ? m : d);
    sum = sum + product;
  }
  return sum;
}
} // namespace

TEST_CASE("sizes have one normal form", "[size]") {
  CHECK(n + m == m + n);
  CHECK((n + m) * (n - m) == n * n - m * m);
  CHECK(n - n == Size(0));
  CHECK(n != m);
  CHECK((n * 2 + m).str() == "m + 2*n");
  CHECK((n * 2 - m * n - 1).str() == "-m*n + 2*n - 1");
  CHECK(Size().str() == "0");
  CHECK((Size(0) - Size(most) - 1).str() == "-9223372036854775808");
}

TEST_CASE("size arithmetic keeps the laws of a ring", "[size]") {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    Size a = randomSize(random), b = randomSize(random), c = randomSize(random);
    REQUIRE(a * (b + c) == a * b + a * c);
    REQUIRE((a + b) + c == a + (b + c));
    REQUIRE((a * b) * c == a * (b * c));
    Size::Values values{{"n", 5}, {"m", 7}, {"d", 11}};
    REQUIRE(*(a * b).evaluate(values) == *a.evaluate(values) * *b.evaluate(values));
    if (b != Size(0))
      REQUIRE((a * b).dividedBy(b) == a);
    else
      REQUIRE_FALSE(a.dividedBy(b));
  }
}

TEST_CASE("division is exact or not at all", "[size]") {
  CHECK((n * n - m * m).dividedBy(n + m) == n - m);
  CHECK((n * 6).dividedBy(3) == n * 2);
  CHECK_FALSE((n * 6 + 1).dividedBy(3));
  CHECK_FALSE(n.dividedBy(m));
  CHECK_FALSE(n.dividedBy(0));
  CHECK_FALSE(Size::overflow().dividedBy(n));
  CHECK_FALSE(n.dividedBy(Size::overflow()));
  CHECK_FALSE(Size(std::numeric_limits<std::int64_t>::min()).dividedBy(Size(-1))); // 2^63 does not fit
}

TEST_CASE("a size is solved for a name it is linear in", "[size]") {
  CHECK((n * 2 + m).solveFor("n", m + d * 4) == d * 2);
  CHECK((n * d).solveFor("n", m * d) == m);
  CHECK(n.solveFor("n", Size(7)) == Size(7));
  CHECK_FALSE((n * 2).solveFor("n", Size(7)));
  CHECK_FALSE((n * n).solveFor("n", Size(9)));
  CHECK_FALSE(m.solveFor("n", Size(9)));
  CHECK_FALSE(n.solveFor("n", n + 1));
}

TEST_CASE("what leaves the range equals nothing", "[size]") {
  CHECK((Size(most) + 1).overflowed());
  CHECK((Size(most) * 2).overflowed());
  CHECK((Size(most) * n + n).overflowed());
  CHECK(Size(most) + 1 != Size(most));
  CHECK((Size::overflow() + 1).overflowed());
  CHECK((Size::overflow() * 0).overflowed());
  CHECK_FALSE(Size::overflow().isConstant());
  CHECK_FALSE(Size::overflow().evaluate({}));
  CHECK((n * Size(most)).substitute({{"n", Size(2)}}).overflowed());
  CHECK_FALSE((n * n).evaluate({{"n", most}}));
  Size power = n;
  for (int i = 0; i < 6; ++i)
    power = power * power;
  CHECK(power.overflowed()); // a degree past what is kept
}

TEST_CASE("an intermediate sum out of range does not hide a result in range", "[size]") {
  // most*n + n - n: the terms are added as polynomials, in one go.
  Size a = n * Size(most) - n;
  CHECK_FALSE(a.overflowed());
  CHECK(a + n == n * Size(most));
}

TEST_CASE("substitution is simultaneous", "[size]") {
  Size::Bindings exchange{{"n", m}, {"m", n}};
  CHECK((n * 2 + m).substitute(exchange) == m * 2 + n);
  CHECK((n * d).substitute({{"n", m + 1}}) == m * d + d);
  CHECK((n + m).names() == std::vector<std::string>{"m", "n"});
  CHECK((n * m).mentions("n"));
  CHECK_FALSE((n * m).mentions("d"));
  CHECK(n.asVariable() == "n");
  CHECK_FALSE((n * 2).asVariable());
  CHECK(Size(4).constant() == 4);
  CHECK(Size().constant() == 0);
  CHECK_FALSE(n.constant());
  CHECK_FALSE(n.evaluate({{"m", 1}}));
}

TEST_CASE("powers multiply out, and what leaves the range is no number", "[size]") {
  Size n = Size::variable("n");
  CHECK((n + 1).power(2) == n * n + 2 * n + 1);
  CHECK(n.power(0) == Size(1));
  CHECK(Size(0).power(0) == Size(1));
  CHECK(Size(-1).power(1'000'000'001) == Size(-1));
  CHECK(n.power(-1).overflowed());
  CHECK(n.power(1'000'000).overflowed());
  CHECK(power(2, 62) == std::int64_t(1) << 62);
  CHECK(power(2, 63) == std::nullopt);
  CHECK(power(0, 7) == 0);
  CHECK(power(2, -1) == std::nullopt);
}
