#include "attnc/diagram/Transform.h"
#include "Make.h"
#include "attnc/diagram/Signature.h"

#include <catch2/catch.hpp>

using namespace attnc;
using namespace attnc::make;

namespace {
const Size n = size("n"), m = size("m");
}

TEST_CASE("binding a size binds it everywhere", "[transform]") {
  std::vector<Learner> learners{{LearnerKind::Param, "u", {}, {real({m})}, {n}, 64, {}}};
  Definition f = define(learners, {real({n, m})}, [&](Draft &b, auto x) {
    WireId boxed = b.add(box(learners, Cap::None, n, "m", {real({n, m})},
                             [&](Draft &i, auto w) {
                               i.apply(0, {}, {0});
                               return std::vector{i.add(TopK{m}, w), i.apply(0, {}, {0}), i.add(SizeValue{n}, {})};
                             }),
                         x);
    return std::vector{boxed, b.add(Reshape{{n * m}}, x)};
  });
  f.constraints.push_back({n, m * 2, std::nullopt, {}});
  Definition bound = substitute(f, {{"n", Size(6)}, {"m", Size(3)}});
  CHECK(bound.sizeNames().empty());
  REQUIRE(validate(bound.diagram, bound.learners));
  CHECK(bound.signature() == "f(: [6 3]) -> [6 3] @ [18]");
  CHECK(bound.constraints[0].right == Size(6));
  CHECK(f.sizeNames() == std::vector<std::string>{"n", "m"}); // the original stays
}

TEST_CASE("opening a named box keeps the meaning", "[transform]") {
  std::vector<Learner> none;
  DiagramRef inner = std::make_shared<Diagram>(
      diagram(none, {scalar}, [](Draft &b, auto x) { return std::vector{b.fn(PointwiseFn::Exp, x)}; }));
  DiagramRef outer = std::make_shared<Diagram>(
      diagram(none, {scalar}, [&](Draft &b, auto x) { return std::vector{b.add(Call{"inner", inner}, x)}; }));
  Diagram d = diagram(none, {real({n})}, [&](Draft &b, auto x) {
    return std::vector{b.add(box(none, Cap::Sum, n, "m", {real({n})},
                                 [&](Draft &i, auto w) { return std::vector{i.add(Call{"outer", outer}, w)}; }),
                             x)};
  });
  auto opened = [&](std::string name) {
    return inlineCalls(d, [&](const Call &call) { return name == "all" || call.name == name; }, none);
  };
  CHECK(opened("outer").opCount() == 3); // box, inner, exp
  CHECK(opened("all").opCount() == 2);
  CHECK(opened("none").opCount() == d.opCount());
  for (const char *name : {"outer", "inner", "all"}) {
    REQUIRE(validate(opened(name), none));
    CHECK(form(definition(opened(name))) == form(definition(d)));
  }
}

TEST_CASE("learners are renumbered inside bodies too", "[transform]") {
  std::vector<Learner> learners{universal("f"), universal("g")};
  Diagram d = diagram(learners, {real({n})}, [&](Draft &b, auto x) {
    return std::vector{b.add(
        box(learners, Cap::None, n, "m", {real({n})}, [&](Draft &i, auto w) { return std::vector{i.apply(0, w)}; }),
        x)};
  });
  std::vector<LearnerId> map{LearnerId(1), LearnerId(0)};
  Diagram renamed = renumberLearners(d, map);
  CHECK(std::get<Apply>(std::get<Box>(renamed.ops[0].generator).body->ops[0].generator).learner == LearnerId(1));
  CHECK(std::get<Apply>(std::get<Box>(d.ops[0].generator).body->ops[0].generator).learner == LearnerId(0));
}
