#include "Make.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <ctime>

using namespace attnc;
using namespace attnc::make;

namespace {
const std::vector<Learner> none;
const Size n = size("n"), m = size("m"), d = size("d");

WireId lift(Draft &draft, PointwiseFn fn, WireId x) {
  if (draft.type(x).isScalar())
    return draft.fn(fn, {x});
  Type type = draft.type(x);
  return draft.add(box(none, Cap::None, type.axes[0], "m", {type},
                       [&](Draft &inner, auto wires) { return std::vector{lift(inner, fn, wires[0])}; }),
                   {x});
}
} // namespace

TEST_CASE("the text of a small form can be read", "[canonical]") {
  std::vector<Learner> learners{{LearnerKind::Linear, "W", {real({d})}, {real({m})}, {}, 64, {}}};
  Definition f = define(learners, {real({n, d})}, [&](Draft &b, auto x) {
    return std::vector{b.add(box(learners, Cap::None, n, "m", {real({n, d})},
                                 [](Draft &i, auto w) { return std::vector{i.apply(0, {w[0]})}; }),
                             x)};
  });
  REQUIRE(form(f) == "inputs [n d]\nL0 = linear [d] -> [m]\n%0 = input 0\n%1 = #0\n%2 = at %0 %1\n%3 = L0 %2\n"
                     "%4 = stack n %3\noutputs %4\n");
}

TEST_CASE("a chain of boxes is a box of a chain", "[canonical]") {
  Definition boxes = define(none, {real({n, d})}, [&](Draft &b, auto x) {
    return std::vector{lift(b, PointwiseFn::Tanh, lift(b, PointwiseFn::Exp, x[0]))};
  });
  Definition one = define(none, {real({n, d})}, [&](Draft &b, auto x) {
    return std::vector{b.add(
        box(none, Cap::None, n, "m", {real({n, d})},
            [&](Draft &i, auto w) { return std::vector{lift(i, PointwiseFn::Tanh, lift(i, PointwiseFn::Exp, w[0]))}; }),
        x)};
  });
  REQUIRE(form(boxes) == form(one));
}

TEST_CASE("learners count by identity", "[canonical]") {
  std::vector<Learner> learners{universal("f"), universal("g"), universal("h")};
  auto sum = [&](std::size_t first, std::size_t second, std::size_t third) {
    return form(define(learners, {scalar, scalar}, [&](Draft &b, auto x) {
      WireId s = b.fn(PointwiseFn::Add, {b.apply(first, {x[0]}), b.apply(second, {x[1]})});
      return std::vector{b.fn(PointwiseFn::Add, {s, b.apply(third, {x[0]})})};
    }));
  };
  REQUIRE(sum(0, 1, 2) == sum(2, 0, 1));
  REQUIRE(sum(0, 0, 0) != sum(0, 1, 0));
  REQUIRE(sum(0, 1, 0) == sum(2, 1, 2));
  REQUIRE(sum(0, 1, 0) != sum(0, 1, 2));
  REQUIRE(sum(0, 1, 0) != sum(0, 1, 1));
}

TEST_CASE("what of a learner counts", "[canonical]") {
  auto with = [&](Learner learner) {
    return form(define({learner}, {scalar}, [&](Draft &b, auto x) { return std::vector{b.apply(0, {x[0]})}; }));
  };
  Learner base = universal("f"), other = base;
  other.label = "g";
  REQUIRE(with(base) == with(other));
  other = base, other.width = 32;
  REQUIRE(with(base) != with(other));
  other = base, other.kind = LearnerKind::Affine;
  REQUIRE(with(base) != with(other));
  Learner narrow = other;
  narrow.width = 8; // an affine learner has no width
  REQUIRE(with(narrow) == with(other));
}

TEST_CASE("the box that picks a learner's parameters counts", "[canonical]") {
  std::vector<Learner> learners{{LearnerKind::Param, "u", {}, {scalar}, {n}, 64, {}}};
  auto picked = [&](unsigned which) {
    return form(define(learners, {}, [&](Draft &b, auto) {
      return std::vector{b.add(box(learners, Cap::None, n, "", {},
                                   [&](Draft &i, auto) {
                                     return std::vector{i.add(
                                         box(learners, Cap::None, n, "", {},
                                             [&](Draft &j, auto) { return std::vector{j.apply(0, {}, {which})}; }),
                                         {})};
                                   }),
                               {})};
    }));
  };
  REQUIRE(picked(0) != picked(1));
}

