#include "Run.h"

using namespace attnc;
using namespace attnc::make;

namespace {

using F = PointwiseFn;
const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d");

/// Both with the sizes fixed and with the sizes as arguments.
void values(const Definition &definition, const Size::Values &sizes, const std::vector<Array> &inputs,
            const std::vector<Array> &wanted, const std::vector<Array> &parameters = {}, double tolerance = 1e-6) {
  for (Real real : {Real::F32, Real::F64})
    for (bool fixed : {true, false}) {
      auto found = runLowered(definition, {real, fixed ? sizes : Size::Values{}}, sizes, inputs, parameters);
      REQUIRE(found.size() == wanted.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        same(found[i], wanted[i], tolerance);
    }
}

Definition one(const std::vector<Type> &inputs, Generator generator) {
  return define(diagram(inputs, [&](Draft &draft, std::vector<WireId> wires) { return draft.all(generator, wires); }));
}

Diagram product() {
  return diagram({realType(), realType()},
                 [](Draft &draft, auto &in) -> std::vector<WireId> { return {draft.fn(F::Mul, in)}; });
}

/// softmax(q kᵀ) v, row by row.
Definition attention() {
  return define(diagram({realType({n, d}), realType({m, d}), realType({m, d})}, [](Draft &draft, auto &in) {
    Diagram row = diagram({realType({d}), realType({m, d}), realType({m, d})}, [](Draft &draft, auto &in) {
      Diagram score = diagram({realType({d}), realType({d})}, [](Draft &draft, auto &in) {
        return draft.all(box(Cap::Sum, d, {Mode::Map, Mode::Map}, product()), in);
      });
      WireId scores = draft.one(box(Cap::None, m, {Mode::Share, Mode::Map}, std::move(score)), {in[0], in[1]});
      Diagram weighted = diagram({realType(), realType({d})}, [](Draft &draft, auto &in) {
        return draft.all(box(Cap::None, d, {Mode::Share, Mode::Map}, product()), in);
      });
      return draft.all(box(Cap::Sum, m, {Mode::Map, Mode::Map}, std::move(weighted)),
                       {draft.one(Softmax{}, {scores}), in[2]});
    });
    return draft.all(box(Cap::None, n, {Mode::Map, Mode::Share, Mode::Share}, std::move(row)), in);
  }));
}

} // namespace

TEST_CASE("attention by hand") {
  values(attention(), {{"n", 2}, {"m", 2}, {"d", 2}},
         {reals({2, 2}, {1, 0, 0, 0}), reals({2, 2}, {std::log(3.0), 5, 0, 7}), reals({2, 2}, {4, 8, 0, 4})},
         {reals({2, 2}, {3, 7, 2, 6})});
}

TEST_CASE("neither the products of a contraction nor the scores are ever an array") {
  std::string text = linalgText(attention(), {Real::F32, {{"n", 5}, {"m", 7}, {"d", 11}}});
  CHECK(text.find("5x7x11") == std::string::npos);
  CHECK(text.find("5x11x7") == std::string::npos);
  CHECK(text.find("5x7x") == std::string::npos);
  CHECK(text.find("attnc.stream") != std::string::npos);
}

TEST_CASE("softmax") {
  values(one({realType({n})}, Softmax{}), {{"n", 3}}, {reals({-inf, -inf, -inf})}, {reals({0, 0, 0})});
  values(one({realType({n})}, Softmax{}), {{"n", 2}}, {reals({1000, -inf})}, {reals({1, 0})});
  values(one({realType({n}), realType()}, Softmax{true}), {{"n", 2}}, {reals({0, 0}), real(std::log(2.0))},
         {reals({0.25, 0.25})});
  values(one({realType({n}), realType()}, Softmax{true}), {{"n", 2}}, {reals({-inf, -inf}), real(-inf)},
         {reals({0, 0})});
  values(one({realType({n}), realType()}, Softmax{true}), {{"n", 2}}, {reals({-inf, -inf}), real(3)}, {reals({0, 0})});
  values(one({realType({n, m})}, Softmax{}), {{"n", 2}, {"m", 2}}, {reals({2, 2}, {0, 0, 0, std::log(5.0)})},
         {reals({2, 2}, {0.125, 0.125, 0.125, 0.625})});
  values(one({realType({n})}, Softmax{}), {{"n", 0}}, {reals({0}, {})}, {reals({0}, {})});
  values(one({realType({n})}, Softmax{}), {{"n", 2}}, {reals({1, NaN})}, {reals({NaN, NaN})});
}

TEST_CASE("empty folds give their units") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         greatest = std::numeric_limits<std::int64_t>::max();
  auto fold = [](Cap cap, Kind kind, const Array &empty, const Array &unit) {
    Diagram body = diagram({Type{kind, {}}}, [](Draft &, auto &in) { return in; });
    values(one({Type{kind, {n}}}, box(cap, n, {Mode::Map}, std::move(body))), {{"n", 0}}, {empty}, {unit});
  };
  Array none = reals({0}, {}), noInts = integers({0}, {}), noTruths = truths({0}, {});
  fold(Cap::Sum, Kind::Real, none, real(0));
  fold(Cap::Prod, Kind::Real, none, real(1));
  fold(Cap::Max, Kind::Real, none, real(-inf));
  fold(Cap::Min, Kind::Real, none, real(inf));
  fold(Cap::Sum, Kind::Int, noInts, integer(0));
  fold(Cap::Prod, Kind::Int, noInts, integer(1));
  fold(Cap::Max, Kind::Int, noInts, integer(least));
  fold(Cap::Min, Kind::Int, noInts, integer(greatest));
  fold(Cap::Any, Kind::Bool, noTruths, truth(false));
  fold(Cap::All, Kind::Bool, noTruths, truth(true));
}

