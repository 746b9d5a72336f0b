#include "attnc/stream/Algebra.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

// The laws of the algebras, on numbers: whatever way keys are parted into tiles and states merged, the result is that
// of the formula.
namespace {

struct Number {
  double value;
  Number(double value) : value(value) {}
};
Number operator-(Number a, Number b) { return a.value - b.value; }
Number operator*(Number a, Number b) { return a.value * b.value; }
Number expBelow(Number x) { return std::exp(x.value); }
Number finiteOrZero(Number x) { return x.value == -std::numeric_limits<double>::infinity() ? 0 : x.value; }
Number reciprocalOrZero(Number x) { return x.value == 0 ? 0 : 1 / x.value; }

constexpr double lowest = -std::numeric_limits<double>::infinity();

template <class Algebra> struct State {
  double m = lowest, l = 0, a = 0;

  State rescaled(double to) const {
    if (!Algebra::hasReference)
      return *this;
    double r = Algebra::weight(Number(m), Number(to)).value;
    return {to, r * l, r * a};
  }
  static State merged(const State &x, const State &y) {
    double m = std::max(x.m, y.m);
    State left = x.rescaled(m), right = y.rescaled(m);
    return {m, left.l + right.l, left.a + right.a};
  }
  static State of(double s, double v) {
    Number w = Algebra::weight(Number(s), Number(s));
    return {s, Algebra::measure(w).value, w.value * v};
  }
  double finished() const { return Algebra::finish(Number(a), Number(l)).value; }
};

double direct(attnc::algebra::Sum, const std::vector<double> &s, const std::vector<double> &v) {
  double total = 0;
  for (std::size_t j = 0; j < s.size(); ++j)
    total += s[j] * v[j];
  return total;
}

double direct(attnc::algebra::Softmax, const std::vector<double> &s, const std::vector<double> &v) {
  double most = lowest, sum = 0, total = 0;
  for (double x : s)
    most = std::max(most, x);
  if (most == lowest)
    return 0;
  for (std::size_t j = 0; j < s.size(); ++j) {
    sum += std::exp(s[j] - most);
    total += std::exp(s[j] - most) * v[j];
  }
  return total / sum;
}

template <class Algebra> void laws(bool masks) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal(0, 3);
  using S = State<Algebra>;
  auto close = [](double x, double y) { return std::abs(x - y) <= 1e-12 * (1 + std::abs(y)); };
  for (unsigned round = 0; round < 200; ++round) {
    std::size_t count = random() % 9;
    std::vector<double> s(count), v(count);
    std::vector<S> leaves(count);
    for (std::size_t j = 0; j < count; ++j) {
      s[j] = masks && random() % 3 == 0 ? lowest : normal(random);
      v[j] = normal(random);
      leaves[j] = S::of(s[j], v[j]);
    }
    double wanted = direct(Algebra{}, s, v);
    S inOrder;
    for (const S &leaf : leaves)
      inOrder = S::merged(inOrder, leaf);
    CHECK(close(inOrder.finished(), wanted));                // the homomorphism to the formula
    CHECK(close(S::merged(inOrder, {}).finished(), wanted)); // the unit
    S backwards;
    for (std::size_t j = count; j-- > 0;)
      backwards = S::merged(leaves[j], backwards);
    CHECK(close(backwards.finished(), wanted)); // associativity
    std::shuffle(leaves.begin(), leaves.end(), random);
    while (leaves.size() > 1) {
      std::vector<S> next;
      for (std::size_t j = 0; j + 1 < leaves.size(); j += 2)
        next.push_back(S::merged(leaves[j], leaves[j + 1]));
      if (leaves.size() % 2)
        next.push_back(leaves.back());
      leaves = next;
    }
    CHECK(close(leaves.empty() ? S().finished() : leaves[0].finished(), wanted)); // commutativity
  }
}

} // namespace

TEST_CASE("an algebra is a commutative monoid whose folds are the formula") {
  SECTION("sum") { laws<attnc::algebra::Sum>(false); }
  SECTION("softmax") { laws<attnc::algebra::Softmax>(true); }
}

TEST_CASE("algebras are found by name") {
  CHECK(attnc::algebra::withAlgebra("softmax", [](auto algebra) { CHECK(algebra.hasReference); }));
  CHECK_FALSE(attnc::algebra::withAlgebra("softmin", [](auto) { FAIL(); }));
}
