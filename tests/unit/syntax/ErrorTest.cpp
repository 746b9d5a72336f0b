#include "Syntax.h"

using namespace attnc;
using List = std::vector<std::string>;

static List errors(const std::string &text) { return Read(text).errors(); }
static std::string message(const std::string &text) {
  Read read(text);
  REQUIRE(read.errors().size() == 1);
  return read.diagnostics.all().front().message;
}
static std::string help(const std::string &text) {
  Read read(text);
  REQUIRE(read.errors().size() == 1);
  return read.diagnostics.all().front().help;
}

TEST_CASE("one error for each broken definition, and the others are read") {
  Read read("diagram a() -> [] { 1 + }\ndiagram b() -> [] { 2 }\n\nc = specialise b {\n  x = \n}\nd = b with (x = y)\n"
            "diagram e( -> [] {\n  simd n { 1\n}\nf = b with (x = y)\nimport \"g\"\n");
  CHECK(read.errors() == List{"SyntaxExpected 1:25", "SyntaxExpected 6:1", "SyntaxExpected 8:12"});
  std::string names;
  for (const auto &item : read.file.items)
    if (const auto *diagram = std::get_if<ast::DiagramDecl>(&item))
      names += diagram->name.text;
    else
      names += std::get<ast::Import>(item).path;
  CHECK(names == "bdfg");
}

TEST_CASE("messages are in the user's words") {
  CHECK(message("diagram f(x: ) -> [] { x }") == "expected a type here");
  CHECK(message("diagram f(x) -> [] { x }") == "expected ':' here");
  CHECK(message("diagram -> [] { x }") == "expected a name for the diagram here");
  CHECK(message("diagram f x") == "expected '(' or ':' here");
  CHECK(message("diagram f() -> [] { g(x y) }") == "expected ',' or ')' here");
  CHECK(message("diagram f() -> [] { x[1 }") == "expected ',' or ']' here");
  CHECK(message("diagram f() -> [] { simd (x) }").find("'{'") != std::string::npos);
  CHECK(message("diagram f() -> [] { simd { x } }") == "expected a size here");
  CHECK(message("diagram f() -> [] { scan n (x) from s { x } }") == "expected ':' here");
  CHECK(message("diagram f : [] -> [] = ; g") == "expected a diagram: an atom, a box or a term in parentheses here");
  CHECK(message("f") == "expected '=' here");
  CHECK(message("{") == "expected a definition: 'diagram', 'rule', 'derivation', 'theory', 'taxonomy', 'generators', "
                        "'import' or 'name = …' here");
  CHECK(message("generators x") == "expected '(' here");
  CHECK(message("generators g(x: T) -> T { sort }").starts_with("expected a name for the sort"));
  CHECK(message("rule x : law") == "expected 'equation', 'specialise' or 'express' here");
}

TEST_CASE("help says what to write") {
  CHECK(help("diagram f() -> [] { .5 }") == "a number begins with a digit: write 0.5");
  CHECK(help("diagram f() -> [] { 1. }") == "a digit follows the point of a number: write 1.0");
  CHECK(help("diagram f() -> [] { 2x }").find("'*'") != std::string::npos);
  CHECK(help("diagram f() -> [n + m] { x }").find("n+m") != std::string::npos);
  CHECK(help("diagram f() -> [] { a < b < c }").find("a < b and b < c") != std::string::npos);
  CHECK(help("diagram sum() -> [] { 1 }").find("'sum'") != std::string::npos);
  CHECK(help("diagram f() -> [] { sum (x) }").find("sum(x)") != std::string::npos);
  CHECK(help("import \"x").find("same line") != std::string::npos);
}

TEST_CASE("nesting is bounded") {
  auto repeat = [](const std::string &text, unsigned count) {
    std::string all;
    for (unsigned i = 0; i < count; ++i)
      all += text;
    return all;
  };
  auto body = [](const std::string &text) { return "diagram f(x: [n]) -> [n] { " + text + " }"; };
  auto nested = [&](const std::string &open, const std::string &close, unsigned count) {
    return body(repeat(open, count) + "x" + repeat(close, count));
  };
  for (const auto &[open, close] :
       std::vector<std::pair<std::string, std::string>>{{"(", ")"},
                                                        {"- ", ""},
                                                        {"not ", ""},
                                                        {"f(", ")"},
                                                        {"simd n { ", "}"},
                                                        {"", " + x"},
                                                        {"", "[0]"},
                                                        {"x ^ ", ""},
                                                        {"scan n from s: [] = 0 { a = ", " a }"},
                                                        {"(y, ", ")"}}) {
    CAPTURE(open, close);
    CHECK(errors(nested(open, close, maxNesting - 2)).empty());
    for (unsigned count : {maxNesting + 1, 100000u}) {
      Read read(nested(open, close, count));
      REQUIRE(read.diagnostics.errorCount() == 1);
      CHECK(read.diagnostics.all().front().kind == Diag::SyntaxNestingTooDeep);
    }
  }
  for (unsigned count : {maxNesting + 1, 100000u}) {
    for (const std::string &text : {"diagram f : [] -> [] = " + repeat("(", count) + "id" + repeat(")", count),
                                    "diagram f : [] -> [] = " + repeat("sum n { ", count) + "id" + repeat(" }", count),
                                    "diagram f(x: [" + repeat("(", count) + "n" + repeat(")", count) + "]) -> [] { 0 }",
                                    "diagram f(x: [n" + repeat("+n", count) + "]) -> [] { 0 }",
                                    body("simd " + repeat("(", count) + "n" + repeat(")", count) + " { 0 }")}) {
      Read read(text);
      REQUIRE(read.diagnostics.errorCount() == 1);
      CHECK(read.diagnostics.all().front().kind == Diag::SyntaxNestingTooDeep);
    }
  }
}

TEST_CASE("numbers that do not fit") {
  CHECK(errors("diagram f() -> [] { 9223372036854775807 + 1e308 }").empty());
  CHECK(errors("diagram f() -> [] { 9223372036854775808 }") == List{"SyntaxNumberTooLarge 1:21"});
  CHECK(errors("diagram f() -> [] { 1e309 }") == List{"SyntaxNumberTooLarge 1:21"});
  CHECK(errors("diagram f() -> [9223372036854775808] { 1 }") == List{"SyntaxNumberTooLarge 1:17"});
  CHECK(message("diagram f() -> [] { " + std::string(1000, '9') + " }").size() < 100);
}

TEST_CASE("bytes that are no text") {
  CHECK(errors("// \xff\ndiagram f() -> [] { 1 }") == List{"SyntaxInvalidUtf8 1:4"});
  CHECK(errors(std::string("diagram f() -> [] { 1 }\0", 24)).size() == 1);
  CHECK(errors("").empty());
  CHECK(errors("// only a comment").empty());
}
