#include "Syntax.h"

TEST_CASE("types and sizes") {
  auto type = [](const std::string &text) {
    std::string dumped = definitions("diagram f(x: " + text + ") -> [] { 0 }");
    std::size_t begin = dumped.find("(: x ") + 5;
    return dumped.substr(begin, dumped.find(")) (block") - begin);
  };
  CHECK(type("[]") == "(real)");
  CHECK(type("[n d]") == "(real n d)");
  CHECK(type("int[n k]") == "(int n k)");
  CHECK(type("bool [\nn\n]") == "(bool n)");
  CHECK(type("[n+m d]") == "(real (add n m) d)");
  CHECK(type("[(n + m) d]") == "(real (add n m) d)");
  CHECK(type("[2*d-1 h*d+n 3]") == "(real (sub (mul 2 d) 1) (add (mul h d) n) 3)");
  CHECK(type("[(n+m)*(n - m)]") == "(real (mul (add n m) (sub n m)))");
  CHECK(type("[n-m-1]") == "(real (sub (sub n m) 1))");
  CHECK(type("[n ..t]") == "(real n ..t)");
  CHECK(type("[..t]") == "(real ..t)");
}

TEST_CASE("headers") {
  CHECK(definitions("diagram f() -> [n] { 0 }") == "(diagram f (results (real n)) (block 0))");
  CHECK(definitions("diagram f(a: [], b: [n]) -> (y: [n], z: []) { (a, b) }") ==
        "(diagram f (results (: y (real n)) (: z (real))) (inputs (: a (real)) (: b (real n))) (block (tuple a b)))");
  CHECK(
      definitions("diagram f(a: []) with (core: [n] @ [m] -> [n] @ [m] = g, c: -> []) -> [n] @ [] { a }") ==
      "(diagram f (boxes (hole core (from (real n) (real m)) (to (real n) (real m)) (default g)) (hole c (to (real)))) "
      "(results (real n) (real)) (inputs (: a (real))) (block a))");
  CHECK(definitions("diagram f() -> [n] where n == 4, h*d % (2 + 1) == 0, (n + m) % 2 == 1, n + m == k { 0 }") ==
        "(diagram f (results (real n)) (where (== n 4) (== (mul h d) (mod (add 2 1)) 0) (== (add n m) (mod 2) 1) (== "
        "(add n m) k)) "
        "(block 0))");
}

TEST_CASE("learners and instances") {
  CHECK(definitions("diagram f() -> [] {\n"
                    "linear W : [p] -> [r]   affine B : [p] @ [q] -> [r] per h per 2*l\n"
                    "param u : [r] per (n + m)  universal a: [d] -> [] width 2*d per h\n"
                    "box first = block box layers = block per l\n"
                    "(W, u) }") ==
        "(diagram f (results (real)) (block (linear W (from (real p)) (to (real r))) "
        "(affine B (from (real p) (real q)) (to (real r)) (per h (mul 2 l))) (param u (to (real r)) (per (add n m))) "
        "(universal a (from (real d)) (to (real)) (per h) (width (mul 2 d))) (instance first block) "
        "(instance layers block (per l)) (tuple W u)))");
}

TEST_CASE("specialisations") {
  CHECK(definitions("a = b") == "(diagram a with b)");
  CHECK(definitions("a = b with (c = d, e(x, y) = x + y)") ==
        "(diagram a with b (fill c d) (fill e (wires x y) (add x y)))");
  CHECK(definitions("a = specialise b { linear W : [d] -> [d] c = d e(x) = W(x) }") ==
        "(diagram a specialise b (linear W (from (real d)) (to (real d))) (fill c d) (fill e (wires x) (call W x)))");
  CHECK(definitions("a = b\nc = d") == "(diagram a with b)\n(diagram c with d)");
}

TEST_CASE("imports and documentation") {
  CHECK(definitions("import \"a/b.attn\"") == "(import \"a/b.attn\")");
  Read read("/// one\n///\n///  two  \n// not this\n//// nor this\n/// three\na = b /// nor this\n\nc = d");
  REQUIRE(read.errors().empty());
  CHECK(std::get<attnc::ast::DiagramDecl>(read.file.items.at(0)).doc == "one\n\n two\nthree");
  CHECK(std::get<attnc::ast::DiagramDecl>(read.file.items.at(1)).doc.empty());
}

TEST_CASE("spans are what was written") {
  std::string text = "diagram f(x: [n]) -> [n] { a = (x) + g(x)\n b = -a[0] (a) }";
  Read read(text);
  REQUIRE(read.errors().empty());
  auto written = [&](attnc::Span span) { return std::string(read.sources.text(span)); };
  const auto &decl = std::get<attnc::ast::DiagramDecl>(read.file.items.at(0));
  CHECK(written(decl.span) == text);
  CHECK(written(decl.name.span) == "f");
  const auto &form = std::get<attnc::ast::NamedForm>(decl.form);
  CHECK(written(form.parameters[0].type.span) == "[n]");
  CHECK(written(form.parameters[0].type.axes[0].span) == "n");
  const auto &a = std::get<attnc::ast::Binding>(form.body->statements.at(0));
  CHECK(written(a.span) == "a = (x) + g(x)");
  CHECK(written(a.value->span) == "(x) + g(x)");
  const auto &b = std::get<attnc::ast::Binding>(form.body->statements.at(1));
  CHECK(written(b.value->span) == "-a[0]");
  CHECK(written(form.body->result->span) == "a");
  CHECK(written(form.body->span) == text.substr(text.find('{')));
}
