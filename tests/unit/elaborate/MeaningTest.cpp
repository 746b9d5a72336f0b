// What programs mean: pairs of texts that are the same morphism, and pairs that are not.

#include "Program.h"

#include <fmt/format.h>

using namespace attnc;
using attnc::test::Program;
using attnc::test::same;

static bool same(const std::string &text) {
  Program program(text);
  return same(program["f"], program["g"]);
}

TEST_CASE("implicit SIMD is the box it stands for") {
  CHECK(same("diagram f(x: [n d], y: [n d]) -> [n d] { x + y }\n"
             "diagram g(x: [n d], y: [n d]) -> [n d] { simd n (x, y) { simd d (x, y) { x + y } } }"));
  CHECK(same("diagram f(x: [n d], c: []) -> [n d] { c * x }\n"
             "diagram g(x: [n d], c: []) -> [n d] { simd n (x) { simd d (x) { c * x } } }"));
  CHECK(same("diagram f(x: [n d]) -> [n d] { sigmoid(x) }\n"
             "diagram g(x: [n d]) -> [n d] { simd n (x) { simd d (x) { 1 / (1 + exp(-x)) } } }"));
  CHECK(same("diagram f(x: [n d]) -> [n r] { linear W : [d] -> [r]  W(x) }\n"
             "diagram g(x: [n d]) -> [n r] { linear V : [d] -> [r]  simd n (x) { V(x) } }"));
  CHECK(same("diagram f(x: [n d], i: int[k]) -> [k d] { x[i] }\n"
             "diagram g(x: [n d], i: int[k]) -> [k d] { simd k (i) { gather(x, i) } }"));
  CHECK(same("diagram f(x: [n d]) -> [d] { sum(x) }\ndiagram g(x: [n d]) -> [d] { sum n (x) { x } }"));
}

TEST_CASE("softmax along chosen axes") {
  CHECK(same("diagram f(s: [n m]) -> [n m] { softmax(s, axes = 1) }\n"
             "diagram g(s: [n m]) -> [n m] { transpose(simd m (t = transpose(s)) { softmax(t) }) }"));
  CHECK_FALSE(same("diagram f(s: [n m]) -> [n m] { softmax(s, axes = 1) }\n"
                   "diagram g(s: [n m]) -> [n m] { softmax(s, axes = 2) }"));
  CHECK(same("diagram f(s: [n a b]) -> [n a b] { softmax(s, axes = 1) }\n"
             "diagram g(s: [n a b]) -> [n a b] {\n"
             "  c = simd a as i { simd b as j { softmax(simd n (s) { s[i, j] }) } }\n"
             "  simd n as k { simd a (c) { simd b (c) { c[k] } } }\n}"));
}

TEST_CASE("numbers take the kind they meet") {
  CHECK(same("diagram f(x: [n]) -> [n] { 2 * x }\ndiagram g(x: [n]) -> [n] { 2.0 * x }"));
  CHECK(same("diagram f(x: [n]) -> [n] { x / n }\ndiagram g(x: [n]) -> [n] { x / real(n) }"));
  CHECK(same("diagram f(i: int[]) -> [] { i / 2 }\ndiagram g(i: int[]) -> [] { real(i) / 2.0 }"));
  CHECK_FALSE(same("diagram f(i: int[]) -> int[] { i + 2 }\ndiagram g(i: int[]) -> int[] { i + 3 }"));
  Program program("diagram f(i: int[], j: int[]) -> int[] { i % j }");
  CHECK(program["f"].diagram.outputTypes()[0].kind == Kind::Int);
}

TEST_CASE("both notations mean the same") {
  CHECK(same(
      "diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] {\n"
      "  simd n (q) {\n    a = softmax(simd m (k) { dot(q, k) * (1 / sqrt(d)) })\n    sum m (a, v) { a * v }\n  }\n}\n"
      "diagram g : [n d] @ [m d] @ [m e] -> [n e]\n"
      "  = simd n (map, share, share) {\n"
      "      (simd m (share, map) { dot ; scale(1 / sqrt(d)) } ; softmax) @ id[m e]\n"
      "      ; sum m (map, map) { mul }\n    }"));
  CHECK(same("diagram f(q: [n d], k: [n d], v: [n e], g: []) -> [n e] {\n"
             "  scan n (q, k, v) from S: [d e] = 0 {\n    S' = g * S + outer(k, v)\n    (S', dot(q, S'))\n  }\n}\n"
             "diagram g : [n d] @ [n d] @ [n e] @ [] -> [n e]\n"
             "  = (0.0 ; broadcast(e) ; broadcast(d)) @ id @ id @ id @ id\n"
             "  ; scan n (map, map, map, share) from [d e] {\n"
             "      id @ id @ (id @ id @ id ; outer @ id) ; (swap @ id @ id) ; (id @ id @ swap)\n"
             "      ; id @ (id @ swap ; (swap ; mul) @ id ; add)\n"
             "      ; (id @ copy) ; (swap @ id) ; (id @ dot)\n    } ; id @ del") == false);
}

