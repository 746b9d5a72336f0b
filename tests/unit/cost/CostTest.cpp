// Costs against counts made by hand, operation by operation.

#include "attnc/cost/Cost.h"
#include "attnc/elaborate/Elaborate.h"

#include <catch2/catch.hpp>

using namespace attnc;

namespace {

Cost costIn(const std::string &text, std::int64_t elementBytes = 1) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  Module module = elaborate(sources, sources.add("test.attn", text), diagnostics,
                            [](const std::filesystem::path &) -> tl::expected<std::string, std::string> {
                              return tl::unexpected<std::string>("no such file");
                            });
  INFO(diagnostics.render());
  REQUIRE(!diagnostics.hasErrors());
  auto cost = costOf(*module.definitions.back(), elementBytes);
  REQUIRE(cost);
  return *cost;
}

const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d"), e = Size::variable("e"),
           h = Size::variable("h"), w = Size::variable("w");

} // namespace

TEST_CASE("scaled dot-product attention") {
  Cost cost = costIn(R"(diagram sdpa(q: [n d], k: [m d], v: [m e]) -> [n e] {
    simd n (q) { sum m (a = softmax(simd m (k) { dot(q, k) / sqrt(d) }), v) { a * v } }
  })",
                     4);
  // scores 2d, the division 1, softmax 5, the values 2e for each pair of query and key
  CHECK(cost.flops == n * m * (2 * d + 1 + 5 + 2 * e));
  CHECK(cost.transcendental == n * m);
  // scores written, read, divided, written, read, normalised, written, read
  CHECK(cost.bytes == 4 * (n * d + m * d + 6 * n * m + m * e + n * e));
  CHECK(cost.memory == 4 * 3 * n * m);
  CHECK(cost.parameters == Size(0));
}

TEST_CASE("both associations of linear attention") {
  const std::string head = "diagram f(q: [n d], k: [m d], v: [m e]) -> [n e] { ";
  Cost quadratic = costIn(head + "simd n (q) { sum m (s = simd m (k) { dot(q, k) }, v) { s * v } } }");
  Cost linear = costIn(head + "s = sum m (k, v) { outer(k, v) } simd n (q) { dot(q, s) } }");
  CHECK(quadratic.flops == 2 * n * m * (d + e));
  CHECK(linear.flops == 2 * d * e * (n + m));
  CHECK(quadratic.memory == n * m);
  CHECK(linear.memory == d * e);
  const Size::Values few{{"n", 35}, {"m", 35}, {"d", 128}, {"e", 128}};
  const Size::Values many{{"n", 4096}, {"m", 4096}, {"d", 64}, {"e", 64}};
  CHECK(compare(quadratic.flops, linear.flops, few) == std::partial_ordering::less);
  CHECK(compare(quadratic.flops, linear.flops, many) == std::partial_ordering::greater);
  CHECK(compare(quadratic.flops, linear.flops) == std::partial_ordering::unordered);
  CHECK(compare(quadratic.flops, linear.flops, {{"n", 8}, {"m", 8}, {"d", 8}, {"e", 8}}) ==
        std::partial_ordering::equivalent);
}

TEST_CASE("learners") {
  Cost linear = costIn("diagram f(x: [n d]) -> [n e] { linear W : [d] -> [e] W(x) }");
  CHECK(linear.flops == 2 * n * d * e);
  CHECK(linear.parameters == d * e);
  CHECK(linear.bytes == n * d + d * e + n * e);
  CHECK(linear.memory == Size(0));
  Cost affine = costIn("diagram f(x: [n d]) -> [n e] { affine W : [d] -> [e] W(x) }");
  CHECK(affine.flops == n * e * (2 * d + 1));
  CHECK(affine.parameters == d * e + e);
  Cost universal = costIn("diagram f(x: [n d]) -> [n e] { universal W : [d] -> [e] width w W(x) }");
  CHECK(universal.flops == n * (2 * d * w + w + w + 2 * w * e + e));
  CHECK(universal.transcendental == n * w);
  CHECK(universal.parameters == d * w + w + w * e + e);
  CHECK(universal.bytes == n * d + universal.parameters + 2 * n * w + n * e);
  CHECK(universal.memory == n * w);
  Cost tied = costIn("diagram f(x: [n d]) -> [n d] { linear W : [d] -> [d] W(W(x)) }");
  CHECK(tied.flops == 4 * n * d * d);
  CHECK(tied.parameters == d * d);
  Cost heads = costIn("diagram f(x: [d]) -> [h e] { linear W : [d] -> [e] per h simd h { W(x) } }");
  CHECK(heads.flops == 2 * h * d * e);
  CHECK(heads.parameters == h * d * e);
  CHECK(heads.bytes == d + h * d * e + h * e);
  Cost param = costIn("diagram f(x: [n]) -> [n] { param u : [] x * u }");
  CHECK(param.flops == n);
  CHECK(param.bytes == 2 * n + 1);
  CHECK(param.parameters == Size(1));
}

