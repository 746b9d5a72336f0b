#include "Programs.h"
#include "attnc/prove/Grow.h"
#include "attnc/prove/Soundness.h"

#include <algorithm>

using namespace attnc;

namespace {

std::string claimOf(const std::string &rule) {
  Program program(rule);
  auto wrong = falseClaim(*program.module.rules.at(0));
  return wrong ? *wrong : "";
}

const char *linear = R"(
rule distribute : equation
  forall (c: [], w: [m])
  sum m (w) { c * w } == c * sum(w)

rule associate : equation
  forall (x: [], y: [], z: [])
  x * y * z == x * (y * z)

rule exchange : equation
  forall (x: [m n])
  sum m (x) { sum(x) } == sum n as j { sum m (x) { x[j] } }

theory t { distribute associate exchange distribute reversed associate reversed }

/// No feature map and no normaliser: quadratic in the length.
diagram quadratic(q: [n d], k: [m d], v: [m e]) -> [n e] {
  simd n (q) { sum m (k, v) { sum d (q, k) { q * k } * v } }
}

/// Linear in the length.
diagram reassociated(q: [n d], k: [m d], v: [m e]) -> [n e] {
  S = simd d as l { sum m (k, v) { k[l] * v } }
  simd n (q) { sum d (q, S) { q * S } }
}
)";

} // namespace

TEST_CASE("true rules are found true, false ones false") {
  CHECK(claimOf("rule r : equation forall (x: [n], c: []) sum n (x) { c * x } == c * sum(x)") == "");
  CHECK(claimOf("rule r : equation forall (x: [n], c: []) sum n (x) { c + x } == c + sum(x)") != "");
  // Right but for empty axes.
  CHECK(claimOf("rule r : equation forall (x: [n]) prod n (x) { exp(x) } == exp(sum(x))") == "");
  CHECK(claimOf("rule r : equation forall (x: [n]) sum n (x) { x / x } == real(n) + 0 * sum(x)") == "");
  CHECK(claimOf("rule r : equation forall (x: [n]) max(x) == where(n == 0, 0.0, max(x))") != "");
  CHECK(claimOf("rule r : equation forall (x: []) exp(log(x)) == x") != "");
}

TEST_CASE("a filling is of the kind of its learner") {
  CHECK(claimOf("rule r : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => x") == "");
  CHECK(claimOf("rule r : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => tanh(x)") != "");
  CHECK(claimOf("rule r : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => x + 1") != "");
  CHECK(claimOf("rule r : specialise forall (x: [a]) affine f : [a] -> [a] f(x) => x + 1") == "");
  CHECK(claimOf("rule r : specialise forall (x: [a]) universal f : [a] -> [a] f(x) => tanh(x)") == "");
}

TEST_CASE("what is too large to be tried out, or has no size, is refused") {
  using Catch::Matchers::Contains;
  const std::string vast = "100000000000";
  CHECK_THAT(claimOf("rule r : equation forall (x: [" + vast + "]) x + x == 2.0 * x"),
             Contains("a wire of type [" + vast + "] is too large"));
  CHECK_THAT(claimOf("rule r : equation forall (x: [n n n n]) param p : [" + vast + "] sum(p) * x == x * sum(p)"),
             Contains("[" + vast + "] is too large"));
  CHECK_THAT(claimOf("rule r : specialise forall (x: [" + vast + "]) linear f : [" + vast + "] -> [] f(x) => sum(x)"),
             Contains("is too large"));
  CHECK_THAT(claimOf("rule r : equation forall (x: [n-5]) x + x == 2.0 * x"), Contains("the size n - 5 is no size"));
  CHECK(claimOf("rule r : equation forall (x: [n-5 0]) if n >= 5 x + x == 2.0 * x") != "");
}

TEST_CASE("logits are tried with minus infinity and with large values") {
  // True of finite logits: where all are −∞, 0/0 is no 0; past exp(710) there is no number.
  const std::string all = claimOf("rule r : equation forall (s: [m]) softmax(s) == { z = sum m (s) { exp(s) } "
                                  "simd m (s) { exp(s) / z } }");
  CHECK(all.find("logits are -inf the two differ") != std::string::npos);
  CHECK(claimOf("rule r : equation forall (x: [], y: []) exp(x + y) == exp(x) * exp(y)") == "");
  CHECK(claimOf("rule r : equation forall (x: []) exp(x - x) == exp(0.0)").find("-inf") != std::string::npos);
  // A mask is no −100.
  CHECK(claimOf("rule r : equation forall (p: bool[m], s: [m]) softmax(simd m (p, s) { where(p, s, -inf) }) == "
                "softmax(simd m (p, s) { where(p, s, -100.0) })") != "");
  CHECK(claimOf("rule r : equation forall (p: bool[m], s: [m]) softmax(simd m (p, s) { where(p, s, -inf) }) == "
                "softmax(simd m (p, s) { s + where(p, 0.0, -inf) })") == "");
}

