#include "attnc/stream/Algebra.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>
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
Number maximum(Number a, Number b) { return std::max(a.value, b.value); }
Number expBelow(Number x) { return std::exp(x.value); }
Number finiteOrZero(Number x) { return x.value == -std::numeric_limits<double>::infinity() ? 0 : x.value; }
Number reciprocalOrZero(Number x) { return x.value == 0 ? 0 : 1 / x.value; }

constexpr double lowest = -std::numeric_limits<double>::infinity();

template <class Algebra> struct State {
  double m = lowest, l = 0, a = 0;

  static State merged(const State &x, const State &y) {
    if (!Algebra::hasReference)
      return {std::max(x.m, y.m), x.l + y.l, x.a + y.a};
    auto [m, left, right] = attnc::algebra::mergerOf<Algebra>(Number(x.m), Number(y.m));
    return {m.value, left.value * x.l + right.value * y.l, left.value * x.a + right.value * y.a};
  }
  static State of(double s, double v) {
    Number w = Algebra::weight(Number(s), Number(s));
    return {s, attnc::algebra::measureOf<Algebra>(Number(s)).value, w.value * v};
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

TEST_CASE("a sink is a key without a value, whenever it is absorbed") {
  using S = State<attnc::algebra::Softmax>;
  for (double sink : {lowest, -2.0, 0.0, 40.0}) {
    S before = S::of(sink, 0), after, keys;
    double total = std::exp(sink), sum = 0;
    for (auto [s, v] : {std::pair(0.5, 2.0), std::pair(lowest, 3.0), std::pair(-1.0, -4.0)}) {
      keys = S::merged(keys, S::of(s, v));
      total += std::exp(s);
      sum += std::exp(s) * v;
    }
    after = S::merged(keys, S::of(sink, 0));
    before = S::merged(before, keys);
    CHECK(before.finished() == Approx(sum / total).epsilon(1e-12));
    CHECK(after.finished() == Approx(sum / total).epsilon(1e-12));
  }
}

namespace {

/// An entry of a list; the unit has the least.
struct Entry {
  std::int64_t value = std::numeric_limits<std::int64_t>::min();
  bool operator==(const Entry &other) const { return value == other.value; }
};
Entry maximum(Entry a, Entry b) { return {std::max(a.value, b.value)}; }
Entry minimum(Entry a, Entry b) { return {std::min(a.value, b.value)}; }
using List = std::vector<Entry>; // descending

/// As a kernel does it: each entry against its mirror image, then halves against halves.
List merged(List a, const List &b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = attnc::algebra::TopK::exchange(a[i], b[a.size() - 1 - i]).first;
  for (std::size_t span = a.size() / 2; span > 0; span /= 2)
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!(i & span))
        std::tie(a[i], a[i + span]) = attnc::algebra::TopK::exchange(a[i], a[i + span]);
  return a;
}

} // namespace

TEST_CASE("lists of the greatest are a commutative monoid whose folds are a sort") {
  std::mt19937 random(2);
  for (std::size_t room : {1, 2, 8, 16})
    for (unsigned round = 0; round < 200; ++round) {
      std::vector<List> leaves(random() % 9, List(room));
      List all(room);
      for (List &leaf : leaves) {
        for (std::size_t i = random() % (room + 1); i-- > 0;)
          leaf[i].value = std::int64_t(random() % 20);
        std::sort(leaf.begin(), leaf.end(), [](Entry a, Entry b) { return a.value > b.value; });
        all.insert(all.end(), leaf.begin(), leaf.end());
      }
      std::sort(all.begin(), all.end(), [](Entry a, Entry b) { return a.value > b.value; });
      all.resize(room);
      List inOrder(room), backwards(room);
      for (const List &leaf : leaves)
        inOrder = merged(inOrder, leaf);
      for (std::size_t i = leaves.size(); i-- > 0;)
        backwards = merged(leaves[i], backwards);
      CHECK(inOrder == all);                     // the homomorphism to a sort
      CHECK(merged(inOrder, List(room)) == all); // the unit
      CHECK(backwards == all);                   // associativity
      std::shuffle(leaves.begin(), leaves.end(), random);
      List shuffled(room);
      for (const List &leaf : leaves)
        shuffled = merged(leaf, shuffled);
      CHECK(shuffled == all); // commutativity
    }
}

TEST_CASE("algebras are found by name") {
  CHECK(attnc::algebra::withAlgebra("softmax", [](auto algebra) { CHECK(algebra.hasReference); }));
  CHECK_FALSE(attnc::algebra::withAlgebra("softmin", [](auto) { FAIL(); }));
}
