#include "Run.h"

using namespace attnc;
using namespace attnc::make;

namespace {

using F = PointwiseFn;

/// `simd n (x…) { fn(x…) }` on whole arrays.
Definition lifted(F fn, const std::vector<Kind> &kinds) {
  const Size n = Size::variable("n");
  std::vector<Type> outer, inner;
  for (Kind kind : kinds) {
    inner.push_back({kind, {}});
    outer.push_back({kind, {n}});
  }
  return define(diagram(outer, [&](Draft &draft, const std::vector<WireId> &wires) -> std::vector<WireId> {
    Diagram body = diagram(
        inner, [&](Draft &draft, const std::vector<WireId> &in) -> std::vector<WireId> { return {draft.fn(fn, in)}; });
    return draft.all(box(Cap::None, n, std::vector<Mode>(kinds.size(), Mode::Map), std::move(body)), wires);
  }));
}

Array lower(F fn, Real real, const std::vector<Kind> &kinds, const std::vector<Array> &inputs) {
  return runLowered(lifted(fn, kinds), {real, {}}, {{"n", inputs[0].elementCount()}}, inputs).front();
}

/// Places where functions on reals have something to hide: zeros, ties, poles, over- and underflow, and a sweep.
Reals interesting(Real real, double low, double high) {
  Reals values{0.0, -0.0, inf, -inf, NaN, 1, -1, 0.5, -0.5, 1e-30, -1e-30, 1e-7, -1e-7};
  for (int i = 0; i <= 4000; ++i)
    values.push_back(low + (high - low) * i / 4000);
  for (int i = -60; i <= 60; ++i)
    for (double sign : {1.0, -1.0})
      values.push_back(sign * std::pow(2.0, i / 2.0) * 1.0000001);
  for (double &value : values)
    if (real == Real::F32)
      value = float(value);
  return values;
}

void checkFunction(F fn, double (*exact)(double), Real real, double low, double high, double tolerance) {
  const double least = real == Real::F32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  const double greatest = real == Real::F32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  Reals x = interesting(real, low, high);
  Array found = lower(fn, real, {Kind::Real}, {reals(x)});
  for (std::size_t i = 0; i < x.size(); ++i) {
    double wanted = exact(x[i]), got = found.as<double>()[i];
    INFO(info(fn).name << "(" << x[i] << ") = " << got << ", wanted " << wanted);
    if (std::isnan(wanted))
      REQUIRE(std::isnan(got));
    else if (std::fabs(wanted) > greatest)
      REQUIRE(got == std::copysign(inf, wanted));
    else
      REQUIRE(std::fabs(got - wanted) <= tolerance * std::fabs(wanted) + least);
  }
}

} // namespace

TEST_CASE("functions on reals are accurate everywhere") {
  struct Case {
    F fn;
    double (*exact)(double);
    double low, high;
  };
  const Case cases[] = {
      {F::Exp, std::exp, -110, 95}, {F::Log, std::log, 0, 10},     {F::Sqrt, std::sqrt, 0, 10},
      {F::Sin, std::sin, -50, 50},  {F::Cos, std::cos, -50, 50},   {F::Tanh, std::tanh, -12, 12},
      {F::Erf, std::erf, -6, 6},    {F::Floor, std::floor, -3, 3}, {F::Abs, std::fabs, -3, 3},
  };
  for (const Case &c : cases) {
    checkFunction(c.fn, c.exact, Real::F32, c.low, c.high, 1e-6);
    checkFunction(c.fn, c.exact, Real::F64, c.low, c.high, 1e-14);
  }
}

TEST_CASE("functions of two reals") {
  Reals x, y;
  for (double a : {0.0, -0.0, 1.0, -2.5, 3.0, inf, -inf, NaN})
    for (double b : {0.0, 1.0, -1.0, 2.0, 0.5, -3.0, inf, NaN}) {
      x.push_back(a);
      y.push_back(b);
    }
  for (Real real : {Real::F32, Real::F64})
    for (F fn :
         {F::Add, F::Sub, F::Mul, F::Div, F::Pow, F::Min, F::Max, F::Less, F::LessEqual, F::Equal, F::NotEqual}) {
      INFO(info(fn).name);
      Definition definition = lifted(fn, {Kind::Real, Kind::Real});
      Array wanted = run(definition, {{"n", std::int64_t(x.size())}}, {reals(x), reals(y)}).front();
      same(lower(fn, real, {Kind::Real, Kind::Real}, {reals(x), reals(y)}), wanted, 1e-6);
    }
}

TEST_CASE("functions of ints") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         greatest = std::numeric_limits<std::int64_t>::max();
  Ints x, y;
  for (std::int64_t a : {std::int64_t(0), std::int64_t(7), std::int64_t(-7), std::int64_t(1), least, greatest})
    for (std::int64_t b :
         {std::int64_t(0), std::int64_t(2), std::int64_t(-2), std::int64_t(-1), std::int64_t(1), least, greatest}) {
      x.push_back(a);
      y.push_back(b);
    }
  SECTION("division rounds down, and by 0 gives 0") {
    same(lower(F::FloorDiv, Real::F32, {Kind::Int, Kind::Int},
               {integers({7, -7, 7, -7, 5}), integers({2, 2, -2, -2, 0})}),
         integers({3, -4, -4, 3, 0}));
    same(lower(F::Mod, Real::F32, {Kind::Int, Kind::Int}, {integers({7, -7, 7, -7, 5}), integers({2, 2, -2, -2, 0})}),
         integers({1, 1, -1, -1, 0}));
  }
  SECTION("as the oracle, at the ends too") {
    for (F fn : {F::Add, F::Sub, F::Mul, F::FloorDiv, F::Mod, F::Min, F::Max, F::Less, F::LessEqual, F::Equal,
                 F::NotEqual, F::Uniform}) {
      INFO(info(fn).name);
      Definition definition = lifted(fn, {Kind::Int, Kind::Int});
      Array wanted = run(definition, {{"n", std::int64_t(x.size())}}, {integers(x), integers(y)}).front();
      for (Real real : {Real::F32, Real::F64}) // uniform is exact in both
        same(lower(fn, real, {Kind::Int, Kind::Int}, {integers(x), integers(y)}), wanted);
    }
    for (F fn : {F::Neg, F::Abs}) {
      Definition definition = lifted(fn, {Kind::Int});
      same(lower(fn, Real::F32, {Kind::Int}, {integers(x)}),
           run(definition, {{"n", std::int64_t(x.size())}}, {integers(x)}).front());
    }
  }
  SECTION("from reals: floor, and 0 for what is no int") {
    same(lower(F::ToInt, Real::F64, {Kind::Real}, {reals({2.5, -2.5, NaN, inf, -inf, 0x1p63, -0x1p63, 1e300, -0.0})}),
         integers({2, -3, 0, 0, 0, 0, least, 0, 0}));
  }
}
