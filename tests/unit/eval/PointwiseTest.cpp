#include "Make.h"

using namespace attnc;
using namespace attnc::make;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

Type scalarOf(const Array &array) {
  return {array.dtype() == DType::F64 ? Kind::Real : array.dtype() == DType::I64 ? Kind::Int : Kind::Bool, {}};
}

void gives(PointwiseFn fn, const std::vector<Array> &operands, const Array &wanted) {
  std::vector<Type> types;
  for (const Array &operand : operands)
    types.push_back(scalarOf(operand));
  INFO(info(fn).name);
  Definition d = define(diagram(types, [&](Draft &b, auto x) { return std::vector{b.fn(fn, x)}; }));
  same(run(d, {}, operands).at(0), wanted);
}

void ofReals(PointwiseFn fn, double a, double b, double wanted) { gives(fn, {real(a), real(b)}, real(wanted)); }
void ofReal(PointwiseFn fn, double a, double wanted) { gives(fn, {real(a)}, real(wanted)); }
void ofInts(PointwiseFn fn, std::int64_t a, std::int64_t b, std::int64_t wanted) {
  gives(fn, {integer(a), integer(b)}, integer(wanted));
}

} // namespace

TEST_CASE("arithmetic of reals", "[eval][pointwise]") {
  ofReals(PointwiseFn::Add, 1.5, 2, 3.5);
  ofReals(PointwiseFn::Sub, 1.5, 2, -0.5);
  ofReals(PointwiseFn::Mul, 1.5, -2, -3);
  ofReals(PointwiseFn::Div, 3, 2, 1.5);
  ofReals(PointwiseFn::Div, 1, 0, inf);
  ofReals(PointwiseFn::Div, 0, 0, NaN);
  ofReals(PointwiseFn::Pow, 2, 10, 1024);
  ofReal(PointwiseFn::Neg, 2, -2);
  ofReal(PointwiseFn::Abs, -2, 2);
  ofReal(PointwiseFn::Exp, 0, 1);
  ofReal(PointwiseFn::Exp, -inf, 0);
  ofReal(PointwiseFn::Log, 0, -inf);
  ofReal(PointwiseFn::Sqrt, 2.25, 1.5);
  ofReal(PointwiseFn::Sqrt, -1, NaN);
  ofReal(PointwiseFn::Sin, 0, 0);
  ofReal(PointwiseFn::Cos, 0, 1);
  ofReal(PointwiseFn::Tanh, inf, 1);
  ofReal(PointwiseFn::Erf, inf, 1);
  ofReal(PointwiseFn::Floor, -1.5, -2);
}

TEST_CASE("extrema hand on NaN", "[eval][pointwise]") {
  ofReals(PointwiseFn::Min, 1, 2, 1);
  ofReals(PointwiseFn::Max, 1, 2, 2);
  for (PointwiseFn fn : {PointwiseFn::Min, PointwiseFn::Max}) {
    ofReals(fn, NaN, 1, NaN);
    ofReals(fn, 1, NaN, NaN);
    ofReals(fn, NaN, -inf, NaN);
  }
  ofInts(PointwiseFn::Min, -3, 2, -3);
  ofInts(PointwiseFn::Max, -3, 2, 2);
}

TEST_CASE("extrema do not depend on the order of zeros", "[eval][pointwise]") {
  for (auto [a, b] : {std::pair(0.0, -0.0), std::pair(-0.0, 0.0)})
    for (PointwiseFn fn : {PointwiseFn::Min, PointwiseFn::Max}) {
      Definition d =
          define(diagram({realType(), realType()}, [&](Draft &w, auto x) { return std::vector{w.fn(fn, x)}; }));
      const double found = run(d, {}, {real(a), real(b)})[0].as<double>()[0];
      CHECK(std::signbit(found) == (fn == PointwiseFn::Min));
    }
}