TEST_CASE("what holds of finite numbers alone is not applied to what may be minus infinity") {
  Program program(R"(
rule cancel : equation forall (x: [], y: []) x + y - y == x
rule swap : equation forall (p: bool[], x: [], y: []) where(p, x, y) == where(not p, y, x)
diagram finite(s: [], t: []) -> [] { exp(s + t - t) }
diagram masked(s: [], i: int[]) -> [] { exp(s + where(i == 0, 1.0, -inf) - where(i == 0, 1.0, -inf)) }
diagram weighted(s: [], i: int[]) -> [] { t = exp(where(i == 0, s, -inf))  s + t - t }
)");
  CHECK(finiteInputs(*program.rule("cancel")) == std::set<std::size_t>{1});
  CHECK(finiteInputs(*program.rule("swap")).empty());
  rewriting::Tables tables;
  Patterns patterns(tables);
  auto made = [&](const std::string &diagram, const std::string &rule) {
    Step step;
    step.rule = program.rule(rule);
    auto rewrite = makeStep(program[diagram], step, tables, patterns);
    return rewrite ? "" : rewrite.error();
  };
  CHECK(made("finite", "cancel") == "");
  CHECK(made("weighted", "cancel") == "");
  CHECK(made("masked", "cancel") == "it matches only where 'y' may be -inf, for which it does not hold");
  CHECK(made("masked", "swap") == "");
}

TEST_CASE("what is claimed without a filling needs a citation") {
  const std::string fuse = "rule r : express forall (x: [a]) universal f : [b] -> [c] universal g : [a] -> [b] "
                           "universal h : [a] -> [c] if b >= a f(g(x)) == h(x)";
  CHECK(claimOf(fuse) != "");
  CHECK(claimOf("/// @cite khatri2024\n" + fuse) == "");
  const std::string tie = "rule r : specialise forall (x: [a], y: [a]) linear f : [a] -> [b] linear g : [a] -> [b] "
                          "(f(x), g(y)) => (f(x), f(y))";
  CHECK(claimOf(tie) != "");
  CHECK(claimOf(tie + " by { g(y) = f(y) }") == "");
  CHECK(claimOf(tie + " by { g(y) = 2 * f(y) }") != "");
}

TEST_CASE("what fills a linear learner is linear, in a rule with fillings too") {
  const std::string two = "rule r : specialise forall (x: [a], y: [a]) linear f : [a] -> [] linear g : [a] -> [] ";
  CHECK(claimOf(two + "(f(x), g(y)) => (f(x), sum(y)) by { g(y) = sum(y) }") == "");
  CHECK(claimOf(two + "(f(x), g(y)) => (f(x), exp(sum(y))) by { g(y) = exp(sum(y)) }") != "");
}

TEST_CASE("with == each side is a filling of the other, or a source says so") {
  const std::string scaled =
      "rule r : express forall (x: [a]) linear f : [a] -> [] linear g : [a] -> [] 2 * f(x) == g(x)";
  CHECK(claimOf(scaled + " by { f(x) = g(x) / 2 }") != "");
  CHECK(claimOf("/// @cite khatri2024\n" + scaled + " by { f(x) = g(x) / 2 }") == "");
  CHECK(claimOf(scaled + " by { f(x) = g(x) / 2 g(x) = 2 * f(x) }") == "");
  CHECK(claimOf(scaled + " by { f(x) = g(x) / 2 g(x) = 3 * f(x) }") != "");
}

TEST_CASE("a left side without learners is narrowed") {
  CHECK(claimOf("rule r : specialise forall (x: [a]) sum 1 { x } => x") == "");
  CHECK(claimOf("rule r : specialise forall (x: [a]) sum 2 { x } => x") != "");
}

TEST_CASE("linear attention is found from quadratic, and the derivation holds") {
  Program program(linear);
  Search search = derive(program["quadratic"], program["reassociated"], *program.module.theories.at(0), {});
  INFO(search.ended);
  REQUIRE(search.path.has_value());
  CHECK(search.path->size() <= 5);
  std::string text = derivationText("d", "quadratic", "reassociated", *search.path);
  INFO(text);
  Program again(linear + text);
  Replay replayed = replay(*again.module.derivations.at(0));
  INFO(replayed.problem);
  CHECK(replayed.reached);
}

