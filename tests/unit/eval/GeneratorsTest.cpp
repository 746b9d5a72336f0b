#include "Make.h"

using namespace attnc;
using namespace attnc::make;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
const Size n = Size::variable("n"), m = Size::variable("m");

/// The diagram of one operation on inputs of the given types.
Definition single(const std::vector<Type> &types, Generator generator) {
  return define(diagram(types, [&](Draft &b, auto x) { return b.all(std::move(generator), x); }));
}

Diagram identity(Type type) {
  return diagram({type}, [](Draft &, auto x) { return x; });
}

} // namespace

TEST_CASE("constants and sizes", "[eval]") {
  Definition d = define(diagram({}, [](Draft &b, auto) {
    return std::vector{b.one(Const{2.5}, {}), b.one(Const{std::int64_t(7)}, {}), b.one(Const{true}, {}),
                       b.one(SizeValue{n * m + Size(1)}, {})};
  }));
  auto found = run(d, {{"n", 3}, {"m", 4}}, {});
  same(found[0], real(2.5));
  same(found[1], integer(7));
  same(found[2], truth(true));
  same(found[3], integer(13));
}

TEST_CASE("gather takes a slice, and zero outside", "[eval]") {
  Definition d = single({realType({n, m}), intType()}, Gather{});
  const Array x = reals({2, 3}, {1, 2, 3, 4, 5, 6});
  same(run(d, {{"n", 2}, {"m", 3}}, {x, integer(1)})[0], reals({4, 5, 6}));
  for (std::int64_t outside : {std::int64_t(-1), std::int64_t(2), least, greatest})
    same(run(d, {{"n", 2}, {"m", 3}}, {x, integer(outside)})[0], reals({0, 0, 0}));
  same(run(d, {{"n", 0}, {"m", 2}}, {reals({0, 2}, {}), integer(0)})[0], reals({0, 0}));
}

TEST_CASE("scatter adds, and drops what falls outside", "[eval]") {
  Definition d = single({intType({m}), realType({m, 2})}, Scatter{n});
  same(run(d, {{"n", 3}, {"m", 4}}, {integers({2, 0, 2, 5}), reals({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})})[0],
       reals({3, 2}, {3, 4, 0, 0, 6, 8}));
  same(run(d, {{"n", 1}, {"m", 0}}, {integers(Ints{}), reals({0, 2}, {})})[0], reals({1, 2}, {0, 0}));
}

TEST_CASE("topk puts NaN first, and equal ones by index", "[eval]") {
  auto found = run(single({realType({n})}, TopK{Size(4)}), {{"n", 6}}, {reals({1, 3, NaN, 3, -inf, NaN})});
  same(found[0], reals({NaN, NaN, 3, 3}));
  same(found[1], integers({2, 5, 1, 3}));
  found = run(single({realType({n})}, TopK{m}), {{"n", 2}, {"m", 4}}, {reals({1, 2})});
  same(found[0], reals({2, 1, -inf, -inf}));
  same(found[1], integers({1, 0, -1, -1}));
  found = run(single({intType({n})}, TopK{m}), {{"n", 1}, {"m", 2}}, {integers({5})});
  same(found[0], integers({5, least}));
  same(found[1], integers({0, -1}));
}

TEST_CASE("softmax", "[eval]") {
  Definition d = single({realType({n})}, Softmax{});
  same(run(d, {{"n", 2}}, {reals({1000, 1000})})[0], reals({0.5, 0.5}));
  same(run(d, {{"n", 2}}, {reals({std::log(3.0), 0})})[0], reals({0.75, 0.25}), 1e-15);
  same(run(d, {{"n", 3}}, {reals({-inf, 2, -inf})})[0], reals({0, 1, 0}));
  same(run(d, {{"n", 2}}, {reals({-inf, -inf})})[0], reals({0, 0}));
  same(run(d, {{"n", 2}}, {reals({NaN, -inf})})[0], reals({NaN, NaN}));
  same(run(d, {{"n", 2}}, {reals({inf, 0})})[0], reals({NaN, NaN}));
  same(run(d, {{"n", 0}}, {reals(Reals{})})[0], reals(Reals{}));
  same(run(single({realType({2, 2})}, Softmax{}), {}, {reals({2, 2}, {0, 0, 0, 0})})[0],
       reals({2, 2}, {.25, .25, .25, .25}));
}

TEST_CASE("a sink takes part in a softmax and is dropped", "[eval]") {
  Definition d = single({realType({n}), realType()}, Softmax{true});
  same(run(d, {{"n", 2}}, {reals({0, 0}), real(0)})[0], reals({1 / 3.0, 1 / 3.0}), 1e-15);
  same(run(d, {{"n", 2}}, {reals({-inf, -inf}), real(0)})[0], reals({0, 0}));
  same(run(d, {{"n", 2}}, {reals({0, 0}), real(-inf)})[0], reals({0.5, 0.5}));
  same(run(d, {{"n", 2}}, {reals({0, -inf}), real(1000)})[0], reals({0, 0}));
  same(run(d, {{"n", 1}}, {reals({-inf}), real(-inf)})[0], reals({0}));
}

