#include "Make.h"

#include <cstring>

using namespace attnc;
using namespace attnc::make;

namespace {

const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d");
using Modes = std::vector<Mode>;

std::string refusal(const Definition &definition, const Size::Values &sizes, const std::vector<Array> &inputs,
                    const std::vector<Array> &parameters = {}, std::size_t limit = std::size_t(1) << 30) {
  auto outputs = evaluate(definition, sizes, inputs, parameters, {limit});
  return outputs ? "it ran" : outputs.error();
}

/// sum n { sum m { exp(x_i * y_j) } }: n m numbers when it is batched, and hardly any when it is not.
Definition pairs() {
  Diagram inner = diagram({realType(), realType()}, [](Draft &b, auto x) {
    return std::vector{b.fn(PointwiseFn::Exp, {b.fn(PointwiseFn::Mul, x)})};
  });
  Diagram outer = diagram({realType(), realType({m})}, [&](Draft &b, auto x) {
    return b.all(box(Cap::Sum, m, Modes{Mode::Share, Mode::Map}, inner), x);
  });
  return define(diagram({realType({n}), realType({m})}, [&](Draft &b, auto x) {
    return b.all(box(Cap::Sum, n, Modes{Mode::Map, Mode::Share}, outer), x);
  }));
}

/// softmax(q k^T) v for [n d], [m d], [m d].
Definition attention() {
  Diagram product =
      diagram({realType(), realType()}, [](Draft &b, auto x) { return std::vector{b.fn(PointwiseFn::Mul, x)}; });
  Diagram dot = diagram({realType({d}), realType({d})}, [&](Draft &b, auto x) {
    return b.all(box(Cap::Sum, d, Modes{Mode::Map, Mode::Map}, product), x);
  });
  Diagram weigh = diagram({realType(), realType({d})}, [&](Draft &b, auto x) {
    return b.all(box(Cap::None, d, Modes{Mode::Share, Mode::Map}, product), x);
  });
  Diagram query = diagram({realType({d}), realType({m, d}), realType({m, d})}, [&](Draft &b, auto x) {
    WireId scores = b.one(box(Cap::None, m, Modes{Mode::Share, Mode::Map}, dot), {x[0], x[1]});
    WireId weights = b.one(Softmax{}, {scores});
    return b.all(box(Cap::Sum, m, Modes{Mode::Map, Mode::Map}, weigh), {weights, x[2]});
  });
  return define(diagram({realType({n, d}), realType({m, d}), realType({m, d})}, [&](Draft &b, auto x) {
    return b.all(box(Cap::None, n, Modes{Mode::Map, Mode::Share, Mode::Share}, query), x);
  }));
}

Array noise(Ints shape, std::int64_t seed) {
  Array array = *Array::zeros(DType::F64, std::move(shape));
  for (std::int64_t k = 0; k < array.elementCount(); ++k)
    array.mutableAs<double>()[k] = uniform(seed, k) - 0.5;
  return array;
}

} // namespace

TEST_CASE("what does not fit at once is run in chunks", "[eval][memory]") {
  const Size::Values sizes{{"n", 300}, {"m", 200}};
  const std::vector<Array> inputs{noise({300}, 1), noise({200}, 2)};
  const Array whole = run(pairs(), sizes, inputs)[0];
  // All iterations need 2 * 480 000 bytes; one of the outer box 2 * 1600; one of both a few numbers.
  for (std::size_t limit : {600000, 100000, 5000, 1000, 100})
    same(run(pairs(), sizes, inputs, {}, {limit})[0], whole, 1e-12);
  CHECK(refusal(pairs(), sizes, inputs, {}, 16) == "exp: it would need 24 bytes of memory, and the limit is 16 bytes");
}

TEST_CASE("attention in chunks of queries", "[eval][memory]") {
  const Size::Values sizes{{"n", 37}, {"m", 50}, {"d", 8}};
  const std::vector<Array> inputs{noise({37, 8}, 1), noise({50, 8}, 2), noise({50, 8}, 3)};
  const Array whole = run(attention(), sizes, inputs)[0];
  for (std::size_t limit : {12000, 6000, 3600})
    same(run(attention(), sizes, inputs, {}, {limit})[0], whole, 1e-12);
  CHECK(refusal(attention(), sizes, inputs, {}, 1000).find("and the limit is 1000 bytes") != std::string::npos);
}

TEST_CASE("what varies along no box takes no room along it", "[eval][memory]") {
  Diagram body = diagram({realType({m})}, [](Draft &b, auto x) { return b.all(Softmax{}, x); });
  Diagram summed = diagram({realType({m})}, [&](Draft &b, auto x) {
    WireId a = b.one(Call{"body", share(body)}, x);
    return b.all(box(Cap::Max, m, {Mode::Map}, diagram({realType()}, [](Draft &, auto y) { return y; })), {a});
  });
  Definition shared = define(
      diagram({realType({m})}, [&](Draft &b, auto x) { return b.all(box(Cap::Max, n, {Mode::Share}, summed), x); }));
  same(run(shared, {{"n", 100000}, {"m", 4}}, {reals({0, 0, 0, 0})}, {}, {1000})[0], real(0.25));
}

