#include "attnc/theory/Pointwise.h"

#include <iterator>

namespace attnc {

static constexpr PointwiseInfo infos[] = {
#define ATTNC_POINTWISE(NAME, TEXT, ARITY, SIGNATURE) {TEXT, ARITY, SIGNATURE},
#include "attnc/theory/Pointwise.def"
};

const PointwiseInfo &info(PointwiseFn fn) { return infos[static_cast<std::size_t>(fn)]; }

std::optional<PointwiseFn> pointwiseNamed(std::string_view name) {
  for (std::size_t i = 0; i < std::size(infos); ++i)
    if (infos[i].name == name)
      return static_cast<PointwiseFn>(i);
  return std::nullopt;
}

bool isCommutative(PointwiseFn fn) {
  switch (fn) {
  case PointwiseFn::Add:
  case PointwiseFn::Mul:
  case PointwiseFn::Min:
  case PointwiseFn::Max:
  case PointwiseFn::Equal:
  case PointwiseFn::NotEqual:
  case PointwiseFn::And:
  case PointwiseFn::Or:
    return true;
  default:
    return false;
  }
}

std::optional<Kind> resultKind(PointwiseFn fn, std::span<const Kind> operands) {
  const PointwiseInfo &function = info(fn);
  if (operands.size() != function.arity)
    return std::nullopt;
  std::optional<Kind> variable;
  auto admits = [&](char letter, Kind kind) {
    switch (letter) {
    case 'r':
      return kind == Kind::Real;
    case 'i':
      return kind == Kind::Int;
    case 'b':
      return kind == Kind::Bool;
    default:
      if ((letter == 'a' && kind == Kind::Bool) || (variable && *variable != kind))
        return false;
      variable = kind;
      return true;
    }
  };
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (!admits(function.signature[i], operands[i]))
      return std::nullopt;
  switch (function.signature.back()) {
  case 'r':
    return Kind::Real;
  case 'i':
    return Kind::Int;
  case 'b':
    return Kind::Bool;
  default:
    return variable;
  }
}

std::uint64_t counterHash(std::uint64_t seed, std::uint64_t counter) {
  auto finalise = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  };
  return finalise(finalise(seed * 0x9E3779B97F4A7C15ull + counter) + 0x9E3779B97F4A7C15ull);
}

double uniform(std::int64_t seed, std::int64_t counter) {
  return (static_cast<double>(counterHash(seed, counter) >> 41) + 0.5) * 0x1p-23;
}

} // namespace attnc