TEST_CASE("transpose and reshape move no number past another", "[eval]") {
  Definition d = define(diagram({realType({n, m})}, [](Draft &b, auto x) {
    WireId t = b.one(Transpose{}, {x[0]});
    return std::vector{t, b.one(Reshape{{n * m}}, {t}), b.one(Reshape{{Size(1), m, n}}, {x[0]})};
  }));
  auto found = run(d, {{"n", 2}, {"m", 3}}, {reals({2, 3}, {1, 2, 3, 4, 5, 6})});
  same(found[0], reals({3, 2}, {1, 4, 2, 5, 3, 6}));
  same(found[1], reals({1, 4, 2, 5, 3, 6}));
  same(found[2], reals({1, 3, 2}, {1, 2, 3, 4, 5, 6}));
  found = run(d, {{"n", 0}, {"m", 3}}, {reals({0, 3}, {})});
  same(found[1], reals(Reals{}));
}

TEST_CASE("caps fold, and an empty axis folds to the unit", "[eval]") {
  struct Case {
    Cap cap;
    Array some, none;
  };
  for (const Case &c : {Case{Cap::Sum, real(7), real(0)}, Case{Cap::Prod, real(8), real(1)},
                        Case{Cap::Max, real(4), real(-inf)}, Case{Cap::Min, real(1), real(inf)}}) {
    Definition d = single({realType({n})}, box(c.cap, n, {Mode::Map}, identity(realType())));
    same(run(d, {{"n", 3}}, {reals({1, 2, 4})})[0], c.some);
    same(run(d, {{"n", 0}}, {reals(Reals{})})[0], c.none);
  }
  for (const Case &c : {Case{Cap::Sum, integer(7), integer(0)}, Case{Cap::Prod, integer(8), integer(1)},
                        Case{Cap::Max, integer(4), integer(least)}, Case{Cap::Min, integer(1), integer(greatest)}}) {
    Definition d = single({intType({n})}, box(c.cap, n, {Mode::Map}, identity(intType())));
    same(run(d, {{"n", 3}}, {integers({1, 2, 4})})[0], c.some);
    same(run(d, {{"n", 0}}, {integers(Ints{})})[0], c.none);
  }
  for (const Case &c : {Case{Cap::Any, truth(true), truth(false)}, Case{Cap::All, truth(false), truth(true)}}) {
    Definition d = single({boolType({n})}, box(c.cap, n, {Mode::Map}, identity(boolType())));
    same(run(d, {{"n", 2}}, {truths({2}, {false, true})})[0], c.some);
    same(run(d, {{"n", 0}}, {truths({0}, {})})[0], c.none);
  }
  for (Cap cap : {Cap::Max, Cap::Min}) {
    Definition d = single({realType({n})}, box(cap, n, {Mode::Map}, identity(realType())));
    same(run(d, {{"n", 3}}, {reals({1, NaN, 4})})[0], real(NaN));
  }
}

TEST_CASE("a fold keeps the axes inside it", "[eval]") {
  Definition d = single({realType({n, m})}, box(Cap::Sum, n, {Mode::Map}, identity(realType({m}))));
  same(run(d, {{"n", 2}, {"m", 3}}, {reals({2, 3}, {1, 2, 3, 4, 5, 6})})[0], reals({5, 7, 9}));
  same(run(d, {{"n", 0}, {"m", 2}}, {reals({0, 2}, {})})[0], reals({0, 0}));
}

TEST_CASE("a box has an index, and shares what is not mapped", "[eval]") {
  Diagram body = diagram({intType(), intType(), intType()}, [](Draft &b, auto x) {
    return std::vector{b.fn(PointwiseFn::Add, {b.fn(PointwiseFn::Mul, {x[0], x[2]}), x[1]}), x[2]};
  });
  Definition d = single({intType({n}), intType()}, indexedBox(Cap::None, n, {Mode::Map, Mode::Share}, body));
  auto found = run(d, {{"n", 3}}, {integers({1, 2, 3}), integer(10)});
  same(found[0], integers({1, 12, 23}));
  same(found[1], integers({10, 10, 10}));
}

TEST_CASE("a scan carries its state", "[eval]") {
  // (state, x, i) -> (state + x, state * i): running sums.
  Diagram body = diagram({intType(), intType(), intType()}, [](Draft &b, auto x) {
    return std::vector{b.fn(PointwiseFn::Add, {x[1], x[2]}), b.fn(PointwiseFn::Mul, {x[1], x[0]})};
  });
  Definition d = single({intType(), intType({n})}, Scan{n, true, 1, {Mode::Map}, share(body)});
  auto found = run(d, {{"n", 4}}, {integer(100), integers({1, 2, 3, 4})});
  same(found[0], integers({0, 101, 206, 318}));
  same(found[1], integer(110));
  found = run(d, {{"n", 0}}, {integer(100), integers(Ints{})});
  same(found[0], integers(Ints{}));
  same(found[1], integer(100));
}

TEST_CASE("a named box is its body", "[eval]") {
  Diagram twice =
      diagram({realType()}, [](Draft &b, auto x) { return std::vector{b.fn(PointwiseFn::Add, {x[0], x[0]}), x[0]}; });
  auto found = run(single({realType()}, Call{"twice", share(twice)}), {}, {real(4)});
  same(found[0], real(8));
  same(found[1], real(4));
}