TEST_CASE("sizes past all bounds are refused before anything is made", "[eval][memory]") {
  Diagram one = diagram({}, [](Draft &b, auto) { return std::vector{b.number(1)}; });
  Diagram scattered = diagram({intType({1}), realType({1})}, [](Draft &b, auto x) { return b.all(Scatter{n * n}, x); });
  const std::vector<Array> inputs{integers({0}), reals({1})};
  const std::int64_t huge = std::int64_t(1) << 31;
  CHECK(refusal(define(scattered), {{"n", huge}}, inputs) ==
        "scatter: it would need more bytes than can be counted of memory, and the limit is 1.0 GiB");
  CHECK(refusal(define(scattered), {{"n", std::int64_t(1) << 40}}, inputs) == "scatter: the size n*n has no value");
  Definition copies = define(diagram({}, [&](Draft &b, auto) { return b.all(box(Cap::None, n, {}, one), {}); }));
  CHECK(refusal(copies, {{"n", huge}}, {}) == "it would need 16.0 GiB of memory, and the limit is 1.0 GiB");
}

TEST_CASE("results of many boxes do not add up: values die after their last use", "[eval][memory]") {
  Diagram half = diagram({realType()}, [](Draft &b, auto x) { return std::vector{b.fn(PointwiseFn::Tanh, x)}; });
  Definition chain = define(diagram({realType({n})}, [&](Draft &b, auto x) {
    WireId wire = x[0];
    for (int k = 0; k < 20; ++k)
      wire = b.one(box(Cap::None, n, {Mode::Map}, half), {wire});
    return std::vector{wire};
  }));
  CHECK(run(chain, {{"n", 1000}}, {noise({1000}, 1)}, {}, {30000}).size() == 1);
}

TEST_CASE("what cannot be run is refused", "[eval]") {
  Definition identity = define(diagram({realType({n})}, [](Draft &, auto x) { return x; }));
  CHECK(refusal(identity, {{"n", 2}}, {}) == "'test' takes 1 arrays, not 0");
  CHECK(refusal(identity, {{"n", 2}}, {reals({1, 2, 3})}) ==
        "'x0' is float64 of shape [3], and float64 of shape [2] is needed");
  CHECK(refusal(identity, {{"n", 2}}, {integers({1, 2})}) ==
        "'x0' is int64 of shape [2], and float64 of shape [2] is needed");
  CHECK(refusal(identity, {}, {reals({1})}) == "the size n has no value");
  CHECK(refusal(identity, {{"n", -1}}, {reals({1})}) == "the size n is -1");
  std::vector<Learner> table{{LearnerKind::Hole, "core", {realType()}, {realType()}, {}, Size(1), {}}};
  Diagram body = diagram(table, {realType()}, [](Draft &b, auto x) { return b.all(Apply{LearnerId(0), {}}, x); });
  Definition hole = define(
      diagram(table, {realType({n})}, [&](Draft &b, auto x) { return b.all(box(Cap::None, n, {Mode::Map}, body), x); }),
      table);
  CHECK(refusal(hole, {{"n", 0}}, {reals(Reals{})}).find("'core'") != std::string::npos);
  CHECK(refusal(define(Diagram(), {{LearnerKind::Param, "u", {}, {realType()}, {}, Size(1), {}}}), {}, {}) ==
        "'test' has 1 parameters, not 0");
}

TEST_CASE("attention of 512 queries and keys agrees with loops", "[eval]") {
  const std::int64_t q = 512, width = 64;
  const std::vector<Array> in{noise({q, width}, 1), noise({q, width}, 2), noise({q, width}, 3)};
  const Array out = run(attention(), {{"n", q}, {"m", q}, {"d", width}}, in)[0];
  auto at = [&](int which, std::int64_t row, std::int64_t column) {
    return in[which].as<double>()[row * width + column];
  };
  for (std::int64_t row : {std::int64_t(0), std::int64_t(100), q - 1}) {
    Reals weights(q, 0), wanted(width, 0);
    double total = 0;
    for (std::int64_t j = 0; j < q; ++j) {
      for (std::int64_t c = 0; c < width; ++c)
        weights[j] += at(0, row, c) * at(1, j, c);
      total += weights[j] = std::exp(weights[j]);
    }
    for (std::int64_t j = 0; j < q; ++j)
      for (std::int64_t c = 0; c < width; ++c)
        wanted[c] += weights[j] / total * at(2, j, c);
    const Reals found(out.as<double>().begin() + row * width, out.as<double>().begin() + (row + 1) * width);
    same(reals(found), reals(wanted), 1e-12);
  }
}

TEST_CASE("unaligned bytes are read", "[eval]") {
  auto bytes = std::make_shared<std::vector<std::byte>>(17);
  const double number = 1.25;
  std::memcpy(bytes->data() + 1, &number, 8);
  Definition identity = define(diagram({realType()}, [](Draft &, auto x) { return x; }));
  same(run(identity, {}, {Array::view(DType::F64, {}, bytes->data() + 1, bytes)})[0], real(1.25));
}
