// Written out and read back, a definition is the same morphism, in both notations.
#include "RandomDiagram.h"
#include "attnc/decompile/Decompile.h"
#include "attnc/diagram/Equal.h"
#include "attnc/elaborate/Elaborate.h"
#include "attnc/support/File.h"
#include "attnc/syntax/Printer.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

using namespace attnc;
using namespace attnc::make;
namespace fs = std::filesystem;

namespace {

struct Read {
  SourceManager sources;
  Diagnostics diagnostics{sources};
  Module module;
  explicit Read(const std::string &text, const fs::path &beside = {}) {
    FileId file = sources.add((beside / "f.attn").string(), text);
    module = elaborate(sources, file, diagnostics, [](const fs::path &path) { return readFile(path); });
  }
};

enum class Form { Named, PointFree };

std::string written(const Definition &definition, Form form, const KnownDiagrams &known = {}) {
  auto declaration = form == Form::Named ? toNamed(definition, known) : toPointFree(definition, known);
  REQUIRE(declaration);
  return print(*declaration);
}

/// What is in scope in a file: its own diagrams, those it imports, and the prelude.
KnownDiagrams inScope(const Module &module) {
  return [&](const std::string &name) {
    auto found = module.find(name);
    return found ? found : preludeDefinition(name);
  };
}

/// The definition read back; a failure shows the text.
void roundTrip(const Definition &definition, Form form, const std::string &context = {},
               const KnownDiagrams &known = {}, const fs::path &beside = {}) {
  std::string text = written(definition, form, known);
  INFO(definition.name << "\n" << text);
  Read read(context + text, beside);
  INFO(read.diagnostics.render());
  REQUIRE_FALSE(read.diagnostics.hasErrors());
  REQUIRE_FALSE(read.module.definitions.empty());
  const Definition &again = *read.module.definitions.back();
  // Sizes that are free in a callee change their spelling: `block.r` is `block_r`.
  CanonicalOptions options{.renameSizes = true};
  if (auto difference = firstDifference(definition, again, options))
    FAIL(difference->message << "\n"
                             << canonicalForm(definition, options).text << "---\n"
                             << canonicalForm(again, options).text);
}

} // namespace

TEST_CASE("random diagrams come back", "[decompile]") {
  for (unsigned i = 0; i < 150; ++i) {
    RandomDiagram r(i);
    Diagram d = r.diagram(r.types(3), 7, 2);
    Definition f = definition(d, r.learners);
    roundTrip(f, Form::Named);
    roundTrip(f, Form::PointFree);
  }
}

static std::vector<fs::path> programs() {
  std::vector<fs::path> files;
  for (const char *folder : {"examples", "taxonomy"})
    for (const auto &entry : fs::directory_iterator(fs::path(ATTNC_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".attn")
        files.push_back(entry.path());
  return files;
}

TEST_CASE("every example, every mechanism and the prelude come back", "[decompile]") {
  std::vector<fs::path> files = programs();
  files.push_back(fs::path(ATTNC_SOURCE_DIR) / "lib/attnc/prelude/prelude.attn");
  std::size_t count = 0;
  for (const fs::path &file : files) {
    Read read(*readFile(file), file.parent_path());
    INFO(file.string() << "\n" << read.diagnostics.render());
    for (const auto &definition : read.module.definitions) {
      ++count;
      roundTrip(*definition, Form::Named);
      roundTrip(*definition, Form::PointFree);
    }
  }
  REQUIRE(count > 10);
}

TEST_CASE("every example and every mechanism comes back with its named boxes", "[decompile]") {
  for (const fs::path &file : programs()) {
    std::string text = *readFile(file);
    Read read(text, file.parent_path());
    KnownDiagrams known = inScope(read.module);
    for (const auto &definition : read.module.definitions) {
      Definition renamed = *definition;
      renamed.name = "again";
      roundTrip(renamed, Form::Named, text, known, file.parent_path());
      roundTrip(renamed, Form::PointFree, text, known, file.parent_path());
    }
  }
}

TEST_CASE("names stay, and a single use stands where it is used", "[decompile]") {
  std::string text = "/// Scaled dot-product attention.\n"
                     "diagram sdpa(q: [n d], k: [m d], v: [m e]) -> [n e] {\n"
                     "  simd n (q) {\n"
                     "    a = softmax(simd m (k) { dot(q, k) / sqrt(d) })\n"
                     "    sum m (a, v) { a * v }\n"
                     "  }\n"
                     "}\n";
  Read read(text);
  KnownDiagrams known = inScope(read.module);
  std::string again = written(*read.module.definitions[0], Form::Named, known);
  INFO(again);
  CHECK(again.find("diagram sdpa(q: [n d], k: [m d], v: [m e]) -> [n e]") != std::string::npos);
  CHECK(again.find("/// Scaled dot-product attention.") != std::string::npos);
  CHECK(again.find("a = softmax(simd m (k) { dot(q, k) / sqrt(real(d)) })") != std::string::npos);
}

TEST_CASE("constants of every kind come back", "[decompile]") {
  Definition f = define({}, {}, [](Draft &b, auto) {
    std::vector<WireId> all;
    for (double x : {0.0, -0.0, 1.0, -2.5, 1e-300, 1e22, HUGE_VAL, -HUGE_VAL, 0.1})
      all.push_back(b.add(Const{x}, {}));
    for (std::int64_t i : {std::int64_t(0), std::int64_t(-7), INT64_MAX})
      all.push_back(b.add(Const{i}, {}));
    all.push_back(b.add(Const{true}, {}));
    all.push_back(b.add(SizeValue{size("n") * 2 - size("m") * size("n") + 1}, {}));
    return all;
  });
  // The sizes must be known from somewhere.
  f.learners.push_back({LearnerKind::Param, "u", {}, {real({size("n"), size("m")})}, {}, 64, {}});
  Diagram d =
      diagram(f.learners, {real({size("n"), size("m")})}, [&](Draft &b, auto) { return b.copy(f.diagram, {}); });
  roundTrip(definition(d, f.learners), Form::Named);
  roundTrip(definition(d, f.learners), Form::PointFree);
}

TEST_CASE("what the language cannot say is refused", "[decompile]") {
  Definition nan = define({}, {}, [](Draft &b, auto) { return std::vector{b.add(Const{std::nan("")}, {})}; });
  CHECK(toNamed(nan).error() == "the language has no constant NaN");
  CHECK(toPointFree(nan).error() == "the language has no constant NaN");
  Definition flat = define({}, {real({Size(1)})}, [](Draft &b, auto x) { return b.all(Reshape{{}}, x); });
  CHECK(toNamed(flat).error() == "the language has no reshape to or from a scalar");
  std::vector<Learner> learners{{LearnerKind::Param, "u", {}, {scalar}, {size("n")}, 64, {}}};
  Definition far = define(learners, {}, [&](Draft &b, auto) {
    return std::vector{b.add(box(learners, Cap::None, size("n"), "", {},
                                 [&](Draft &i, auto) {
                                   return std::vector{
                                       i.add(box(learners, Cap::None, size("n"), "", {},
                                                 [&](Draft &j, auto) { return std::vector{j.apply(0, {}, {1})}; }),
                                             {})};
                                 }),
                             {})};
  });
  CHECK(toNamed(far).error() == "the parameters of 'u' are picked by a box that is not the nearest of its size");
}