TEST_CASE("a tie is a label, an instance has learners of its own") {
  const char *text =
      "diagram block(x: [n]) -> [n] { linear W : [n] -> [n]  tanh(W(x)) }\n"
      "diagram tied(x: [n]) -> [n] { block(block(x)) }\n"
      "diagram own(x: [n]) -> [n] {\n  box a = block\n  box b = block\n  b(a(x))\n}\n"
      "diagram plain(x: [n]) -> [n] {\n  linear A : [n] -> [n]\n  linear B : [n] -> [n]\n  tanh(B(tanh(A(x))))\n}\n";
  Program program(text);
  CHECK(program["tied"].learners.size() == 1);
  CHECK(program["tied"].learners[0].label == "block.W");
  CHECK(program["own"].learners.size() == 2);
  CHECK(program["own"].learners[0].label == "a.W");
  CHECK(same(program["own"], program["plain"]));
  CHECK_FALSE(same(program["own"], program["tied"]));
}

TEST_CASE("parameters of their own along an axis") {
  Program program(
      "diagram block(x: [n]) -> [n] { linear W : [n] -> [n]  W(x) }\n"
      "diagram deep(x: [n]) -> [n] {\n  box layers = block per l\n  scan l from y: [n] = x { layers(y) }\n}\n"
      "diagram flat(x: [n]) -> [n] {\n  linear W : [n] -> [n] per l\n  scan l from y: [n] = x { W(y) }\n}\n");
  REQUIRE(program["deep"].learners.size() == 1);
  CHECK(program["deep"].learners[0].per == std::vector{Size::variable("l")});
  CHECK(same(program["deep"], program["flat"]));
}

TEST_CASE("specialising plugs a diagram into a learner") {
  const char *base = "diagram primordial(q: [n d], k: [n d]) -> [n n] {\n"
                     "  universal a : [d] @ [d] -> []\n  simd n (q) { simd n (k) { a(q, k) } }\n}\n";
  Program program(std::string(base) +
                  "byname = specialise primordial { a = dot }\n"
                  "byexpr = specialise primordial { a(x, y) = sum d (x, y) { x * y } }\n"
                  "general = specialise primordial {\n  linear W : [d] -> [d]\n  a(x, y) = dot(x, W(y))\n}\n"
                  "diagram direct(q: [n d], k: [n d]) -> [n n] { simd n (q) { simd n (k) { dot(q, k) } } }\n");
  CHECK(same(program["byname"], program["direct"]));
  CHECK(same(program["byexpr"], program["direct"]));
  REQUIRE(program["general"].learners.size() == 1);
  CHECK(program["general"].learners[0].label == "W");
  CHECK(program["primordial"].learners.size() == 1);
}

TEST_CASE("boxes given, by default and by keyword") {
  Program program("diagram twice(x: [n]) with (f: [n] -> [n] = relu') -> [n] { f(f(x)) }\n"
                  "diagram relu'(x: [n]) -> [n] { relu(x) }\n"
                  "diagram tanh'(x: [n]) -> [n] { tanh(x) }\n"
                  "other = twice with (f = tanh')\n"
                  "diagram called(x: [n]) -> [n] { twice(x, f = tanh') }\n"
                  "diagram relu2(x: [n]) -> [n] { relu(relu(x)) }\n"
                  "diagram tanh2(x: [n]) -> [n] { tanh(tanh(x)) }\n");
  CHECK(same(program["twice"], program["relu2"]));
  CHECK(same(program["other"], program["tanh2"]));
  CHECK(same(program["called"], program["tanh2"]));
}

