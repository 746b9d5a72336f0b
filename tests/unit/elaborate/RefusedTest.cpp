// Each program of tests/corpus/refused parses and means nothing; its last line names the kind and place of the first
// diagnostic: `// error: Kind line:column`.

#include "Program.h"

#include "attnc/support/File.h"

#include <filesystem>
#include <set>

using namespace attnc;
using attnc::test::Program;

TEST_CASE("programs without meaning are refused for the reason they name") {
  std::size_t count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(ATTNC_SOURCE_DIR "/tests/corpus/refused")) {
    std::string text = readFile(entry.path()).value();
    std::size_t at = text.rfind("// error: ");
    REQUIRE(at != std::string::npos);
    std::string expected = text.substr(at + 10, text.find('\n', at) - at - 10);
    Program program(text, entry.path().filename());
    INFO(entry.path() << "\n" << program.diagnostics.render());
    REQUIRE(!program.diagnostics.all().empty());
    const Diagnostic &first = program.diagnostics.all().front();
    Location place = program.sources.locate(first.span.file, first.span.begin);
    CHECK(fmt::format("{} {}:{}", describe(first.kind).name, place.line, place.column) == expected);
    CHECK(program.diagnostics.all().size() == 1); // nothing that only follows from the first
    ++count;
  }
  CHECK(count >= 30);
}

TEST_CASE("every kind of diagnostic is named by a test") {
  std::string all;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(ATTNC_SOURCE_DIR "/tests"))
    if (entry.is_regular_file() && entry.file_size() < (1 << 20))
      all += readFile(entry.path()).value();
  for (const DiagnosticKind &kind : diagnosticKinds()) {
    INFO(kind.name);
    CHECK(all.find(kind.name) != std::string::npos);
  }
}

TEST_CASE("one run reports the errors of all diagrams") {
  Program program("diagram f(x: [n]) -> [n] { y }\ndiagram g(x: [n]) -> [n] { z }\ndiagram h(x: [n]) -> [n] { x }\n");
  CHECK(program.diagnostics.errorCount() == 2);
  CHECK(program.module.find("h"));
  CHECK_FALSE(program.module.find("f"));
}

TEST_CASE("what uses a broken diagram or binding is not to blame") {
  Program program("diagram f(x: [n]) -> [n] { y }\ndiagram g(x: [n]) -> [n] {\n  a = f(x)\n  b = a + q\n  b + a\n}\n");
  INFO(program.diagnostics.render());
  CHECK(program.diagnostics.errorCount() == 2); // y and q
}
