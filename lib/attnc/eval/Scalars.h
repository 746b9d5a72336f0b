#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

namespace attnc::eval {

/// What the scalar functions mean where C++ leaves it open: ints wrap around, division by 0 gives 0, and
/// extrema hand on NaN and order the zeros (IEEE 754-2019 minimum and maximum).

inline std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

inline double plus(double a, double b) { return a + b; }
inline std::int64_t plus(std::int64_t a, std::int64_t b) { return wrap(std::uint64_t(a) + std::uint64_t(b)); }
inline double minus(double a, double b) { return a - b; }
inline std::int64_t minus(std::int64_t a, std::int64_t b) { return wrap(std::uint64_t(a) - std::uint64_t(b)); }
inline double times(double a, double b) { return a * b; }
inline std::int64_t times(std::int64_t a, std::int64_t b) { return wrap(std::uint64_t(a) * std::uint64_t(b)); }
inline double negated(double a) { return -a; }
inline std::int64_t negated(std::int64_t a) { return wrap(0 - std::uint64_t(a)); }
inline double magnitude(double a) { return std::fabs(a); }
inline std::int64_t magnitude(std::int64_t a) { return a < 0 ? negated(a) : a; }

inline std::int64_t lesser(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t greater(std::int64_t a, std::int64_t b) { return a < b ? b : a; }
inline double lesser(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  return a == b ? (std::signbit(a) ? a : b) : (a < b ? a : b);
}
inline double greater(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  return a == b ? (std::signbit(a) ? b : a) : (a < b ? b : a);
}

inline std::int64_t floorQuotient(std::int64_t a, std::int64_t b) {
  if (b == 0)
    return 0;
  if (b == -1)
    return negated(a);
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}
inline std::int64_t floorRemainder(std::int64_t a, std::int64_t b) {
  if (b == 0 || b == -1)
    return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

inline std::int64_t toInt(double a) {
  const double whole = std::floor(a);
  return whole >= -0x1p63 && whole < 0x1p63 ? static_cast<std::int64_t>(whole) : 0;
}

} // namespace attnc::eval
