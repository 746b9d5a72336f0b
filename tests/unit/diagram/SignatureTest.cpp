// Every law of Signature.cpp, kept and broken.
#include "attnc/diagram/Signature.h"
#include "Make.h"

#include <catch2/catch.hpp>

using namespace attnc;
using namespace attnc::make;

namespace {

const Size n = size("n"), m = size("m"), k = size("k");
const Type integer{Kind::Int, {}}, truth{Kind::Bool, {}};
Type ints(std::vector<Size> axes) { return {Kind::Int, std::move(axes)}; }
Type bools(std::vector<Size> axes) { return {Kind::Bool, std::move(axes)}; }

std::string typed(const Generator &g, std::vector<Type> operands, std::vector<Learner> learners = {}) {
  auto types = resultTypes(g, operands, learners);
  return types ? str(*types) : types.error();
}

DiagramRef identity(std::vector<Type> types) {
  return std::make_shared<Diagram>(diagram({}, types, [](Draft &, auto x) { return x; }));
}

} // namespace

TEST_CASE("constants and sizes have no operands", "[signature]") {
  CHECK(typed(Const{1.5}, {}) == "[]");
  CHECK(typed(Const{std::int64_t(2)}, {}) == "int[]");
  CHECK(typed(Const{true}, {}) == "bool[]");
  CHECK(typed(SizeValue{n}, {}) == "int[]");
  CHECK(typed(Const{1.5}, {scalar}) == "it takes 0 operands, not 1");
  CHECK(typed(SizeValue{n}, {scalar}) == "it takes 0 operands, not 1");
}

TEST_CASE("pointwise functions act on scalars of their kinds", "[signature]") {
  CHECK(typed(Pointwise{PointwiseFn::Add}, {scalar, scalar}) == "[]");
  CHECK(typed(Pointwise{PointwiseFn::Add}, {integer, integer}) == "int[]");
  CHECK(typed(Pointwise{PointwiseFn::Less}, {integer, integer}) == "bool[]");
  CHECK(typed(Pointwise{PointwiseFn::Where}, {truth, integer, integer}) == "int[]");
  CHECK(typed(Pointwise{PointwiseFn::Add}, {scalar}) == "it takes 2 operands, not 1");
  CHECK(typed(Pointwise{PointwiseFn::Exp}, {real({n})}) == "'exp' acts on scalars, not on [n]");
  CHECK(typed(Pointwise{PointwiseFn::Add}, {scalar, integer}) == "'add' does not act on [] @ int[]");
  CHECK(typed(Pointwise{PointwiseFn::Add}, {truth, truth}) == "'add' does not act on bool[] @ bool[]");
  CHECK(typed(Pointwise{PointwiseFn::Exp}, {integer}) == "'exp' does not act on int[]");
}

TEST_CASE("gather takes an axis and an index", "[signature]") {
  CHECK(typed(Gather{}, {real({n, m}), integer}) == "[m]");
  CHECK(typed(Gather{}, {real({n})}) == "it takes 2 operands, not 1");
  CHECK(typed(Gather{}, {scalar, integer}) == "a scalar has no axis to index");
  CHECK(typed(Gather{}, {real({n}), scalar}) == "an index is int[], not []");
}

TEST_CASE("scatter takes an index for each slice of numbers", "[signature]") {
  CHECK(typed(Scatter{m}, {ints({k}), real({k, n})}) == "[m n]");
  CHECK(typed(Scatter{m}, {ints({k})}) == "it takes 2 operands, not 1");
  CHECK(typed(Scatter{m}, {real({k}), real({k})}) == "the indices are int[k], not [k]");
  CHECK(typed(Scatter{m}, {ints({k, n}), real({k})}) == "the indices are int[k], not int[k n]");
  CHECK(typed(Scatter{m}, {ints({k}), real({n})}) == "k indices for an array of type [n]");
  CHECK(typed(Scatter{m}, {ints({k}), scalar}) == "k indices for an array of type []");
  CHECK(typed(Scatter{m}, {ints({k}), bools({k})}) == "it adds numbers, not bools");
}

