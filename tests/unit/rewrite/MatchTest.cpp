#include "Programs.h"
#include "attnc/diagram/Canonical.h"

using namespace attnc;
using namespace attnc::rewriting;

namespace {

const char *rules = R"(
rule distribute : equation
  forall (c: [], w: [m], v: [m])
  sum m (w, v) { c * w * v } == c * sum m (w, v) { w * v }

rule exchange : equation
  forall (x: [m n])
  sum m (x) { sum(x) } == sum n as j { sum m (x) { x[j] } }

rule slide : equation
  forall (x: [m a])
  linear L : [a] -> [b]
  sum m (x) { L(x) } == L(sum(x))

rule score : specialise
  forall (q: [d], k: [d])
  universal a : [d] @ [d] -> []
  a(q, k) => dot(q, k)

rule separate : express
  forall (x: [a], y: [b])
  universal f : [a] @ [b] -> []
  f(x, y) => {
    universal g : [a] -> [r]
    universal h : [b] -> [r]
    dot(g(x), h(y))
  }
)";

/// The definition after the first match of a rule is replaced.
Definition rewritten(const Program &program, const std::string &diagram, const std::string &rule, bool reversed = false,
                     std::size_t expected = 1) {
  Tables tables;
  auto pattern = Pattern::make(tables, program.rule(rule), reversed);
  INFO((pattern ? "" : pattern.error()));
  REQUIRE(pattern.has_value());
  Host host = load(tables, program[diagram]);
  auto matches = allMatches(host, *pattern);
  REQUIRE(matches.size() == expected);
  auto applied = apply(host, *pattern, matches[0]);
  INFO((applied ? "" : applied.error()));
  REQUIRE(applied.has_value());
  return freeze(host);
}

void checkSame(const Definition &left, const Definition &right) {
  CHECK(canonicalForm(left, {.renameSizes = true}).text == canonicalForm(right, {.renameSizes = true}).text);
}

} // namespace

TEST_CASE("a rule on numbers holds for each element of arrays, inside boxes") {
  Program program(std::string(rules) + R"(
diagram before(q: [n], k: [m], v: [m e]) -> [n e] { simd n (q) { sum m (k, v) { q * k * v } } }
diagram after(q: [n], k: [m], v: [m e]) -> [n e] { simd n (q) { s = sum m (k, v) { k * v }  simd e (s) { q * s } } }
)");
  checkSame(rewritten(program, "before", "distribute"), program["after"]);
  checkSame(rewritten(program, "after", "distribute", true, 2), program["before"]); // k and v change places
}

TEST_CASE("a metavariable stands for what depends on its axes alone") {
  Program program(std::string(rules) + R"(
diagram depends(q: [m], k: [m], v: [m]) -> [] { sum m (q, k, v) { q * k * v } }
diagram deep(q: [n d], k: [m d], v: [m]) -> [n] {
  simd n (q) { sum m (k, v) { exp(sum(q)) * (tanh(sum(k)) * v) } }
}
diagram after(q: [n d], k: [m d], v: [m]) -> [n] {
  simd n (q) { exp(sum(q)) * sum m (k, v) { tanh(sum(k)) * v } }
}
)");
  Tables tables;
  auto pattern = Pattern::make(tables, program.rule("distribute"), false);
  REQUIRE(pattern.has_value());
  CHECK(allMatches(load(tables, program["depends"]), *pattern).empty());
  // (c * w) * v and w * (c * v) are not one pattern: associativity is a rule of its own.
  CHECK(allMatches(load(tables, program["deep"]), *pattern).empty());
}

TEST_CASE("sums over two axes are exchanged") {
  Program program(std::string(rules) + R"(
diagram before(x: [m n k]) -> [k] { sum m (x) { sum n (x) { x } } }
diagram after(x: [m n k]) -> [k] { sum n as j { sum m (x) { x[j] } } }
)");
  checkSame(rewritten(program, "before", "exchange"), program["after"]);
}

TEST_CASE("a linear learner slides through a sum") {
  Program program(std::string(rules) + R"(
diagram before(a: [n m], x: [m c]) -> [n d] {
  linear W : [c] -> [d]
  simd n (a) { sum m (y = simd m (a, x) { a * x }) { W(y) } }
}
diagram after(a: [n m], x: [m c]) -> [n d] {
  linear W : [c] -> [d]
  simd n (a) { W(sum m (a, x) { a * x }) }
}
)");
  checkSame(rewritten(program, "before", "slide"), program["after"]);
  checkSame(rewritten(program, "after", "slide", true), program["before"]);
}

TEST_CASE("every use of a learner is filled at once") {
  Program program(std::string(rules) + R"(
diagram before(q: [n c], k: [m c]) -> [n m] @ [m n] {
  universal a : [c] @ [c] -> []
  (simd n (q) { simd m (k) { a(q, k) } }, simd m (k) { simd n (q) { a(q, k) } })
}
diagram after(q: [n c], k: [m c]) -> [n m] @ [m n] {
  (simd n (q) { simd m (k) { dot(q, k) } }, simd m (k) { simd n (q) { dot(q, k) } })
}
diagram separated(q: [n c], k: [m c]) -> [n m] @ [m n] {
  universal g : [c] -> [r]
  universal h : [c] -> [r]
  (simd n (q) { simd m (k) { dot(g(q), h(k)) } }, simd m (k) { simd n (q) { dot(g(q), h(k)) } })
}
)");
  checkSame(rewritten(program, "before", "score"), program["after"]);
  checkSame(rewritten(program, "before", "separate"), program["separated"]);
}