TEST_CASE("gather and scatter leave out what is outside") {
  auto gathers = [](std::int64_t at, double wanted) {
    values(one({realType({n}), intType()}, Gather{}), {{"n", 3}}, {reals({5, 6, 7}), integer(at)}, {real(wanted)});
  };
  gathers(2, 7);
  gathers(3, 0);
  gathers(-1, 0);
  gathers(std::numeric_limits<std::int64_t>::min(), 0);
  values(one({realType({n}), intType()}, Gather{}), {{"n", 0}}, {reals({0}, {}), integer(0)}, {real(0)});
  values(one({intType({n}), realType({n, d})}, Scatter{m}), {{"n", 4}, {"d", 2}, {"m", 3}},
         {integers({2, 0, 2, 3}), reals({4, 2}, {1, 2, 3, 4, 10, 20, 7, 7})}, {reals({3, 2}, {3, 4, 0, 0, 11, 22})});
  values(one({intType({n}), intType({n})}, Scatter{m}), {{"n", 2}, {"m", 0}}, {integers({0, -1}), integers({1, 2})},
         {integers({0}, {})});
}

TEST_CASE("top-k: NaN first, equal ones by lowest index, -inf past the end") {
  values(one({realType({n})}, TopK{m}), {{"n", 5}, {"m", 7}}, {reals({1, NaN, 3, 1, -inf})},
         {reals({NaN, 3, 1, 1, -inf, -inf, -inf}), integers({1, 2, 0, 3, 4, -1, -1})});
  values(one({intType({n})}, TopK{m}), {{"n", 4}, {"m", 2}}, {integers({4, 9, 9, 1})},
         {integers({9, 9}), integers({1, 2})});
  values(one({realType({n})}, TopK{m}), {{"n", 3}, {"m", 3}}, {reals({NaN, 1, NaN})},
         {reals({NaN, NaN, 1}), integers({0, 2, 1})});
  values(one({intType({n})}, TopK{m}), {{"n", 0}, {"m", 2}}, {integers({0}, {})},
         {integers({std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min()}),
          integers({-1, -1})});
  // Each enters before all, each but the first two goes nowhere, and equal ones keep out what comes after.
  values(one({realType({n})}, TopK{m}), {{"n", 6}, {"m", 2}}, {reals({1, 2, 3, 4, 5, 6})},
         {reals({6, 5}), integers({5, 4})});
  values(one({realType({n})}, TopK{m}), {{"n", 6}, {"m", 2}}, {reals({6, 5, 4, 3, 2, 1})},
         {reals({6, 5}), integers({0, 1})});
  values(one({realType({n})}, TopK{m}), {{"n", 6}, {"m", 3}}, {reals({2, 7, 7, 2, 7, 7})},
         {reals({7, 7, 7}), integers({1, 2, 4})});
  values(one({realType({n})}, TopK{m}), {{"n", 3}, {"m", 0}}, {reals({1, 2, 3})}, {reals({0}, {}), integers({0}, {})});
}

TEST_CASE("scans: running sums, states that change places, no steps") {
  Diagram step = diagram({realType(), realType()}, [](Draft &draft, auto &in) -> std::vector<WireId> {
    WireId sum = draft.fn(F::Add, in);
    return {sum, sum};
  });
  values(one({realType(), realType({n})}, Scan{n, false, 1, {Mode::Map}, share(step)}), {{"n", 4}},
         {real(10), reals({1, 2, 3, 4})}, {reals({11, 13, 16, 20}), real(20)});
  values(one({realType(), realType({n})}, Scan{n, false, 1, {Mode::Map}, share(step)}), {{"n", 0}},
         {real(10), reals({0}, {})}, {reals({0}, {}), real(10)});
  Diagram swap = diagram({intType(), realType({m}), realType({m})},
                         [](Draft &, auto &in) -> std::vector<WireId> { return {in[2], in[1], in[0]}; });
  values(one({realType({m}), realType({m})}, Scan{n, true, 2, {}, share(swap)}), {{"n", 3}, {"m", 2}},
         {reals({1, 2}), reals({3, 4})}, {integers({0, 1, 2}), reals({3, 4}), reals({1, 2})});
}

