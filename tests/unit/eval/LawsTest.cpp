#include "RandomDiagram.h"

#include "attnc/diagram/Transform.h"

using namespace attnc;
using namespace attnc::make;

namespace {

const Size n = Size::variable("n");
constexpr auto map = Mode::Map;

/// A few functions [2] -> [2], and their diagrams.
std::vector<Diagram> functions() {
  auto lift = [](PointwiseFn fn) {
    return box(Cap::None, 2, {Mode::Map},
               diagram({realType()}, [fn](Draft &b, auto x) { return std::vector{b.fn(fn, x)}; }));
  };
  std::vector<Diagram> all;
  for (PointwiseFn fn : {PointwiseFn::Exp, PointwiseFn::Tanh, PointwiseFn::Floor, PointwiseFn::Neg})
    all.push_back(diagram({realType({2})}, [&](Draft &b, auto x) { return b.all(lift(fn), x); }));
  all.push_back(diagram({realType({2})}, [](Draft &b, auto x) { return b.all(Softmax{}, x); }));
  all.push_back(diagram({realType({2})}, [](Draft &b, auto x) {
    WireId column = b.one(Reshape{{Size(2), Size(1)}}, {x[0]});
    return std::vector{b.one(Reshape{{Size(2)}}, {b.one(Transpose{}, {column})})};
  }));
  all.push_back(diagram({realType({2})}, [](Draft &b, auto x) {
    Diagram total = diagram({realType()}, [](Draft &, auto y) { return y; });
    WireId sum = b.one(box(Cap::Sum, 2, {Mode::Map}, total), {x[0]});
    Diagram minus =
        diagram({realType(), realType()}, [](Draft &c, auto y) { return std::vector{c.fn(PointwiseFn::Sub, y)}; });
    return b.all(box(Cap::None, 2, {Mode::Map, Mode::Share}, minus), {x[0], sum});
  }));
  return all;
}

Array rows(std::int64_t count) {
  Reals cells;
  for (std::int64_t k = 0; k < 2 * count; ++k)
    cells.push_back(double(k * 7 % 11) / 4 - 1);
  return reals({count, 2}, cells);
}

} // namespace

TEST_CASE("a box preserves composition: simd n {f ; g} is simd n {f} ; simd n {g}", "[eval][laws]") {
  const std::vector<Diagram> all = functions();
  for (const Diagram &f : all)
    for (const Diagram &g : all) {
      Diagram both = diagram(
          {realType({2})}, [&](Draft &b, auto x) { return b.all(Call{"g", share(g)}, b.all(Call{"f", share(f)}, x)); });
      Definition left = define(
          diagram({realType({n, 2})}, [&](Draft &b, auto x) { return b.all(box(Cap::None, n, {map}, both), x); }));
      Definition right = define(diagram({realType({n, 2})}, [&](Draft &b, auto x) {
        return b.all(box(Cap::None, n, {map}, g), b.all(box(Cap::None, n, {map}, f), x));
      }));
      for (std::int64_t size : {0, 1, 2, 5})
        same(run(left, {{"n", size}}, {rows(size)})[0], run(right, {{"n", size}}, {rows(size)})[0]);
    }
}

TEST_CASE("a box preserves the identity, and copying", "[eval][laws]") {
  Diagram copies = diagram({realType({2})}, [](Draft &, auto x) { return std::vector{x[0], x[0]}; });
  Definition d =
      define(diagram({realType({n, 2})}, [&](Draft &b, auto x) { return b.all(box(Cap::None, n, {map}, copies), x); }));
  for (std::int64_t size : {0, 1, 5}) {
    auto found = run(d, {{"n", size}}, {rows(size)});
    same(found[0], rows(size));
    same(found[1], rows(size));
  }
}

TEST_CASE("a box preserves the tensor: simd n {f @ g} is simd n {f} @ simd n {g}", "[eval][laws]") {
  const std::vector<Diagram> all = functions();
  for (const Diagram &f : all)
    for (const Diagram &g : all) {
      Diagram both = diagram({realType({2}), realType({2})}, [&](Draft &b, auto x) {
        return std::vector{b.one(Call{"f", share(f)}, {x[0]}), b.one(Call{"g", share(g)}, {x[1]})};
      });
      Definition left = define(diagram({realType({n, 2}), realType({n, 2})}, [&](Draft &b, auto x) {
        return b.all(box(Cap::None, n, {map, map}, both), x);
      }));
      Definition right = define(diagram({realType({n, 2}), realType({n, 2})}, [&](Draft &b, auto x) {
        return std::vector{b.one(box(Cap::None, n, {map}, f), {x[0]}), b.one(box(Cap::None, n, {map}, g), {x[1]})};
      }));
      const std::vector<Array> inputs{rows(3), reals({3, 2}, {6, 5, 4, 3, 2, 1})};
      auto a = run(left, {{"n", 3}}, inputs), b = run(right, {{"n", 3}}, inputs);
      same(a[0], b[0]);
      same(a[1], b[1]);
    }
}

TEST_CASE("opening named boxes changes nothing", "[eval][laws]") {
  for (unsigned seed = 30000; seed < 30200; ++seed) {
    INFO("seed " << seed);
    Sample s = randomSample(seed, false);
    auto closed = run(s.definition, s.sizes, s.inputs, s.parameters);
    s.definition.diagram = inlineCalls(s.definition.diagram, [](const Call &) { return true; }, s.definition.learners);
    auto open = run(s.definition, s.sizes, s.inputs, s.parameters);
    for (std::size_t k = 0; k < open.size(); ++k)
      same(open[k], closed[k], 1e-12);
  }
}
