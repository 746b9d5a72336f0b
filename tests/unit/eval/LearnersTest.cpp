#include "Make.h"

using namespace attnc;
using namespace attnc::make;

namespace {

Learner learner(LearnerKind kind, std::vector<Type> domain, Type codomain, std::vector<Size> per = {}, Size width = 2) {
  return {kind, "W", std::move(domain), {std::move(codomain)}, std::move(per), std::move(width), {}};
}

Definition applied(const Learner &learner) {
  std::vector<Learner> table{learner};
  return define(diagram(table, learner.domain, [](Draft &b, auto x) { return b.all(Apply{LearnerId(0), {}}, x); }),
                table);
}

} // namespace

TEST_CASE("linear is x W, summed over inputs", "[eval][learner]") {
  Definition one = applied(learner(LearnerKind::Linear, {realType({2})}, realType({3})));
  same(run(one, {}, {reals({1, 10})}, {reals({2, 3}, {1, 2, 3, 4, 5, 6})})[0], reals({41, 52, 63}));
  Definition two = applied(learner(LearnerKind::Linear, {realType({2}), realType()}, realType()));
  same(run(two, {}, {reals({1, 10}), real(5)}, {reals({1, 2}), real(3)})[0], real(36));
}

TEST_CASE("axes of the domain are contracted jointly", "[eval][learner]") {
  Definition d = applied(learner(LearnerKind::Linear, {realType({2, 2})}, realType({1, 2})));
  same(run(d, {}, {reals({2, 2}, {1, 10, 100, 1000})}, {reals({2, 2, 1, 2}, {1, 5, 2, 6, 3, 7, 4, 8})})[0],
       reals({1, 2}, {4321, 8765}));
}

TEST_CASE("an empty domain gives zeros, and the bias", "[eval][learner]") {
  Definition linear = applied(learner(LearnerKind::Linear, {realType({Size(0)})}, realType({2})));
  same(run(linear, {}, {reals(Reals{})}, {reals({0, 2}, {})})[0], reals({0, 0}));
  Definition affine = applied(learner(LearnerKind::Affine, {}, realType({2})));
  same(run(affine, {}, {}, {reals({3, 4})})[0], reals({3, 4}));
}

TEST_CASE("affine adds its bias, and param is its array", "[eval][learner]") {
  Definition affine = applied(learner(LearnerKind::Affine, {realType({2})}, realType({2})));
  same(run(affine, {}, {reals({1, 10})}, {reals({2, 2}, {1, 2, 3, 4}), reals({100, 200})})[0], reals({131, 242}));
  Definition param = applied(learner(LearnerKind::Param, {}, realType({2})));
  same(run(param, {}, {}, {reals({8, 9})})[0], reals({8, 9}));
}

TEST_CASE("universal is a perceptron of two layers", "[eval][learner]") {
  Definition d = applied(learner(LearnerKind::Universal, {realType({1}), realType()}, realType({1})));
  auto found =
      run(d, {}, {reals({0.5}), real(2)},
          {reals({1, 2}, {1, -1}), reals({2}, {0.25, 0.5}), reals({0, 1}), reals({2, 1}, {3, 4}), reals({10})});
  same(found[0], reals({3 * std::tanh(1.0) + 4 * std::tanh(1.5) + 10}), 1e-15);
}

TEST_CASE("per picks parameters by the boxes around, through calls and scans", "[eval][learner]") {
  const Size n = Size::variable("n"), m = Size::variable("m");
  std::vector<Learner> table{learner(LearnerKind::Param, {}, realType(), {n, m})};
  // simd n { scan m from 0 { call { W per (n: 1, m: 0) } } }
  Diagram inner = diagram(table, {}, [](Draft &b, auto) { return b.all(Apply{LearnerId(0), {1, 0}}, {}); });
  Diagram step = diagram(table, {realType()}, [&](Draft &b, auto x) {
    WireId w = b.one(Call{"inner", share(inner)}, {});
    return std::vector{b.fn(PointwiseFn::Add, {x[0], w}), w};
  });
  Diagram body =
      diagram(table, {realType()}, [&](Draft &b, auto x) { return b.all(Scan{m, false, 1, {}, share(step)}, x); });
  Definition d = define(
      diagram(table, {realType()}, [&](Draft &b, auto x) { return b.all(box(Cap::None, n, {Mode::Share}, body), x); }),
      table);
  const Array w = reals({2, 3}, {1, 2, 3, 4, 5, 6});
  auto found = run(d, {{"n", 2}, {"m", 3}}, {real(0)}, {w});
  same(found[0], w);
  same(found[1], reals({6, 15}));
}

TEST_CASE("a box that picks along two axes gives the diagonal", "[eval][learner]") {
  std::vector<Learner> table{learner(LearnerKind::Param, {}, realType(), {Size(2), Size(2)})};
  Diagram body = diagram(table, {}, [](Draft &b, auto) { return b.all(Apply{LearnerId(0), {0, 0}}, {}); });
  Definition d =
      define(diagram(table, {}, [&](Draft &b, auto) { return b.all(box(Cap::None, 2, {}, body), {}); }), table);
  same(run(d, {}, {}, {reals({2, 2}, {1, 2, 3, 4})})[0], reals({1, 4}));
}
