#include "Syntax.h"

using namespace attnc;

/// The canonical text of a program, which must read back as the same tree and print as itself.
static std::string printed(const std::string &text) {
  Read read(text);
  INFO(text << "\n" << read.diagnostics.render());
  REQUIRE(read.errors().empty());
  std::string once = read.printed();
  Read again(once);
  INFO(once << "\n" << again.diagnostics.render());
  REQUIRE(again.errors().empty());
  CHECK(again.dumped() == read.dumped());
  CHECK(again.printed() == once);
  return once;
}
static std::string body(const std::string &text) {
  std::string all = printed("diagram f() -> [] { " + text + " }");
  const std::string head = "diagram f() -> [] { ";
  REQUIRE(all.substr(0, head.size()) == head);
  return all.substr(head.size(), all.size() - head.size() - 3);
}

TEST_CASE("parentheses stand only where they are needed") {
  CHECK(body("((a)) + (b * c)") == "a + b * c");
  CHECK(body("(a + b) * c") == "(a + b) * c");
  CHECK(body("a - (b - c) - (d)") == "a - (b - c) - d");
  CHECK(body("(a ^ b) ^ (c ^ d)") == "(a^b)^c^d");
  CHECK(body("(-a)^(-b)") == "(-a)^-b");
  CHECK(body("-(a ^ b) * (-c)") == "-a^b * -c");
  CHECK(body("-(a * b)") == "-(a * b)");
  CHECK(body("(a < b) == (not c)") == "(a < b) == (not c)");
  CHECK(body("(not a) and (b or c)") == "not a and (b or c)");
  CHECK(body("not (a and (b))") == "not (a and b)");
  CHECK(body("(a + b)[i] + (f(x))[0]") == "(a + b)[i] + f(x)[0]");
  CHECK(body("(simd n { x })[0]") == "simd n { x }[0]");
}

TEST_CASE("sizes") {
  CHECK(printed("diagram f(x: [ (n + m)  (h * d) (n+m)*2 n-(m-k) ]) -> [(n) ..t] { x }") ==
        "diagram f(x: [n+m h*d (n + m)*2 n-(m - k)]) -> [n ..t] { x }\n");
  CHECK(body("simd n+m as i { i } + sum (n+m)*(2) { 1 } + max (n) { 2 }") ==
        "simd n + m as i { i } + sum (n + m)*2 { 1 } + max n { 2 }");
  CHECK(printed("diagram f() -> [] where (n+m) % (2*k)==0, ((n))+m==4 { 1 }") ==
        "diagram f() -> [] where (n + m) % (2*k) == 0, n + m == 4 { 1 }\n");
}

TEST_CASE("long lines are broken within 100 columns") {
  CHECK(printed("diagram f(first: [batch heads positions depth], second: [batch heads positions depth], third: "
                "[batch]) -> [batch] { third }") == "diagram f(\n  first: [batch heads positions depth],\n  second: "
                                                    "[batch heads positions depth],\n  third: [batch]\n) -> "
                                                    "[batch] { third }\n");
  CHECK(printed("diagram f() -> [] { aaaaaaaaaaaaaaaaaaaaaaaaaaaa + bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb * "
                "ccccccccccccc - dddddddddddd }") ==
        "diagram f() -> [] {\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaa + bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb * ccccccccccccc - "
        "dddddddddddd\n}\n");
  CHECK(printed("diagram f() -> [] { aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + "
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb * ccccccccccccc - ddddddddddddd }") ==
        "diagram f() -> [] {\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n    + "
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb * ccccccccccccc\n    - ddddddddddddd\n}\n");
}

TEST_CASE("a result that would go on with the binding before it stays in parentheses") {
  CHECK(printed("diagram f() -> [] { a = 1 (-a^2 + 1) }") == "diagram f() -> [] {\n  a = 1\n  (-a^2 + 1)\n}\n");
  CHECK(printed("diagram f() -> [] { a = 1\n ((-a)[0]) }") == "diagram f() -> [] {\n  a = 1\n  (-a)[0]\n}\n");
  CHECK(printed("diagram f() -> [] { param u : [] (-u) }") == "diagram f() -> [] {\n  param u : []\n  -u\n}\n");
}

TEST_CASE("a box that is the only one among the arguments is what breaks") {
  CHECK(printed("diagram f(x: [n]) -> [n] { softmax(simd n (x) { a = x a }, axes = 1) }") ==
        "diagram f(x: [n]) -> [n] {\n  softmax(simd n (x) {\n    a = x\n    a\n  }, axes = 1)\n}\n");
}

TEST_CASE("empty lines") {
  CHECK(printed("\n\n\ndiagram f() -> [] { 1 }\ndiagram g() -> [] { 2 }\n\n\n\na = f\nb = g\n\nc = f\n\n\n") ==
        "diagram f() -> [] { 1 }\n\ndiagram g() -> [] { 2 }\n\na = f\nb = g\n\nc = f\n");
  CHECK(printed("diagram f() -> [] {\n\n  a = 1\n  b = 2\n\n\n  c = 3\n\n  d\n\n}") ==
        "diagram f() -> [] {\n  a = 1\n  b = 2\n\n  c = 3\n\n  d\n}\n");
  CHECK(printed("").empty());
}

TEST_CASE("point-free form") {
  CHECK(printed("diagram f : [n]→[n]=a;b⊗(c;d)") == "diagram f : [n] -> [n] = a ; b @ (c ; d)\n");
  CHECK(
      printed("diagram f : [n] -> [n] linear W : [n] -> [n] = W ; simd n as i (map,share) { id[n] ; sum int[m] }") ==
      "diagram f : [n] -> [n]\n  linear W : [n] -> [n]\n  = W\n  ; simd n as i (map, share) { id[n] ; sum int[m] }\n");
}

TEST_CASE("parts of a tree print by themselves") {
  Read read("/// doc\ndiagram f(x: int[n+1]) -> [] { x[0] + 1 }");
  REQUIRE(read.errors().empty());
  const auto &decl = std::get<ast::DiagramDecl>(read.file.items.at(0));
  const auto &form = std::get<ast::NamedForm>(decl.form);
  CHECK(print(decl) == "/// doc\ndiagram f(x: int[n+1]) -> [] { x[0] + 1 }");
  CHECK(print(*form.body->result) == "x[0] + 1");
  CHECK(print(form.parameters[0].type) == "int[n+1]");
  CHECK(print(form.parameters[0].type.axes[0]) == "n + 1");
}

TEST_CASE("numbers of trees that were not read from text") {
  auto literal = [](auto value) { return std::make_shared<ast::Expr>(ast::Expr{value, {}}); };
  CHECK(print(*literal(ast::RealLiteral{2.0, ""})) == "2.0");
  CHECK(print(*literal(ast::RealLiteral{0.1, ""})) == "0.1");
  ast::Expr power{ast::Binary{ast::Binary::Op::Pow, literal(ast::IntLiteral{-2}), literal(ast::RealLiteral{-0.5, ""})},
                  {}};
  CHECK(print(power) == "(-2)^-0.5");
}