TEST_CASE("what does not use an axis is done outside it; what depends on sizes alone beforehand") {
  CHECK(costIn("diagram f(x: [n], y: [m]) -> [n m] { simd n (x) { simd m (y) { x + exp(y) } } }").flops == m + n * m);
  CHECK(costIn("diagram f(x: [n]) -> [n] { simd n (x) { x / sqrt(n) } }").flops == n);
  CHECK(costIn("diagram f(x: [n d]) -> [d n] { transpose(x) }").flops == Size(0));
  Cost copies = costIn("diagram f(x: [n]) -> [m n] { simd m { x } }");
  CHECK(copies.flops == Size(0));
  CHECK(copies.bytes == n + m * n); // read, and written out
  CHECK(costIn("diagram f() -> int[n] { simd n as i { i } }").bytes == n);
}

TEST_CASE("a scan goes step by step") {
  Cost cost = costIn(R"(diagram retention(q: [n d], k: [n d], v: [n e], g: []) -> [n e] {
    scan n (q, k, v) from S: [d e] = 0 {
      S' = g * S + outer(k, v)
      (S', dot(q, S'))
    }
  })");
  CHECK(cost.flops == n * d * e * 5);
  // g and S read, g*S written; k, v read, their product written; both read, S' written; q, S' read, y written
  CHECK(cost.bytes == n + 2 * n * d * e + (n * d + n * e + n * d * e) + 3 * n * d * e + (n * d + n * d * e + n * e));
  CHECK(cost.memory == 3 * d * e);
  Cost layers = costIn(R"(diagram f(x: [d]) -> [d] {
    linear W : [d] -> [d] per h
    scan h from y: [d] = x { W(y) }
  })");
  CHECK(layers.flops == 2 * h * d * d);
  CHECK(layers.parameters == h * d * d);
  CHECK(layers.bytes == h * (d + d * d + d)); // each step reads its own weights
  Cost shared =
      costIn("diagram f(x: [d], t: [h]) -> [d] { linear W : [d] -> [d] scan h (t) from y: [d] = x { W(y) } }");
  CHECK(shared.bytes == h * (d + d * d + d)); // each step reads the same weights
}

TEST_CASE("what is no polynomial, and what only moves") {
  Cost topk = costIn("diagram f(x: [n]) -> [m] { (v, _i) = topk(x, k = m) v }");
  CHECK(topk.flops == n * m);
  Cost gather = costIn("diagram f(x: [n d], i: int[m]) -> [m d] { x[i] }");
  CHECK(gather.flops == Size(0));
  CHECK(gather.bytes == m * d + m + m * d);
  Cost scatter = costIn("diagram f(i: int[m], x: [m d]) -> [n d] { scatter(i, x, size = n) }");
  CHECK(scatter.flops == m * d);
  CHECK(scatter.bytes == m + m * d + n * d);
  Cost sink = costIn("diagram f(x: [n], t: []) -> [n] { softmax(x, sink = t) }");
  CHECK(sink.flops == 5 * n + 4);
  CHECK(sink.transcendental == n + 1);
}

TEST_CASE("a named box costs what it holds") {
  Cost closed = costIn("diagram f(x: [n d], y: [n d]) -> [n] { simd n (x, y) { dot(x, y) } }");
  Cost open = costIn("diagram f(x: [n d], y: [n d]) -> [n] { simd n (x, y) { sum d (x, y) { x * y } } }");
  CHECK(closed.flops == open.flops);
  CHECK(closed.bytes == open.bytes);
  CHECK(closed.memory == open.memory);
}

TEST_CASE("measures by name, and sizes put in") {
  REQUIRE(measureNamed("bytes"));
  CHECK(!measureNamed("joules"));
  Cost cost = costIn("diagram f(x: [n], y: [m]) -> [n m] { outer(x, y) }");
  Cost bound = atSizes(cost, {{"n", 3}});
  CHECK(bound.*measureNamed("flops")->field == 3 * m);
  CHECK(atSizes(bound, {{"m", 2}}).flops.constant() == 6);
}
