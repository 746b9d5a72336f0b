#include "attnc/diagram/Equal.h"
#include "Make.h"

#include <catch2/catch.hpp>

using namespace attnc;
using namespace attnc::make;

namespace {
const Size n = size("n"), d = size("d");
const std::vector<Learner> learners{universal("f"), universal("g"), universal("p", 2)};
Span at(unsigned place) { return {FileId(0), place, place + 1}; }
using Wires = std::vector<WireId>;
} // namespace

TEST_CASE("another function is named, with both places", "[equal]") {
  auto with = [](PointwiseFn fn, unsigned place) {
    return define(learners, {scalar}, [&](Draft &b, auto x) {
      return Wires{b.add(Pointwise{PointwiseFn::Neg}, {b.add(Pointwise{fn}, x, at(place))}, at(place + 100))};
    });
  };
  auto difference = firstDifference(with(PointwiseFn::Exp, 3), with(PointwiseFn::Tanh, 7));
  REQUIRE(difference);
  CHECK(difference->message == "here 'exp' is applied, there 'tanh'");
  CHECK(difference->left == at(3));
  CHECK(difference->right == at(7));
  CHECK_FALSE(firstDifference(with(PointwiseFn::Exp, 3), with(PointwiseFn::Exp, 7)));
}

TEST_CASE("operands in another order are said to be", "[equal]") {
  auto difference = [](bool swapped) {
    return define(learners, {scalar, scalar},
                  [&](Draft &b, auto x) { return Wires{b.fn(PointwiseFn::Sub, swapped ? Wires{x[1], x[0]} : x)}; });
  };
  auto found = firstDifference(difference(false), difference(true));
  REQUIRE(found);
  CHECK(found->message == "the operands of 'sub' are in another order");
}

TEST_CASE("interfaces are compared first", "[equal]") {
  auto with = [](std::vector<Type> types) { return define(learners, types, [&](Draft &, auto x) { return x; }); };
  CHECK(firstDifference(with({scalar}), with({scalar, scalar}))->message == "here there are 1 inputs, there 2");
  CHECK(firstDifference(with({real({n})}), with({real({d})}))->message ==
        "the left input 0 has type [n], the right one [d]");
  CHECK_FALSE(firstDifference(with({real({n})}), with({real({d})}), {.renameSizes = true}));
}

TEST_CASE("operands that both sums have are no difference", "[equal]") {
  auto sum = [](PointwiseFn fn, bool swapped) {
    return define(learners, {scalar, scalar}, [&](Draft &b, auto x) {
      Wires operands{b.fn(PointwiseFn::Sqrt, {x[0]}), b.fn(fn, {x[1]})};
      if (swapped)
        std::swap(operands[0], operands[1]);
      return Wires{b.fn(PointwiseFn::Add, operands)};
    });
  };
  CHECK(firstDifference(sum(PointwiseFn::Sin, false), sum(PointwiseFn::Cos, true))->message ==
        "here 'sin' is applied, there 'cos'");
}

TEST_CASE("a tied learner and a free one differ", "[equal]") {
  auto with = [](std::size_t second) {
    return define(learners, {scalar, scalar}, [&](Draft &b, auto x) {
      return Wires{b.fn(PointwiseFn::Sub, {b.apply(0, {x[0]}), b.apply(second, {x[1]})})};
    });
  };
  auto difference = firstDifference(with(0), with(1));
  REQUIRE(difference);
  CHECK(difference->message ==
        "here the learner 'f' is applied, there 'g', and they do not take the same place elsewhere");
}

TEST_CASE("inputs, constants and boxes are named", "[equal]") {
  auto input = [](unsigned which) {
    Definition f =
        define(learners, {scalar, scalar}, [&](Draft &b, auto x) { return Wires{b.fn(PointwiseFn::Exp, {x[which]})}; });
    f.diagram.wires[0].name = "q";
    f.diagram.wires[1].name = "k";
    return f;
  };
  CHECK(firstDifference(input(0), input(1))->message == "here the input 'q' is used, there the input 'k' is used");
  auto constant = [](double value) {
    return define(learners, {}, [&](Draft &b, auto) { return Wires{b.add(Const{value}, {})}; });
  };
  CHECK(firstDifference(constant(1), constant(2.5))->message ==
        "here the constant 1 stands, there the constant 2.5 stands");
  auto cap = [](Cap cap) {
    return define(learners, {real({n})}, [&](Draft &b, auto x) {
      return Wires{b.add(box(learners, cap, n, "m", {real({n})}, [](Draft &, auto w) { return w; }), x)};
    });
  };
  CHECK(firstDifference(cap(Cap::Sum), cap(Cap::Max))->message == "here 'sum' is applied, there 'max'");
}
