#include "Make.h"
#include "attnc/bind/Fit.h"

using namespace attnc;
using namespace attnc::test;
using Shape = std::vector<std::int64_t>;

static Bound bound(const Definition &definition, const Given &given) {
  Outcome outcome(definition, given);
  INFO(outcome.text());
  REQUIRE(outcome.bound);
  return *outcome.bound;
}

TEST_CASE("sizes follow from the arrays, which come in the order of the interface") {
  Definition sdpa =
      define({{"q", real({var("n"), var("d")})}, {"k", real({var("m"), var("d")})}, {"v", real({var("m"), var("e")})}});
  Given given;
  given.inputs = {{"v", zeros({5, 7})}, {"q", zeros({3, 4})}, {"k", zeros({5, 4})}};
  Bound result = bound(sdpa, given);
  CHECK(result.sizes == Size::Values{{"n", 3}, {"d", 4}, {"m", 5}, {"e", 7}});
  REQUIRE(result.inputs.size() == 3);
  CHECK(result.inputs[0].shape() == Shape{3, 4});
  CHECK(result.inputs[2].shape() == Shape{5, 7});
  CHECK(result.inputs[0].dtype() == DType::F64);
}

TEST_CASE("polynomial axes are solved in turn, whatever their order") {
  Size h = var("h"), d = var("d"), n = var("n"), m = var("m");
  Definition definition = define({{"x", real({h * d, n + m})}, {"y", real({2 * m})}, {"z", real({h * h, Size(3)})}});
  Given given;
  given.inputs = {{"x", zeros({12, 9})}, {"y", zeros({8})}, {"z", zeros({16, 3})}};
  CHECK(bound(definition, given).sizes == Size::Values{{"h", 4}, {"d", 3}, {"n", 5}, {"m", 4}});
}

TEST_CASE("sizes follow from == conditions, from --size and from parameters") {
  Learner linear{LearnerKind::Linear, "W", {real({var("n")})}, {real({var("r")})}, {}};
  Definition definition =
      define({{"x", real({var("n")})}}, {linear}, {{var("e"), var("n") + 1, {}, {}}, {var("g"), 2 * var("e"), {}, {}}});
  Given given;
  given.inputs = {{"x", zeros({3})}};
  given.parameters = {{"W", zeros({3, 5})}, {"another", zeros({1})}};
  Bound result = bound(definition, given);
  CHECK(result.sizes == Size::Values{{"n", 3}, {"r", 5}, {"e", 4}, {"g", 8}});
  REQUIRE(result.parameters.size() == 1);
  CHECK(result.parameters[0].shape() == Shape{3, 5});
  given.parameters.clear();
  given.parameterSeed = 1;
  given.sizes = {{"r", 6}};
  CHECK(bound(definition, given).parameters[0].shape() == Shape{3, 6});
}

TEST_CASE("size 0 and scalars are sizes and arrays like any other") {
  Definition definition = define({{"x", real({var("n"), 2 * var("m")})}, {"c", real({})}});
  Given given;
  given.inputs = {{"x", zeros({0, 0})}, {"c", zeros({})}};
  Bound result = bound(definition, given);
  CHECK(result.sizes == Size::Values{{"n", 0}, {"m", 0}});
  CHECK(result.inputs[1].shape().empty());
}

TEST_CASE("arrays are converted to what runs; what is that already is not copied") {
  Definition definition =
      define({{"x", real({var("n")})}, {"i", {Kind::Int, {var("n")}}}, {"b", {Kind::Bool, {var("n")}}}});
  Given given;
  given.inputs = {{"x", zeros({2}, DType::I16)}, {"i", zeros({2}, DType::U8)}, {"b", zeros({2}, DType::Bool)}};
  given.inputs.find("x")->second.mutableAs<std::int16_t>()[1] = -7;
  given.inputs.find("i")->second.mutableAs<std::uint8_t>()[0] = 200;
  Bound result = bound(definition, given);
  CHECK(result.inputs[0].as<double>()[1] == -7);
  CHECK(result.inputs[1].as<std::int64_t>()[0] == 200);
  CHECK(result.inputs[2].data() == given.inputs.find("b")->second.data());
  given.real = DType::F32;
  given.inputs["x"] = zeros({2}, DType::F32);
  CHECK(bound(definition, given).inputs[0].data() == given.inputs["x"].data());
  given.inputs["x"] = zeros({2}, DType::BF16);
  CHECK(bound(definition, given).inputs[0].dtype() == DType::F32);
  given.inputs["i"] = zeros({2}, DType::U64);
  CHECK(bound(definition, given).inputs[1].dtype() == DType::I64);
}

TEST_CASE("inputs without names go by their places") {
  Definition definition = define({{"", real({var("n")})}, {"", real({var("n")})}});
  Given given;
  given.inputs = {{"1", zeros({2})}, {"2", zeros({2})}};
  CHECK(bound(definition, given).inputs.size() == 2);
}

TEST_CASE("random inputs take their shapes from the other arrays") {
  Definition definition =
      define({{"x", real({var("n"), var("d")})}, {"y", real({var("d"), var("n")})}, {"i", {Kind::Int, {var("n")}}}});
  Given given;
  given.inputs = {{"x", zeros({3, 4})}};
  given.randomInputs = {{"y", 5}, {"i", 5}};
  Bound result = bound(definition, given);
  CHECK(result.inputs[1].shape() == Shape{4, 3});
  CHECK(result.inputs[1].as<double>()[0] != 0);
  for (std::int64_t value : result.inputs[2].as<std::int64_t>())
    CHECK((value >= 0 && value < 8));
  given.real = DType::F32;
  CHECK(bound(definition, given).inputs[1].as<float>()[0] == float(result.inputs[1].as<double>()[0]));
}

TEST_CASE("bodies that are used again and again are looked into once") {
  Definition definition = define({{"x", real({var("n")})}});
  for (int depth = 0; depth < 40; ++depth) { // 2^40 operations to one who looks into each use
    auto body = std::make_shared<Diagram>(definition.diagram);
    Builder builder(definition.learners);
    WireId x = builder.input(real({var("n")}), "x");
    WireId y = *builder.add1(Call{"g", body}, {x});
    WireId z = *builder.add1(Call{"g", body}, {y});
    definition.diagram = std::move(builder).finish({z});
  }
  SourceManager sources;
  Diagnostics diagnostics(sources);
  checkInside(definition, {{"n", 3}}, SIZE_MAX, diagnostics);
  CHECK(!diagnostics.hasErrors());
}
