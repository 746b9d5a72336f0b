#include "Syntax.h"
#include "attnc/syntax/Token.h"

using namespace attnc;

static std::string printed(const std::string &text) {
  Read read(text);
  INFO(text << "\n" << read.diagnostics.render());
  REQUIRE(read.errors().empty());
  std::string once = read.printed();
  Read again(once);
  REQUIRE(again.errors().empty());
  CHECK(again.dumped() == read.dumped());
  CHECK(again.printed() == once);
  CHECK(tokenise(again.sources, again.id).comments.size() == tokenise(read.sources, read.id).comments.size());
  return once;
}

TEST_CASE("canonical text with comments is left alone") {
  for (const char *text : {
           "// head\n\n// about f\n/// doc\ndiagram f() -> [] { 1 } // behind\n\n// between\na = f // alias\n// end\n",
           "diagram f() -> [] { // opening\n  // before\n  a = 1 // behind\n\n  // apart\n  a // result\n  // "
           "last\n}\n",
           "diagram f() -> [] {\n  simd n { // box\n    x // inside\n  } // after the box\n}\n",
           "a = specialise f { // o\n  linear W : [n] -> [n] // l\n  // own\n  b = W // f\n  // e\n}\n",
           "diagram f : [n] -> [n] // h\n  linear W : [n] -> [n] // l\n  // before the term\n  = a // a\n  ; b // b\n  "
           "// own\n"
           "  ; c\n// end\n",
           "diagram f : [n] -> [n]\n  = simd n (map) { // o\n      a // a\n      ; b // b\n    }\n",
           "import \"a\" // why\n// b\nimport \"b\"\n",
       })
    CHECK(printed(text) == text);
}

TEST_CASE("comments inside a statement go before it") {
  CHECK(printed("diagram f() -> [] {\n  a = g(1, // one\n        2) // two\n  a\n}") ==
        "diagram f() -> [] {\n  // one\n  a = g(1, 2) // two\n  a\n}\n");
  CHECK(printed("diagram f(x: [], // the input\n  y: []) -> [] { x }") ==
        "// the input\ndiagram f(x: [], y: []) -> [] { x }\n");
}

TEST_CASE("doc comments go with their definition") {
  CHECK(printed("/// a\n// b\n/// c\ndiagram f() -> [] { 1 }") == "// b\n/// a\n/// c\ndiagram f() -> [] { 1 }\n");
  CHECK(printed("/// a\ndiagram /// inside\nf() -> [] { 1 }") == "// inside\n/// a\ndiagram f() -> [] { 1 }\n");
  CHECK(printed("///\na = f") == "///\na = f\n");
  CHECK(printed("///\n/// x\n///\na = f") == "///\n/// x\n///\na = f\n");
  CHECK(printed("a = f /// behind\nb = f") == "a = f /// behind\nb = f\n");
  CHECK(printed("///x\n///\n/// y\na = f") == "/// x\n///\n/// y\na = f\n");
}