TEST_CASE("topk orders numbers along one axis", "[signature]") {
  CHECK(typed(TopK{k}, {real({n})}) == "[k] @ int[k]");
  CHECK(typed(TopK{k}, {}) == "it takes 1 operand, not 0");
  CHECK(typed(TopK{k}, {real({n, m})}) == "it orders numbers along one axis, not [n m]");
  CHECK(typed(TopK{k}, {bools({n})}) == "it orders numbers along one axis, not bool[n]");
}

TEST_CASE("softmax normalises reals, with a sink perhaps", "[signature]") {
  CHECK(typed(Softmax{}, {real({n, m})}) == "[n m]");
  CHECK(typed(Softmax{true}, {real({n}), scalar}) == "[n]");
  CHECK(typed(Softmax{true}, {real({n})}) == "it takes 2 operands, not 1");
  CHECK(typed(Softmax{}, {ints({n})}) == "it normalises reals over axes, not int[n]");
  CHECK(typed(Softmax{}, {scalar}) == "it normalises reals over axes, not []");
  CHECK(typed(Softmax{true}, {real({n}), real({n})}) == "the sink is a logit [], not [n]");
}

TEST_CASE("transpose and reshape keep the elements", "[signature]") {
  CHECK(typed(Transpose{}, {real({n, m, k})}) == "[m n k]");
  CHECK(typed(Transpose{}, {}) == "it takes 1 operand, not 0");
  CHECK(typed(Transpose{}, {real({n})}) == "it swaps two axes, and [n] has fewer");
  CHECK(typed(Reshape{{n, m}}, {real({n * m})}) == "[n m]");
  CHECK(typed(Reshape{{}}, {real({Size(1)})}) == "[]");
  CHECK(typed(Reshape{{n}}, {}) == "it takes 1 operand, not 0");
  CHECK(typed(Reshape{{n}}, {real({n, m})}) == "[n m] has not as many elements as [n]");
  Size huge(std::int64_t(1) << 40);
  CHECK(typed(Reshape{{huge, huge}}, {real({huge, huge})}).find("has not as many elements") != std::string::npos);
}

TEST_CASE("boxes map along their size", "[signature]") {
  Box box{Cap::None, n, false, {Mode::Map, Mode::Share}, identity({real({m}), scalar})};
  CHECK(typed(box, {real({n, m}), scalar}) == "[n m] @ [n]");
  CHECK(typed(box, {real({n, m})}) == "1 wires enter by 2 modes into 2 inputs");
  CHECK(typed(box, {real({m, m}), scalar}) == "it maps over n, but a wire has type [m m]");
  CHECK(typed(box, {scalar, scalar}) == "it maps over n, but a wire has type []");
  CHECK(typed(box, {real({n}), scalar}) == "a wire of type [] enters an input of type [m]");
  CHECK(typed(box, {real({n, m}), real({m})}) == "a wire of type [m] enters an input of type []");
  Box sum{Cap::Sum, n, false, {Mode::Map}, identity({real({m})})};
  CHECK(typed(sum, {real({n, m})}) == "[m]");
  sum.body = identity({bools({m})});
  CHECK(typed(sum, {bools({n, m})}) == "'sum' does not fold bool values");
  sum.cap = Cap::Any;
  CHECK(typed(sum, {bools({n, m})}) == "bool[m]");
  sum.body = identity({real({m})});
  CHECK(typed(sum, {real({n, m})}) == "'any' does not fold real values");
  Box indexed{Cap::None, n, true, {}, identity({integer})};
  CHECK(typed(indexed, {}) == "int[n]");
  indexed.body = identity({scalar});
  CHECK(typed(indexed, {}) == "the first input of an indexed body is its index, int[]");
  indexed.body = identity({});
  CHECK(typed(indexed, {}) == "the first input of an indexed body is its index, int[]");
}