TEST_CASE("a derivation that does not hold says where") {
  Program program(std::string(linear) + R"(
derivation nowhere : reassociated => quadratic { by associate }
derivation short : quadratic => reassociated { by distribute reversed at 1 }
)");
  CHECK(replay(*program.module.derivations.at(0)).problem == "it matches nowhere");
  CHECK_FALSE(replay(*program.module.derivations.at(1)).reached);
}

TEST_CASE("what grows has no diagram twice, and each is derived") {
  Program program(R"(
rule dotted : specialise forall (q: [d], k: [d]) universal a : [d] @ [d] -> [] a(q, k) => dot(q, k)
rule leg : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => x
theory t { dotted leg }
diagram root(q: [n d], k: [m d]) -> [n m] {
  universal a : [d] @ [d] -> []
  linear W : [d] -> [d]
  simd n (q) { simd m (k) { a(W(q), k) } }
}
diagram scores(q: [n d], k: [m d]) -> [n m] { simd n (q) { simd m (k) { dot(q, k) } } }
taxonomy x : root by t
)");
  auto scores = std::make_shared<Definition>(program["scores"]);
  Growth growth = grow(program.module.taxonomies, {{"scores", "x.attn", scores}}).value();
  CHECK(growth.nodes.size() == 4);
  auto found = std::ranges::find_if(growth.nodes, [](const auto &node) { return !node.known.empty(); });
  REQUIRE(found != growth.nodes.end());
  CHECK(found->depth == 2);
  CHECK(growth.derivation(found - growth.nodes.begin()).size() == 2);
}

TEST_CASE("a root that another taxonomy reached grows on from there, and inputs that nothing uses are gone") {
  Program program(R"(
rule left : specialise forall (x: [a], y: [a]) box f : [a] @ [a] -> [a] f(x, y) => x
rule leg : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => x
theory first { left }
theory second { leg }
diagram root(x: [n d], y: [n d]) with (f: [d] @ [d] -> [d]) -> [n d] {
  linear W : [d] -> [d]
  W(simd n (x, y) { f(x, y) })
}
diagram half(x: [n d]) -> [n d] { linear W : [d] -> [d]  W(x) }
diagram same(x: [n d]) -> [n d] { x }
taxonomy one : root by first
taxonomy two : half by second
)");
  Growth growth =
      grow(program.module.taxonomies, {{"same", "x.attn", std::make_shared<Definition>(program["same"])}}).value();
  REQUIRE(growth.nodes.size() == 3);
  CHECK(growth.roots == std::vector<std::size_t>{0, 1});
  CHECK(growth.nodes[2].known == std::vector<std::size_t>{0});
  CHECK(growth.nodes[2].depth == 2);
  CHECK(growth.nodes[2].taxonomy == 1);
  CHECK(growth.derivation(2).size() == 2);
  CHECK(growth.nodes[1].definition.diagram.inputs.size() == 1);
}

TEST_CASE("a filling is undone: a step to what is more general, which narrows nothing") {
  const std::string rules = R"(
rule dotted : specialise forall (x: [a], y: [a]) universal f : [a] @ [a] -> [] f(x, y) => dot(x, y)
diagram form(x: [d], y: [d]) -> [] { universal f : [d] @ [d] -> []  f(x, y) }
diagram product(x: [d], y: [d]) -> [] { dot(x, y) }
derivation back : product => form { by dotted reversed }
)";
  Program program(rules);
  CHECK(replay(*program.module.derivations.at(0)).problem == "");
  const Step &step = program.module.derivations.at(0)->steps.at(0);
  CHECK(claim(*step.rule, step.reversed) == "generalise");
  Program narrow(R"(
rule leg : specialise forall (x: [a], y: [a]) linear f : [a] -> [a]
  exp(sum(x)) * exp(sum(f(y))) => exp(sum(x)) * exp(sum(y)) by { f(y) = y }
diagram wide(x: [d], y: [e]) -> [] { exp(sum(x)) * exp(sum(y)) }
derivation back : wide => wide { by leg reversed }
)");
  CHECK(replay(*narrow.module.derivations.at(0)).problem == "it matches nowhere");
}

TEST_CASE("what fills a box fills no learner of another kind") {
  Program program(R"(
rule filled : specialise forall (x: [a]) box f : [a] -> [a] f(x) => exp(x)
diagram mapped(x: [d]) -> [d] { linear W : [d] -> [d] W(x) }
diagram boxed(x: [d]) with (W: [d] -> [d]) -> [d] { W(x) }
diagram powers(x: [d]) -> [d] { exp(x) }
derivation no : mapped => powers { by filled }
derivation yes : boxed => powers { by filled }
)");
  CHECK(replay(*program.module.derivations.at(0)).problem == "it matches nowhere");
  CHECK(replay(*program.module.derivations.at(1)).problem == "");
}
