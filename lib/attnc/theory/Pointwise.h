#pragma once
#include "attnc/theory/Type.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace attnc {

/// The functions on scalars (Pointwise.def); a SIMD box lifts them over axes.
enum class PointwiseFn : std::uint8_t {
#define ATTNC_POINTWISE(NAME, TEXT, ARITY, SIGNATURE) NAME,
#include "attnc/theory/Pointwise.def"
};

struct PointwiseInfo {
  std::string_view name;
  unsigned arity;
  std::string_view signature;
};
const PointwiseInfo &info(PointwiseFn fn);
std::optional<PointwiseFn> pointwiseNamed(std::string_view name);
/// f(a, b) == f(b, a) for all a, b, to the bit.
bool isCommutative(PointwiseFn fn);

/// The result kind for operand kinds, or nothing when the signature does not admit them.
std::optional<Kind> resultKind(PointwiseFn fn, std::span<const Kind> operands);

/// The bits behind `uniform`: SplitMix64's finaliser (Steele, Lea, Flood 2014) over
/// seed * 0x9E3779B97F4A7C15 + counter, twice. `uniform` is (top 23 bits + 1/2) / 2^23: exact in f32.
std::uint64_t counterHash(std::uint64_t seed, std::uint64_t counter);
double uniform(std::int64_t seed, std::int64_t counter);

} // namespace attnc
