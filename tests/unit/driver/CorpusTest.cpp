// Every program of tests/corpus/pass and examples under many treatments, each held against the program as it is
// written: printed and read again, in the other notation and back, evaluated at several sizes.

#include "attnc/bind/Bind.h"
#include "attnc/cost/Cost.h"
#include "attnc/decompile/Decompile.h"
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Signature.h"
#include "attnc/driver/Compare.h"
#include "attnc/elaborate/Elaborate.h"
#include "attnc/eval/Eval.h"
#include "attnc/support/File.h"
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Printer.h"

#include <catch2/catch.hpp>

using namespace attnc;

namespace {

std::vector<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> paths;
  for (const char *folder : {"tests/corpus/pass", "examples", "taxonomy"})
    for (const auto &entry : std::filesystem::directory_iterator(std::filesystem::path(ATTNC_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".attn")
        paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

struct Text {
  SourceManager sources;
  Diagnostics diagnostics{sources};
  FileId file;
  Module module;

  Text(std::string text, const std::filesystem::path &path) {
    file = sources.add(path, std::move(text));
    module = elaborate(sources, file, diagnostics, [](const std::filesystem::path &other) { return readFile(other); });
  }
};

/// All sizes at one value, but for those a condition fixes; nothing when the definition cannot have them.
std::optional<std::vector<Array>> run(const Definition &definition, std::int64_t size, SourceManager &sources) {
  Given given;
  given.parameterSeed = 7;
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i)
    given.randomInputs[inputName(definition, i)] = 11 + i;
  for (const std::string &name : definition.sizeNames()) {
    bool fixed = false;
    for (const Constraint &constraint : definition.constraints)
      fixed |= constraint.isEquation() && constraint.left.asVariable() == name;
    if (!fixed)
      given.sizes[name] = size;
  }
  Diagnostics diagnostics(sources);
  auto bound = bindArrays(definition, given, diagnostics);
  if (!bound)
    return std::nullopt;
  auto outputs = evaluate(definition, bound->sizes, bound->inputs, bound->parameters);
  INFO(definition.name << ": " << (outputs ? "" : outputs.error()));
  REQUIRE(outputs);
  return *outputs;
}

bool hasHole(const Definition &definition) {
  for (const Learner &learner : definition.learners)
    if (learner.kind == LearnerKind::Hole)
      return true;
  return false;
}

} // namespace

TEST_CASE("every program of the corpus under every treatment") {
  std::size_t evaluated = 0;
  for (const auto &path : programs()) {
    Text original(readFile(path).value(), path);
    INFO(path << "\n" << original.diagnostics.render());
    REQUIRE(!original.diagnostics.hasErrors());

    Diagnostics ignored(original.sources);
    Text printed(print(original.sources, parse(original.sources, original.file, ignored)), path);
    REQUIRE(!printed.diagnostics.hasErrors());
    REQUIRE(printed.module.definitions.size() == original.module.definitions.size());

    for (std::size_t i = 0; i < original.module.definitions.size(); ++i) {
      const Definition &definition = *original.module.definitions[i];
      INFO(definition.signature());
      REQUIRE(validate(definition.diagram, definition.learners));
      const CanonicalOptions up{.renameSizes = true}; // `block.r` is `block_r` in text
      CanonicalForm form = canonicalForm(definition, up);
      CHECK(canonicalForm(*printed.module.definitions[i], up) == form);
      auto cost = costOf(definition), printedCost = costOf(*printed.module.definitions[i]);
      const bool open =
          std::ranges::any_of(definition.learners, [](const Learner &one) { return one.kind == LearnerKind::Hole; });
      CHECK(cost.has_value() == !open);
      if (cost)
        for (const Measure &measure : measures) {
          CHECK(*cost.*measure.field == *printedCost.*measure.field);
          CHECK(!(*cost.*measure.field).overflowed());
        }

      for (bool named : {true, false}) {
        auto declaration = named ? toNamed(definition, preludeDefinition) : toPointFree(definition, preludeDefinition);
        INFO((declaration ? "" : declaration.error()));
        REQUIRE(declaration);
        std::string text = print(*declaration);
        INFO(text);
        Text converted(text, path.parent_path() / "converted.attn");
        INFO(converted.diagnostics.render());
        REQUIRE(!converted.diagnostics.hasErrors());
        REQUIRE(converted.module.definitions.size() == 1);
        CHECK(canonicalForm(*converted.module.definitions[0], up) == form);
      }
      if (hasHole(definition))
        continue;
      for (std::int64_t size : {5, 2, 1, 0}) {
        auto first = run(definition, size, original.sources),
             second = run(*printed.module.definitions[i], size, original.sources);
        REQUIRE(first.has_value() == second.has_value());
        evaluated += first.has_value();
        for (std::size_t j = 0; first && j < first->size(); ++j)
          CHECK(relativeError((*second)[j], (*first)[j]) == 0);
      }
    }
  }
  CHECK(evaluated > 200);
}
