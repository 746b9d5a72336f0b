#include "RandomDefinition.h"
#include "Run.h"

#include "attnc/dialect/AttncDialect.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

using namespace attnc;
using namespace attnc::make;

namespace {

std::string reprinted(mlir::MLIRContext &context, const std::string &text) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  REQUIRE(module);
  std::string again;
  llvm::raw_string_ostream out(again);
  module->print(out);
  return again;
}

} // namespace

TEST_CASE("the dialect is read as it is printed") {
  mlir::MLIRContext context;
  prepareContext(context);
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    RandomDefinition random(seed, false);
    Definition definition = random.definition();
    for (const LowerOptions &options : {LowerOptions{Real::F32, {}}, LowerOptions{Real::BF16, random.values()}}) {
      std::string text = dialectText(definition, options);
      CHECK(reprinted(context, text) == text);
    }
  }
}

TEST_CASE("operations stand for generators, one for one") {
  RandomDefinition random(7, false);
  Definition definition = random.definition();
  std::string text = dialectText(definition);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find("attnc.", at)) != std::string::npos; ++at) {
    std::string_view rest = std::string_view(text).substr(at + 6);
    if (!rest.starts_with("yield") && !rest.starts_with("shape") && !rest.starts_with("name"))
      ++found;
  }
  CHECK(found == definition.diagram.opCount());
}

TEST_CASE("locations point into the program") {
  SourceManager sources;
  FileId file = sources.add("soft.attn", "diagram s(x: [n]) -> [n] {\n  softmax(x)\n}\n");
  std::vector<Learner> learners;
  Builder builder(learners);
  WireId x = builder.input(realType({Size::variable("n")}), "x");
  WireId y = *builder.add1(Softmax{}, {x}, Span{file, 29, 39});
  Definition definition = define(std::move(builder).finish({y}));
  CHECK(dialectText(definition, {}, &sources).find("loc(\"soft.attn\":2:3)") != std::string::npos);
}

TEST_CASE("what cannot be run is refused") {
  mlir::MLIRContext context;
  SECTION("a hole") {
    std::vector<Learner> learners{{LearnerKind::Hole, "core", {realType()}, {realType()}, {}, 64, {}}};
    Definition definition = define(
        diagram(learners, {realType()}, [](Draft &draft, auto &in) { return draft.all(Apply{LearnerId(0), {}}, in); }),
        learners);
    auto module = emitDiagram(context, definition);
    REQUIRE(!module);
    CHECK(module.error() == "the box 'core' has yet to be given");
  }
  SECTION("an axis below 0") {
    const Size n = Size::variable("n");
    Definition definition = define(diagram({realType({n - Size(4)})}, [](Draft &, auto &in) { return in; }));
    auto module = emitDiagram(context, definition, {Real::F32, {{"n", 3}}});
    REQUIRE(!module);
    CHECK(module.error() == "an axis has length -1");
  }
}

TEST_CASE("names of definitions become symbols of C") {
  Definition definition;
  definition.name = "multi-head'2";
  CHECK(symbolName(definition) == "attnc_multi_head_2");
}

TEST_CASE("size arguments are those that are not fixed") {
  const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d");
  Definition definition = define(diagram({realType({n, m}), realType({n + d})}, [](Draft &, auto &in) { return in; }));
  CHECK(sizeArguments(definition, {}) == std::vector<std::string>{"n", "m", "d"});
  CHECK(sizeArguments(definition, {Real::F32, {{"m", 4}}}) == std::vector<std::string>{"n", "d"});
}
