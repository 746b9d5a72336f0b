#include "Make.h"

using namespace attnc;
using namespace attnc::test;
using Catch::Matchers::Contains;

static const Definition sdpa =
    define({{"q", real({var("n"), var("d")})}, {"k", real({var("m"), var("d")})}, {"v", real({var("m"), var("e")})}});

TEST_CASE("missing and unknown inputs are told together, with what may be meant") {
  Given given;
  given.inputs = {{"q", zeros({3, 4})}, {"kk", zeros({5, 4})}};
  given.randomInputs = {{"w", 1}};
  Outcome outcome(sdpa, given);
  CHECK(!outcome.bound);
  CHECK(outcome.kinds() ==
        std::vector<Diag>{Diag::MissingInput, Diag::MissingInput, Diag::UnknownInput, Diag::UnknownInput});
  CHECK_THAT(outcome.text(), Contains("the input 'k' of type [m d] is not given") &&
                                 Contains("help: give it with --in k=FILE") &&
                                 Contains("'f' has no input called 'kk'") && Contains("help: did you mean 'k'?"));
}

TEST_CASE("a clash of sizes names both wires, both shapes and where the size comes from") {
  Given given;
  given.inputs = {{"q", zeros({3, 4})}, {"k", zeros({5, 6})}, {"v", zeros({7, 2})}};
  Outcome outcome(sdpa, given);
  CHECK(outcome.kinds() == std::vector<Diag>{Diag::ArrayMismatch, Diag::ArrayMismatch});
  CHECK_THAT(outcome.text(),
             Contains("the array for 'k' has shape [5 6] where [m d] is needed: axis 2 is 6, but d is 4") &&
                 Contains("note: d is 4: axis 2 of 'q', whose array has shape [3 4]") &&
                 Contains("the array for 'v' has shape [7 2] where [m e] is needed: axis 1 is 7, but m is 5") &&
                 Contains("note: m is 5: axis 1 of 'k', whose array has shape [5 6]"));
}

TEST_CASE("a clash with --size, with a number, and with a polynomial") {
  Definition definition = define({{"x", real({2 * var("d"), Size(3)})}, {"y", real({var("d")})}});
  Given given;
  given.inputs = {{"x", zeros({9, 4})}, {"y", zeros({5})}};
  given.sizes = {{"d", 4}};
  Outcome outcome(definition, given);
  CHECK(outcome.kinds() == std::vector<Diag>{Diag::ArrayMismatch, Diag::ArrayMismatch});
  CHECK_THAT(outcome.text(),
             Contains("axis 1 is 9, but 2*d is 8; axis 2 is 4, not 3") &&
                 Contains("note: d is 4: given by --size d=4") &&
                 Contains("the array for 'y' has shape [5] where [d] is needed: axis 1 is 5, but d is 4"));
}

TEST_CASE("an axis no size makes") {
  Given given;
  given.inputs = {{"x", zeros({9})}};
  Outcome outcome(define({{"x", real({2 * var("d")})}}), given);
  CHECK(outcome.kinds() == std::vector<Diag>{Diag::ArrayMismatch});
  CHECK_THAT(outcome.text(), Contains("axis 1 is 9, and no d makes 2*d that"));
}

TEST_CASE("a wrong number of axes; the sizes it would give are not missed as well") {
  Given given;
  given.inputs = {{"q", zeros({3})}, {"k", zeros({5, 6})}, {"v", zeros({5, 2})}};
  Outcome outcome(sdpa, given);
  CHECK(outcome.kinds() == std::vector<Diag>{Diag::ArrayMismatch});
  CHECK_THAT(outcome.text(), Contains("the array for 'q' has shape [3] where [n d] is needed: it has 1 axis, not 2"));
}

TEST_CASE("arrays of the wrong kind are refused with what to do, all at once") {
  Definition definition =
      define({{"x", real({var("n")})}, {"i", {Kind::Int, {var("n")}}}, {"b", {Kind::Bool, {var("n")}}}});
  Given given;
  given.inputs = {{"x", zeros({2}, DType::Bool)}, {"i", zeros({2}, DType::F32)}, {"b", zeros({2}, DType::I64)}};
  Outcome outcome(definition, given);
  CHECK(outcome.kinds() == std::vector<Diag>(3, Diag::ArrayKindMismatch));
  CHECK_THAT(outcome.text(), Contains("the array for 'x' holds bool where real is needed") &&
                                 Contains("the array for 'i' holds float32 where int is needed") &&
                                 Contains("the array for 'b' holds int64 where bool is needed") && Contains("x != 0") &&
                                 Contains("astype('int64')"));
  given.inputs = {{"x", zeros({2})}, {"i", zeros({2}, DType::U64)}, {"b", zeros({2}, DType::Bool)}};
  given.inputs["i"].mutableAs<std::uint64_t>()[1] = UINT64_MAX;
  CHECK_THAT(Outcome(definition, given).text(), Contains("holds numbers of 2^63 and more where int"));
}

TEST_CASE("sizes that follow from nothing are told with the option that gives them") {
  Given given;
  given.randomInputs = {{"q", 1}, {"k", 2}, {"v", 3}};
  given.sizes = {{"n", 3}, {"d", 4}};
  Outcome outcome(sdpa, given);
  CHECK(outcome.kinds() == std::vector<Diag>{Diag::UnsolvedSize, Diag::UnsolvedSize});
  CHECK_THAT(outcome.text(), Contains("the size 'm' follows from no array") && Contains("--size e=…"));
  given.sizes = {{"n", 3}, {"d", 4}, {"m", 2}, {"ee", 1}};
  CHECK_THAT(Outcome(sdpa, given).text(),
             Contains("there is no size called 'ee' here") && Contains("did you mean 'e'?"));
}