TEST_CASE("ints wrap around, and division by zero gives zero", "[eval][pointwise]") {
  ofInts(PointwiseFn::Add, greatest, 1, least);
  ofInts(PointwiseFn::Sub, least, 1, greatest);
  ofInts(PointwiseFn::Mul, greatest, 2, -2);
  gives(PointwiseFn::Neg, {integer(least)}, integer(least));
  gives(PointwiseFn::Abs, {integer(-7)}, integer(7));
  ofInts(PointwiseFn::FloorDiv, 7, 2, 3);
  ofInts(PointwiseFn::FloorDiv, -7, 2, -4);
  ofInts(PointwiseFn::FloorDiv, 7, -2, -4);
  ofInts(PointwiseFn::FloorDiv, -8, 2, -4);
  ofInts(PointwiseFn::FloorDiv, 7, 0, 0);
  ofInts(PointwiseFn::FloorDiv, least, -1, least);
  ofInts(PointwiseFn::Mod, 7, 3, 1);
  ofInts(PointwiseFn::Mod, -7, 3, 2);
  ofInts(PointwiseFn::Mod, 7, -3, -2);
  ofInts(PointwiseFn::Mod, 7, 0, 0);
  ofInts(PointwiseFn::Mod, least, -1, 0);
}

TEST_CASE("comparisons and logic", "[eval][pointwise]") {
  gives(PointwiseFn::Less, {real(1), real(2)}, truth(true));
  gives(PointwiseFn::Less, {real(NaN), real(2)}, truth(false));
  gives(PointwiseFn::LessEqual, {integer(2), integer(2)}, truth(true));
  gives(PointwiseFn::Equal, {real(NaN), real(NaN)}, truth(false));
  gives(PointwiseFn::NotEqual, {real(NaN), real(NaN)}, truth(true));
  gives(PointwiseFn::Equal, {truth(true), truth(true)}, truth(true));
  for (bool a : {false, true}) {
    gives(PointwiseFn::Not, {truth(a)}, truth(!a));
    gives(PointwiseFn::BoolToInt, {truth(a)}, integer(a));
    for (bool b : {false, true}) {
      gives(PointwiseFn::And, {truth(a), truth(b)}, truth(a && b));
      gives(PointwiseFn::Or, {truth(a), truth(b)}, truth(a || b));
    }
  }
}

TEST_CASE("where does not look at the other branch", "[eval][pointwise]") {
  gives(PointwiseFn::Where, {truth(true), real(1), real(NaN)}, real(1));
  gives(PointwiseFn::Where, {truth(false), real(NaN), real(2)}, real(2));
  gives(PointwiseFn::Where, {truth(false), integer(1), integer(2)}, integer(2));
  gives(PointwiseFn::Where, {truth(true), truth(false), truth(true)}, truth(false));
}

TEST_CASE("conversions", "[eval][pointwise]") {
  gives(PointwiseFn::ToReal, {integer(-3)}, real(-3));
  for (auto [from, to] :
       {std::pair(1.9, 1L), {-1.1, -2L}, {NaN, 0L}, {inf, 0L}, {-inf, 0L}, {0x1p63, 0L}, {-0x1p63, least}})
    gives(PointwiseFn::ToInt, {real(from)}, integer(to));
}

TEST_CASE("uniform is a pure function of seed and counter", "[eval][pointwise]") {
  gives(PointwiseFn::Uniform, {integer(3), integer(5)}, real(uniform(3, 5)));
  gives(PointwiseFn::Uniform, {integer(-3), integer(greatest)}, real(uniform(-3, greatest)));
}

TEST_CASE("bytes other than 0 and 1 are true", "[eval][pointwise]") {
  Array odd = truth(true);
  odd.mutableData()[0] = std::byte(6);
  gives(PointwiseFn::And, {odd, truth(true)}, truth(true));
  gives(PointwiseFn::Equal, {odd, truth(true)}, truth(true));
}