TEST_CASE("arithmetic of sizes is a size, the negative of a number a number", "[canonical]") {
  auto two = [](PointwiseFn fn) {
    return form(define(none, {}, [&](Draft &b, auto) {
      return std::vector{b.fn(fn, {b.add(Const{std::int64_t(2)}, {}), b.add(SizeValue{d}, {})})};
    }));
  };
  auto value = [](const Size &size) {
    return form(define(none, {}, [&](Draft &b, auto) { return std::vector{b.add(SizeValue{size}, {})}; }));
  };
  CHECK(two(PointwiseFn::Mul) == value(d * 2));
  CHECK(two(PointwiseFn::Sub) == value(Size(2) - d));
  CHECK(two(PointwiseFn::Mod) != value(Size(2)));
  auto constant = [](double x, bool negated) {
    return form(define(none, {}, [&](Draft &b, auto) {
      WireId c = b.add(Const{x}, {});
      return std::vector{negated ? b.fn(PointwiseFn::Neg, {c}) : c};
    }));
  };
  CHECK(constant(1.5, true) == constant(-1.5, false));
  CHECK(constant(0.0, true) == constant(-0.0, false));
  CHECK(constant(0.0, false) != constant(-0.0, false));
}

TEST_CASE("automorphic ties cost little", "[canonical]") {
  // A balanced tree of sums over 32 learners that all look alike: 2^31 automorphisms.
  std::vector<Learner> learners;
  for (int i = 0; i < 32; ++i)
    learners.push_back(universal("f" + std::to_string(i)));
  auto tree = [&](std::size_t stride) {
    return canonicalForm(define(learners, {scalar}, [&](Draft &b, auto x) {
      std::vector<WireId> row;
      for (std::size_t i = 0; i < learners.size(); ++i)
        row.push_back(b.apply(i * stride % learners.size(), {x[0]}));
      while (row.size() > 1) {
        std::vector<WireId> next;
        for (std::size_t i = 0; i < row.size(); i += 2)
          next.push_back(b.fn(PointwiseFn::Add, {row[i], row[i + 1]}));
        row = next;
      }
      return row;
    }));
  };
  CanonicalForm one = tree(1), other = tree(13);
  REQUIRE(one.complete);
  REQUIRE(one == other);
}

TEST_CASE("ties that only the whole decides are decided", "[canonical]") {
  // Edges of a graph whose vertices are learners, as products, summed pairwise: two triangles against a hexagon.
  std::vector<Learner> learners;
  for (int i = 0; i < 6; ++i)
    learners.push_back(universal("f" + std::to_string(i)));
  auto graph = [&](std::vector<std::pair<int, int>> edges) {
    return canonicalForm(define(learners, {scalar}, [&](Draft &b, auto x) {
      std::vector<WireId> row;
      for (auto [i, j] : edges)
        row.push_back(b.fn(PointwiseFn::Mul, {b.apply(i, {x[0]}), b.apply(j, {x[0]})}));
      WireId sum =
          b.fn(PointwiseFn::Add, {b.fn(PointwiseFn::Add, {row[0], row[1]}), b.fn(PointwiseFn::Add, {row[2], row[3]})});
      return std::vector{b.fn(PointwiseFn::Add, {sum, b.fn(PointwiseFn::Add, {row[4], row[5]})})};
    }));
  };
  CanonicalForm triangles = graph({{0, 1}, {3, 4}, {1, 2}, {4, 5}, {2, 0}, {5, 3}});
  CanonicalForm renamed = graph({{3, 5}, {0, 1}, {5, 4}, {1, 2}, {4, 3}, {2, 0}});
  CanonicalForm hexagon = graph({{0, 1}, {3, 4}, {1, 2}, {4, 5}, {2, 3}, {5, 0}});
  REQUIRE(triangles == renamed);
  REQUIRE_FALSE(triangles == hexagon);
}

