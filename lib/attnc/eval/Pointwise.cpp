#include "attnc/eval/Kernels.h"
#include "attnc/eval/Loops.h"
#include "attnc/eval/Scalars.h"

#include <utility>

namespace attnc::eval {

namespace {

/// Walks the operands together and writes f of each tuple. The loop with steps of 1 is one that the
/// compiler can vectorise.
template <class R, class... A, class F, std::size_t... I>
void mapTuples(const View &out, std::span<const View> in, F f, std::index_sequence<I...>) {
  Nest nest(written(out), {out.strides, in[I].strides...});
  nest.run<1 + sizeof...(A)>([&](const auto &offsets, std::int64_t count, const auto &steps) {
    R *to = out.as<R>() + offsets[0];
    auto from = std::make_tuple(in[I].template as<const A>() + offsets[I + 1]...);
    if (steps[0] == 1 && ((steps[I + 1] == 1) && ...))
      for (std::int64_t k = 0; k < count; ++k)
        to[k] = f(std::get<I>(from)[k]...);
    else
      for (std::int64_t k = 0; k < count; ++k)
        to[k * steps[0]] = f(std::get<I>(from)[k * steps[I + 1]]...);
  });
}

template <class R, class... A, class F> void map(const View &out, std::span<const View> in, F f) {
  mapTuples<R, A...>(out, in, f, std::index_sequence_for<A...>());
}

/// For the signatures over "any arithmetic kind".
template <class F> void mapUnary(const View &out, std::span<const View> in, F f) {
  if (in[0].kind == Kind::Real)
    map<double, double>(out, in, f);
  else
    map<std::int64_t, std::int64_t>(out, in, f);
}
template <class F> void mapBinary(const View &out, std::span<const View> in, F f) {
  if (in[0].kind == Kind::Real)
    map<double, double, double>(out, in, f);
  else
    map<std::int64_t, std::int64_t, std::int64_t>(out, in, f);
}
template <class F> void compare(const View &out, std::span<const View> in, F f) {
  withElement(in[0].kind, [&](auto *element) {
    using T = std::remove_pointer_t<decltype(element)>;
    map<Bool, T, T>(out, in, f);
  });
}
template <class F> void mapReal(const View &out, std::span<const View> in, F f) { map<double, double>(out, in, f); }

} // namespace

void pointwise(PointwiseFn fn, const View &out, std::span<const View> in) {
  using Int = std::int64_t;
  switch (fn) {
  case PointwiseFn::Add:
    return mapBinary(out, in, [](auto a, auto b) { return plus(a, b); });
  case PointwiseFn::Sub:
    return mapBinary(out, in, [](auto a, auto b) { return minus(a, b); });
  case PointwiseFn::Mul:
    return mapBinary(out, in, [](auto a, auto b) { return times(a, b); });
  case PointwiseFn::Div:
    return map<double, double, double>(out, in, [](double a, double b) { return a / b; });
  case PointwiseFn::FloorDiv:
    return map<Int, Int, Int>(out, in, floorQuotient);
  case PointwiseFn::Mod:
    return map<Int, Int, Int>(out, in, floorRemainder);
  case PointwiseFn::Pow:
    return map<double, double, double>(out, in, [](double a, double b) { return std::pow(a, b); });
  case PointwiseFn::Min:
    return mapBinary(out, in, [](auto a, auto b) { return lesser(a, b); });
  case PointwiseFn::Max:
    return mapBinary(out, in, [](auto a, auto b) { return greater(a, b); });
  case PointwiseFn::Neg:
    return mapUnary(out, in, [](auto a) { return negated(a); });
  case PointwiseFn::Abs:
    return mapUnary(out, in, [](auto a) { return magnitude(a); });
  case PointwiseFn::Exp:
    return mapReal(out, in, [](double a) { return std::exp(a); });
  case PointwiseFn::Log:
    return mapReal(out, in, [](double a) { return std::log(a); });
  case PointwiseFn::Sqrt:
    return mapReal(out, in, [](double a) { return std::sqrt(a); });
  case PointwiseFn::Sin:
    return mapReal(out, in, [](double a) { return std::sin(a); });
  case PointwiseFn::Cos:
    return mapReal(out, in, [](double a) { return std::cos(a); });
  case PointwiseFn::Tanh:
    return mapReal(out, in, [](double a) { return std::tanh(a); });
  case PointwiseFn::Erf:
    return mapReal(out, in, [](double a) { return std::erf(a); });
  case PointwiseFn::Floor:
    return mapReal(out, in, [](double a) { return std::floor(a); });
  case PointwiseFn::Less:
    return compare(out, in, [](auto a, auto b) { return a < b; });
  case PointwiseFn::LessEqual:
    return compare(out, in, [](auto a, auto b) { return a <= b; });
  case PointwiseFn::Equal:
    return compare(out, in, [](auto a, auto b) { return a == b; });
  case PointwiseFn::NotEqual:
    return compare(out, in, [](auto a, auto b) { return a != b; });
  case PointwiseFn::And:
    return map<Bool, Bool, Bool>(out, in, [](Bool a, Bool b) { return a & b; });
  case PointwiseFn::Or:
    return map<Bool, Bool, Bool>(out, in, [](Bool a, Bool b) { return a | b; });
  case PointwiseFn::Not:
    return map<Bool, Bool>(out, in, [](Bool a) { return !a; });
  case PointwiseFn::Where:
    return withElement(out.kind, [&](auto *element) {
      using T = std::remove_pointer_t<decltype(element)>;
      map<T, Bool, T, T>(out, in, [](Bool c, T a, T b) { return c ? a : b; });
    });
  case PointwiseFn::ToReal:
    return map<double, Int>(out, in, [](Int a) { return static_cast<double>(a); });
  case PointwiseFn::ToInt:
    return map<Int, double>(out, in, toInt);
  case PointwiseFn::BoolToInt:
    return map<Int, Bool>(out, in, [](Bool a) { return Int(a); });
  case PointwiseFn::Uniform:
    return map<double, Int, Int>(out, in, uniform);
  }
}

void copy(const View &out, const View &in) {
  withElement(out.kind, [&](auto *element) {
    using T = std::remove_pointer_t<decltype(element)>;
    map<T, T>(out, std::span(&in, 1), [](T a) { return a; });
  });
}

} // namespace attnc::eval
