#include "attnc/bind/SizeSolver.h"

#include <catch2/catch.hpp>
#include <random>

using namespace attnc;

static Size var(const char *name) { return Size::variable(name); }

TEST_CASE("one unknown is solved when it is linear or the size only grows") {
  Size n = var("n");
  CHECK(solveInOneName(n, "n", 7) == 7);
  CHECK(solveInOneName(2 * n + 1, "n", 7) == 3);
  CHECK(solveInOneName(2 * n, "n", 7) == std::nullopt);
  CHECK(solveInOneName(n * n, "n", 49) == 7);
  CHECK(solveInOneName(n * n, "n", 50) == std::nullopt);
  CHECK(solveInOneName(n * n + n, "n", 0) == 0);
  CHECK(solveInOneName(n * n * n, "n", std::int64_t(1) << 60) == std::int64_t(1) << 20);
  CHECK(solveInOneName(n * n, "n", -4) == std::nullopt);
  CHECK(solveInOneName(Size(0) - n * n, "n", -9) == 3);
  CHECK(solveInOneName(n * n - 4 * n, "n", 0) == std::nullopt); // 0 and 4 both fit
  CHECK(solveInOneName(n * n, "n", INT64_MAX) == std::nullopt);
}

TEST_CASE("what is solved makes every equation true that could be solved") {
  std::mt19937 random(5);
  const char *names[] = {"a", "b", "c", "d"};
  for (int round = 0; round < 500; ++round) {
    Size::Values truth;
    for (const char *name : names)
      truth[name] = random() % 9;
    SizeSolver solver;
    std::vector<Size> sizes;
    for (int i = 0; i < 6; ++i) {
      Size size = Size(std::int64_t(random() % 3)) + Size(std::int64_t(1 + random() % 3)) * var(names[random() % 4]);
      if (random() % 2)
        size = size * var(names[random() % 4]);
      if (random() % 3 == 0)
        size = size + var(names[random() % 4]);
      solver.equate(size, Size(*size.evaluate(truth)), "", {});
      sizes.push_back(size);
    }
    solver.solve();
    for (const Size &size : sizes)
      if (auto value = size.evaluate(solver.values()))
        CHECK(*value == *size.evaluate(truth));
  }
}

TEST_CASE("the first to give a size keeps it, and single names go first") {
  SizeSolver solver;
  solver.equate(2 * var("n"), Size(8), "doubled", {});
  solver.equate(var("n"), Size(5), "plain", {});
  solver.equate(var("n"), Size(6), "late", {});
  solver.solve();
  CHECK(solver.origin("n")->value == 5);
  CHECK(solver.origin("n")->reason == "plain");
  CHECK(solver.origin("m") == nullptr);
  CHECK(solver.reduced(var("n") + var("m")) == 5 + var("m"));
}

TEST_CASE("a power is solved when its base and exponent are, and one beyond 64 bits is as large as can be") {
  auto solved = [](std::int64_t base, std::int64_t exponent) {
    SizeSolver solver;
    solver.equate(var("t"), var("m"), "", {}, var("k"));
    solver.equate(var("m"), Size(base), "", {});
    solver.equate(var("k") + 1, Size(exponent + 1), "", {});
    solver.solve();
    return solver.values().at("t");
  };
  CHECK(solved(3, 4) == 81);
  CHECK(solved(0, 0) == 1);
  CHECK(solved(7, 0) == 1);
  CHECK(solved(0, 5) == 0);
  CHECK(solved(10, 30) == INT64_MAX);
  SizeSolver open;
  open.equate(var("t"), var("m"), "", {}, var("k"));
  open.give("t", {8, "", {}});
  open.solve();
  CHECK_FALSE(open.origin("m"));
}
