// Hostile programs end in a diagnostic, in bounded time and memory.

#include "Program.h"

#include "attnc/syntax/Parser.h"

using namespace attnc;
using attnc::test::Program;

TEST_CASE("doubling by calls is bounded") {
  std::string text = "diagram f0(x: []) -> [] { exp(x) }\n";
  for (int i = 1; i < 40; ++i)
    text += fmt::format("diagram f{}(x: []) -> [] {{ f{}(f{}(x)) }}\n", i, i - 1, i - 1);
  Program program(text);
  REQUIRE(program.diagnostics.hasErrors());
  CHECK(program.diagnostics.all().front().kind == Diag::DiagramTooLarge);
}

TEST_CASE("a long chain of calls is bounded, in either order") {
  for (bool reversed : {false, true}) {
    std::vector<std::string> lines = {"diagram f0(x: []) -> [] { exp(x) }\n"};
    for (int i = 1; i < 3000; ++i)
      lines.push_back(fmt::format("diagram f{}(x: []) -> [] {{ f{}(x) }}\n", i, i - 1));
    if (reversed)
      std::reverse(lines.begin(), lines.end());
    Program program(fmt::format("{}", fmt::join(lines, "")));
    CHECK(program.diagnostics.hasErrors());
  }
}

TEST_CASE("sizes beyond 64 bits are refused") {
  Program program("diagram f(x: [9223372036854775807*9223372036854775807]) -> [] { sum(x) }");
  CHECK(program.diagnostics.hasErrors());
}

TEST_CASE("a source larger than it may be is refused: FileTooLarge") {
  Program program(std::string(maxSourceBytes + 1, ' '));
  REQUIRE(program.diagnostics.errorCount() == 1);
  CHECK(program.diagnostics.all().front().kind == Diag::FileTooLarge);
}