TEST_CASE("size names may be left out of account", "[canonical]") {
  auto transposed = [](const char *a, const char *b, const char *r) {
    std::vector<Learner> learners{{LearnerKind::Linear, "W", {real({size(a)})}, {real({size(r)})}, {}, 64, {}},
                                  {LearnerKind::Linear, "V", {real({size(r)})}, {scalar}, {}, 64, {}}};
    return define(learners, {real({size(a), size(b)})}, [&](Draft &d, auto x) {
      WireId t = d.add(Transpose{}, x);
      return std::vector{d.add(box(learners, Cap::None, size(b), "m", {d.type(t)},
                                   [](Draft &i, auto w) { return std::vector{i.apply(1, {i.apply(0, w)})}; }),
                               {t})};
    });
  };
  CanonicalOptions names{.renameSizes = true};
  REQUIRE_FALSE(canonicalForm(transposed("n", "m", "r")) == canonicalForm(transposed("a", "b", "c")));
  REQUIRE(canonicalForm(transposed("n", "m", "r"), names) == canonicalForm(transposed("m", "n", "s0"), names));
  REQUIRE_FALSE(canonicalForm(transposed("n", "m", "r"), names) == canonicalForm(transposed("n", "n", "r"), names));
  REQUIRE_FALSE(canonicalForm(transposed("n", "m", "r"), names) == canonicalForm(transposed("n", "m", "n"), names));
}

TEST_CASE("more work than allowed gives the diagram as it was built", "[canonical]") {
  Definition f = define(none, {real({n})}, [&](Draft &b, auto x) {
    for (int i = 0; i < 100; ++i)
      x[0] = lift(b, PointwiseFn::Exp, x[0]);
    return x;
  });
  CanonicalForm small = canonicalForm(f, {.budget = 50});
  REQUIRE_FALSE(small.complete);
  REQUIRE(small.text.starts_with("as built"));
  REQUIRE(small == canonicalForm(f, {.budget = 50}));
  REQUIRE(canonicalForm(f).complete);
}

TEST_CASE("hostile nesting ends", "[canonical]") {
  // Each call doubles the work of the one inside.
  DiagramRef body = std::make_shared<Diagram>(
      diagram(none, {scalar}, [](Draft &b, auto x) { return std::vector{b.fn(PointwiseFn::Exp, x)}; }));
  for (int i = 0; i < 60; ++i)
    body = std::make_shared<Diagram>(diagram(none, {scalar}, [&](Draft &b, auto x) {
      return std::vector{b.add(Call{"g", body}, {b.add(Call{"g", body}, x)})};
    }));
  REQUIRE_FALSE(canonicalForm(definition(*body), {.budget = 200'000}).complete);
}

TEST_CASE("the form takes near-linear time", "[canonical][scaling]") {
  std::vector<Learner> learners{universal("f"), universal("g")};
  auto seconds = [&](std::size_t count) {
    Definition f = define(learners, {real({n}), real({n})}, [&](Draft &b, auto x) {
      std::mt19937 random(3);
      std::vector<WireId> wires = x;
      for (std::size_t i = 0; i < count; ++i) {
        WireId a = wires[wires.size() - 1 - random() % 2], c = wires[wires.size() - 1 - random() % 2];
        wires.push_back(b.add(box(learners, Cap::None, n, "mm", {real({n}), real({n})},
                                  [&](Draft &i2, auto w) {
                                    return std::vector{i % 5 ? i2.fn(i % 2 ? PointwiseFn::Add : PointwiseFn::Sub, w)
                                                             : i2.apply(i % 2, {w[0]})};
                                  }),
                              {a, c}));
      }
      return std::vector{wires.back()};
    });
    double least = 1e9; // of three: others use the machine too
    for (int i = 0; i < 3; ++i) {
      std::clock_t start = std::clock();
      REQUIRE(canonicalForm(f).complete);
      least = std::min(least, double(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
  };
  double small = seconds(1'000), large = seconds(100'000);
  double exponent = std::log(large / small) / std::log(100.0);
  INFO("1000 operations: " << small << " s, 100000: " << large << " s, exponent " << exponent);
  CHECK(exponent < 1.6); // caches make it more than 1; 2 would be quadratic
}