TEST_CASE("learners with parameters along the boxes around them") {
  std::vector<Learner> learners{{LearnerKind::Affine, "W", {realType()}, {realType({d})}, {m, n}, 64, {}}};
  Definition definition = define(diagram(learners, {realType({n})},
                                         [&](Draft &draft, auto &in) {
                                           Diagram inner = diagram(learners, {realType()}, [](Draft &draft, auto &in) {
                                             return draft.all(Apply{LearnerId(0), {0, 1}}, in);
                                           });
                                           Diagram outer = diagram(learners, {realType()}, [&](Draft &draft, auto &in) {
                                             return draft.all(box(Cap::Sum, m, {Mode::Share}, inner), in);
                                           });
                                           return draft.all(box(Cap::None, n, {Mode::Map}, std::move(outer)), in);
                                         }),
                                 learners);
  // y[n][d] = Σ_m x[n] weight[m][n][d] + bias[m][n][d]
  values(definition, {{"n", 2}, {"m", 2}, {"d", 1}}, {reals({10, 100})}, {reals({2, 1}, {44, 664})},
         {reals({2, 2, 1}, {1, 2, 3, 4}), reals({2, 2, 1}, {1, 24, 3, 40})});
}

TEST_CASE("arrays of bf16 are rounded on the way out, and only there") {
  Diagram body = diagram({realType()}, [](Draft &, auto &in) { return in; });
  Definition sum = one({realType({n})}, box(Cap::Sum, n, {Mode::Map}, std::move(body)));
  Reals terms(257, 1.0); // in bf16 the sum would stay at 256
  auto found = runLowered(sum, {Real::BF16, {}}, {{"n", 512}}, {reals(Reals(512, 1.0))});
  same(found[0], real(512));
  const double step = 0x1.01p-8; // with it, sums need more bits than bf16 has and no more than f32 has
  Definition shifted =
      one({realType({n})}, box(Cap::None, n, {Mode::Map}, diagram({realType()}, [&](Draft &draft, auto &in) {
                                 return std::vector<WireId>{draft.fn(F::Add, {in[0], draft.number(step)})};
                               })));
  Reals x{NaN, inf, -inf, 0x1.FEp127, -0.0, 1, -1, 0x1.02p0, 0x1.04p0, 0.5, 0x1.FEp-1}, sums;
  for (double value : x)
    sums.push_back(value + step);
  same(runLowered(shifted, {Real::BF16, {}}, {{"n", std::int64_t(x.size())}}, {reals(x)})[0],
       rounded(reals(sums), Real::BF16));
  terms.push_back(2);
  same(runLowered(sum, {Real::BF16, {}}, {{"n", 258}}, {reals(terms)})[0], real(260)); // 259 is a tie, to even
}

TEST_CASE("one input as several outputs, and no outputs written by halves") {
  values(define(diagram({realType({n}), boolType({n})},
                        [](Draft &, auto &in) -> std::vector<WireId> { return {in[0], in[1], in[0]}; })),
         {{"n", 3}}, {reals({1, 2, 3}), truths({3}, {true, false, true})},
         {reals({1, 2, 3}), truths({3}, {true, false, true}), reals({1, 2, 3})});
}

TEST_CASE("folds of what is constant look at whether there is anything") {
  auto folded = [](Cap cap, std::variant<double, std::int64_t, bool> constant, const Array &empty, const Array &full) {
    Definition definition = define(diagram({}, [&](Draft &draft, auto &) {
      Diagram body = diagram({}, [&](Draft &draft, auto &) { return draft.all(Const{constant}, {}); });
      return draft.all(box(cap, n, {}, std::move(body)), {});
    }));
    values(definition, {{"n", 0}}, {}, {empty});
    values(definition, {{"n", 5}}, {}, {full});
  };
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         greatest = std::numeric_limits<std::int64_t>::max();
  folded(Cap::Any, true, truth(false), truth(true));
  folded(Cap::All, false, truth(true), truth(false));
  folded(Cap::Prod, std::int64_t(0), integer(1), integer(0));
  folded(Cap::Max, greatest, integer(least), integer(greatest));
  folded(Cap::Min, least, integer(greatest), integer(least));
  folded(Cap::Sum, 0.5, real(0), real(2.5));
}

TEST_CASE("axes of length 1 are not mistaken for one another") {
  Diagram step = diagram({realType()}, [](Draft &, auto &in) { return in; });
  Diagram rows = diagram({realType({1})}, [&](Draft &draft, auto &in) {
    return draft.all(Scan{1, false, 0, {Mode::Map}, share(step)}, in);
  });
  Diagram planes = diagram({realType({3, 1})},
                           [&](Draft &draft, auto &in) { return draft.all(box(Cap::None, 3, {Mode::Map}, rows), in); });
  values(one({realType({1, 3, 1})}, box(Cap::None, 1, {Mode::Map}, std::move(planes))), {},
         {reals({1, 3, 1}, {4, 5, 6})}, {reals({1, 3, 1}, {4, 5, 6})});
  Diagram flatten = diagram({realType({1, 1})}, [](Draft &draft, auto &in) { return draft.all(Reshape{{}}, in); });
  values(one({realType({n, 1, 1})}, box(Cap::None, n, {Mode::Map}, std::move(flatten))), {{"n", 3}},
         {reals({3, 1, 1}, {4, 5, 6})}, {reals({4, 5, 6})});
}