TEST_CASE("scans carry their states", "[signature]") {
  // S, x -> x, S: the next state is what enters, the step result the last state.
  DiagramRef body = std::make_shared<Diagram>(
      diagram({}, {real({m}), real({m})}, [](Draft &, auto x) { return std::vector{x[1], x[0]}; }));
  Scan scan{n, false, 1, {Mode::Map}, body};
  CHECK(typed(scan, {real({m}), real({n, m})}) == "[n m] @ [m]");
  CHECK(typed(scan, {}) == "fewer wires than states");
  scan.states = 3;
  CHECK(typed(scan, {real({m}), real({m}), real({m})}) == "fewer wires than states");
  scan.states = 2;
  scan.indexed = true;
  CHECK(typed(scan, {real({m}), real({m})}) == "the first input of an indexed body is its index, int[]");
  scan = {n, false, 1, {Mode::Map}, body};
  CHECK(typed(scan, {scalar, real({n, m})}) == "a state starts as [], is [m] and becomes [m]");
  CHECK(typed(scan, {real({m}), real({m, m})}) == "it maps over n, but a wire has type [m m]");
  DiagramRef few =
      std::make_shared<Diagram>(diagram({}, {}, [](Draft &b, auto) { return std::vector{b.add(Const{1.0}, {})}; }));
  CHECK(typed(Scan{n, false, 1, {}, few}, {scalar}) == "fewer inputs than states");
}

TEST_CASE("calls and learners take their domains", "[signature]") {
  Call call{"g", identity({real({n}), scalar})};
  CHECK(typed(call, {real({n}), scalar}) == "[n] @ []");
  CHECK(typed(call, {scalar}) == "'g' takes [n] @ [], not []");
  std::vector<Learner> learners{{LearnerKind::Linear, "W", {real({n})}, {real({m})}, {k}, 64, {}}};
  CHECK(typed(Apply{LearnerId(0), {0}}, {real({n})}, learners) == "[m]");
  CHECK(typed(Apply{LearnerId(0), {0}}, {real({m})}, learners) == "'W' takes [n], not [m]");
  CHECK(typed(Apply{LearnerId(0), {}}, {real({n})}, learners) ==
        "'W' has parameters per 1 axes, and 0 boxes are named");
  CHECK(typed(Apply{LearnerId(1), {}}, {real({n})}, learners) == "there is no such learner");
  CHECK(typed(Apply{LearnerId(), {}}, {real({n})}, learners) == "there is no such learner");
}

TEST_CASE("validate finds what is broken in a whole diagram", "[signature]") {
  std::vector<Learner> learners{{LearnerKind::Param, "u", {}, {scalar}, {n}, 64, {}}};
  Diagram good = diagram(learners, {scalar}, [](Draft &b, auto x) {
    return std::vector{b.fn(PointwiseFn::Add, {x[0], b.fn(PointwiseFn::Exp, x)})};
  });
  REQUIRE(validate(good, learners));
  auto broken = [&](auto change) {
    Diagram d = good;
    change(d);
    auto result = validate(d, learners);
    return result ? std::string() : result.error();
  };
  CHECK(broken([](Diagram &d) { d.wires[0].port = 1; }) == "an input wire has another producer");
  CHECK(broken([](Diagram &d) { std::swap(d.ops[0], d.ops[1]); }) == "'add' uses a wire before it is produced");
  CHECK(broken([](Diagram &d) { d.ops[0].operands[0] = WireId(99); }) == "'exp' uses a wire before it is produced");
  CHECK(broken([](Diagram &d) { d.ops[0].generator = Const{1.0}; }) == "it takes 0 operands, not 1");
  CHECK(broken([](Diagram &d) { d.ops[0].results.clear(); }) == "'exp' has 1 results, not 0");
  CHECK(broken([](Diagram &d) { d.wires[1].producer = OpId(1); }) == "a wire has two producers");
  CHECK(broken([](Diagram &d) { d.wires[1].type = real({Size(2)}); }) == "a wire has type [2] where [] is produced");
  CHECK(broken([](Diagram &d) { d.outputs[0] = WireId(); }) == "an output is not produced");
  auto picked = [&](Size around, unsigned which) {
    Diagram d = diagram(learners, {}, [&](Draft &b, auto) {
      return std::vector{b.add(
          box(learners, Cap::Sum, around, "", {}, [&](Draft &i, auto) { return std::vector{i.apply(0, {}, {which})}; }),
          {})};
    });
    return validate(d, learners).has_value();
  };
  CHECK(picked(n, 0));
  CHECK_FALSE(picked(n, 1));
  CHECK_FALSE(picked(m, 0));
}
