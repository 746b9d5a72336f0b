#include "Make.h"
#include "attnc/diagram/Functor.h"
#include "attnc/diagram/Parameters.h"
#include "attnc/diagram/Signature.h"

#include <catch2/catch.hpp>

using namespace attnc;
using namespace attnc::make;

TEST_CASE("the builder checks each operation as it is added", "[builder]") {
  std::vector<Learner> none;
  Builder b(none);
  WireId x = b.input(scalar, "x");
  auto wrong = b.add1(Gather{}, {x, x});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error() == "a scalar has no axis to index");
  CHECK(b.opCount() == 0);
  WireId y = *b.add1(Pointwise{PointwiseFn::Exp}, {x});
  b.suggestName(y, "y");
  b.suggestName(y, "other");
  CHECK(b.name(y) == "y");
}

TEST_CASE("finish drops what no output needs and keeps inputs", "[builder]") {
  Diagram d = diagram({}, {scalar, scalar}, [](Draft &b, auto x) {
    b.fn(PointwiseFn::Tanh, {x[1]});
    WireId y = b.fn(PointwiseFn::Exp, {x[0]});
    b.fn(PointwiseFn::Tanh, {y});
    return std::vector{y, y};
  });
  CHECK(d.ops.size() == 1);
  CHECK(d.inputs.size() == 2);
  CHECK(d.wires.size() == 3);
  CHECK(d.outputs[0] == d.outputs[1]);
  REQUIRE(validate(d, {}));
}

namespace {
/// A functor to counts: how many operations lie above a wire, as a tree.
struct Count {
  template <class G> std::vector<int> apply(const G &, const Op &op, std::span<const int> operands) {
    int sum = 1;
    for (int operand : operands)
      sum += operand;
    return std::vector<int>(op.results.size(), sum);
  }
};
} // namespace

TEST_CASE("a functor goes along the wires", "[functor]") {
  Diagram d = diagram({}, {scalar}, [](Draft &b, auto x) {
    WireId y = b.fn(PointwiseFn::Exp, x);
    return std::vector{b.fn(PointwiseFn::Add, {y, y}), x[0]};
  });
  Count count;
  std::vector<int> zero{0};
  CHECK(mapDiagram<int>(count, d, zero) == std::vector<int>{3, 0});
}

TEST_CASE("parameters have their axes in the order their meaning uses them", "[parameters]") {
  auto names = [](Learner learner) {
    std::string text;
    for (const Parameter &p : parametersOf(learner, LearnerId(0)))
      text += p.name + p.type.str() + " ";
    return text;
  };
  Size n = size("n"), a = size("a"), b = size("b"), h = size("h");
  CHECK(names({LearnerKind::Linear, "W", {real({a})}, {real({b})}, {h}, 64, {}}) == "W[h a b] ");
  CHECK(names({LearnerKind::Linear, "W", {real({a}), real({n})}, {real({b})}, {}, 64, {}}) == "W.0[a b] W.1[n b] ");
  CHECK(names({LearnerKind::Affine, "A", {real({a})}, {scalar}, {}, 64, {}}) == "A.weight[a] A.bias[] ");
  CHECK(names({LearnerKind::Param, "u", {}, {real({b})}, {}, 64, {}}) == "u[b] ");
  CHECK(names({LearnerKind::Universal, "f", {real({a})}, {real({b})}, {}, 8, {}}) ==
        "f.hidden.weight[a 8] f.hidden.bias[8] f.out.weight[8 b] f.out.bias[b] ");
  CHECK(names({LearnerKind::Hole, "g", {scalar}, {scalar, scalar}, {}, 64, {}}).empty());
}

TEST_CASE("a definition names its sizes and shows its signature", "[definition]") {
  std::vector<Learner> learners{{LearnerKind::Linear, "W", {real({size("d")})}, {real({size("r")})}, {}, 64, {}}};
  Definition f = define(learners, {real({size("n"), size("d")})}, [](Draft &, auto x) { return x; });
  f.diagram.wires[0].name = "q";
  f.constraints.push_back({size("z"), Size(2), std::nullopt, {}});
  CHECK(f.sizeNames() == std::vector<std::string>{"n", "d", "r", "z"});
  CHECK(f.signature() == "f(q: [n d]) -> [n d]");
}