TEST_CASE("sizes of a callee are solved, or given, or stay free") {
  Program program("diagram f(x: [n+m], y: [m]) -> [n] { slice(x, 0, len = n) + slice(x, m, len = n) + 0 * sum(y) }\n"
                  "diagram g(x: [p+q]) -> [p] { f(x, slice(x, 0, len = q)) }\n"
                  "diagram heads(x: [n h*d]) -> [n h*d] where h == 4 {\n"
                  "  y = simd n (x) { merge(split(x, h = h)) }\n  y\n}\n"
                  "diagram score(s: [p], t: [c]) -> [] {\n"
                  "  linear W : [p] -> [r]\n  linear U : [c] -> [r]\n  sum(tanh(W(s) + U(t)))\n}\n"
                  "diagram use(s: [p], t: [c]) -> [] { score(s, t) + score(s, t) }\n");
  CHECK(program["g"].diagram.outputTypes()[0].str() == "[p]");
  CHECK(program["heads"].diagram.inputTypes()[0].str() == "[n 4*d]");
  CHECK(program["use"].learners.size() == 2);
  CHECK(program["use"].learners[0].codomain[0].str() == "[score.r]");
}

TEST_CASE("conditions of a callee hold for the sizes it is called with") {
  for (auto [condition, holds] : {std::pair("n == 4", true),
                                  {"n >= 4", true},
                                  {"n <= 4", true},
                                  {"n >= 5", false},
                                  {"n <= 3", false},
                                  {"n % 3 >= 1", true},
                                  {"n % 3 <= 0", false},
                                  {"n >= m", true}}) {
    Program program(fmt::format("diagram f(x: [n], y: [m]) -> [n] where {} {{ 0 * sum(y) + x }}\n"
                                "diagram g(x: [4], y: [3]) -> [4] {{ f(x, y) }}\n",
                                condition));
    INFO(condition << "\n" << program.diagnostics.render());
    CHECK(program.diagnostics.hasErrors() != holds);
  }
}

TEST_CASE("the conditions of a callee speak of its own sizes") {
  Program program("diagram tail(x: [n]) -> [r] where r + 1 == n { slice(x, 1, len = r) }\n"
                  "diagram f(x: [n], y: [p+1]) -> [p] { tail(y) }\n");
  CHECK(program["f"].constraints.empty());
}

TEST_CASE("a power is a polynomial once its exponent is known, and a size of its own before") {
  Program program("diagram count(x: [m], k: [o]) -> int[] where t == m ^ o { sum t { 1 } }\n"
                  "diagram square(x: [m], k: [2]) -> int[] { count(x, k) }\n"
                  "diagram both(x: [m], y: [n], k: [o]) -> int[] { count(x, k) + count(y, k) + count(x, k) }\n"
                  "diagram plain(x: [m]) -> int[] where t == m ^ 3 { sum t { 1 } }\n");
  CHECK(program["count"].constraints.front().str() == "t == m ^ o");
  CHECK(program["square"].constraints.empty());
  CHECK(program["plain"].sizeNames() == std::vector<std::string>{"m", "t"});
  const Definition &both = program["both"];
  REQUIRE(both.constraints.size() == 2);
  CHECK(both.constraints[0].str() == "count.t == m ^ o");
  CHECK(both.constraints[1].str() == "count.t' == n ^ o");
}

TEST_CASE("a remainder that every size has is no condition") {
  Program program("diagram f(x: [n]) -> [n] where n % 2 == 0 { x }\n"
                  "diagram g(x: [2*p]) -> [2*p] { f(x) }\n"
                  "diagram h(x: [3*p]) -> [3*p] { f(x) }\n");
  CHECK(program["g"].constraints.empty());
  CHECK(program["h"].constraints.size() == 1);
  Program never("diagram f(x: [n]) -> [n] where n % 2 == 1 { x }\ndiagram g(x: [4*p]) -> [4*p] { f(x) }\n");
  CHECK(never.diagnostics.hasErrors());
}

TEST_CASE("scans give what is asked of them") {
  Program program("diagram f(x: [n d]) -> [d] { scan n (x) from s: [d] = 0 { s + x } }\n"
                  "diagram g(x: [n d]) -> [n d] { scan n (x) from s: [d] = 0 {\n  t = s + x\n  (t, t)\n} }\n"
                  "diagram h(x: [n d]) -> [n d] @ [d] {\n  (all', last) = scan n (x) from s: [d] = 0 {\n    t = s + "
                  "x\n    (t, t)\n  }\n  (all', last)\n}\n");
  CHECK(program["f"].diagram.outputTypes()[0].str() == "[d]");
  CHECK(program["g"].diagram.outputTypes()[0].str() == "[n d]");
  CHECK(str(program["h"].diagram.outputTypes()) == "[n d] @ [d]");
}