TEST_CASE("negative sizes are refused, given, solved or inside") {
  Given given;
  given.inputs = {{"x", zeros({3})}};
  CHECK_THAT(Outcome(define({{"x", real({var("n") + 5})}}), given).text(),
             Contains("the size n would be -2") && Contains("axis 1 of 'x'"));
  given.sizes = {{"m", -1}};
  CHECK_THAT(Outcome(define({{"x", real({var("n")})}}, {}, {{var("m"), var("m"), {}, {}}}), given).text(),
             Contains("the size m would be -1"));
  given.sizes.clear();
  Definition inside = define({{"x", real({var("n")})}});
  Learner empty{LearnerKind::Param, "u", {}, {real({var("n") - 4})}, {}};
  inside.learners = {empty};
  given.parameterSeed = 0;
  CHECK_THAT(Outcome(inside, given).text(), Contains("the size n - 4 would be -1"));
}

TEST_CASE("a negative size of a box deep inside is refused") {
  std::vector<Learner> none;
  Builder inner(none);
  WireId c = *inner.add1(Const{1.0}, {});
  auto body = std::make_shared<Diagram>(std::move(inner).finish({c}));
  Definition definition;
  definition.name = "f";
  Builder outer(none);
  WireId x = outer.input(real({var("n")}), "x");
  WireId y = *outer.add1(Box{Cap::Sum, var("n") - 4, false, {}, body}, {});
  definition.diagram = std::move(outer).finish({x, y});
  Given given;
  given.inputs = {{"x", zeros({3})}};
  CHECK_THAT(Outcome(definition, given).text(), Contains("the size n - 4 would be -1"));
  given.inputs = {{"x", zeros({4})}};
  CHECK(Outcome(definition, given).bound);
}

TEST_CASE("conditions that do not hold are told with their numbers") {
  Given given;
  given.inputs = {{"x", zeros({4, 6})}};
  Definition definition = define({{"x", real({var("d"), var("e")})}}, {},
                                 {{var("e"), var("d"), {}, {}},
                                  {var("d"), Size(0), Size(3), {}},
                                  {var("d") + var("e"), Size(0), Size(5), {}},
                                  {var("e"), var("d"), {}, {}, Constraint::Relation::AtLeast},
                                  {var("e"), Size(5), {}, {}, Constraint::Relation::AtMost}});
  Outcome outcome(definition, given);
  CHECK(outcome.kinds() == std::vector<Diag>(3, Diag::ConstraintViolated));
  CHECK_THAT(outcome.text(), Contains("the condition 'e == d' does not hold: e is 6, and d is 4") &&
                                 Contains("the condition 'd % 3 == 0' does not hold: 4 % 3 is 1, not 0") &&
                                 Contains("the condition 'e <= 5' does not hold: e is 6") &&
                                 Contains("note: d is 4: axis 1 of 'x'"));
}

TEST_CASE("missing, misnamed and misshapen parameters; boxes that are not given") {
  Learner weights{LearnerKind::Affine, "proj", {real({var("n")})}, {real({var("r")})}, {}};
  Learner hole{LearnerKind::Hole, "core", {real({})}, {real({})}, {}};
  Definition definition = define({{"x", real({var("n")})}}, {weights});
  Given given;
  given.inputs = {{"x", zeros({3})}};
  CHECK_THAT(Outcome(definition, given).text(),
             Contains("the parameter 'proj.weight' of type [n r] is not given") && Contains("--params random:SEED"));
  given.parameters = {{"proj.weights", zeros({3, 2})}, {"proj.bias", zeros({2})}};
  CHECK_THAT(Outcome(definition, given).text(), Contains("did you mean the array 'proj.weights' that is given?"));
  given.parameters = {{"proj.weight", zeros({2, 4})}, {"proj.bias", zeros({5})}};
  Outcome clash(definition, given);
  CHECK(clash.kinds() == std::vector<Diag>{Diag::ArrayMismatch, Diag::ArrayMismatch});
  CHECK_THAT(clash.text(),
             Contains("note: n is 3: axis 1 of 'x'") && Contains("note: r is 4: axis 2 of 'proj.weight'"));
  given.parameterSeed = 1;
  CHECK_THAT(Outcome(define({{"x", real({var("n")})}}, {hole}), given).text(),
             Contains("'f' takes a box 'core' that is not given"));
}

TEST_CASE("memory is bounded before it is taken") {
  Given given;
  given.randomInputs = {{"x", 1}};
  given.sizes = {{"n", std::int64_t(1) << 40}};
  CHECK(Outcome(define({{"x", real({var("n")})}}), given).kinds() == std::vector<Diag>{Diag::MemoryLimit});
  CHECK(Outcome(define({{"x", real({var("n"), var("n")})}}), given).kinds() == std::vector<Diag>{Diag::MemoryLimit});
  given.sizes = {{"n", INT64_MAX}};
  CHECK_THAT(Outcome(define({{"x", real({2 * var("n")})}}), given).text(),
             Contains("the size 2*n would be beyond 64 bits"));
  given.sizes = {{"n", 100}};
  given.maxMemory = 799;
  CHECK_THAT(Outcome(define({{"x", real({var("n")})}}), given).text(),
             Contains("would need 800 bytes of memory, and the limit is 799 bytes"));
  given.maxMemory = 800;
  CHECK(Outcome(define({{"x", real({var("n")})}}), given).bound);
}
