#include "attnc/arrays/Array.h"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

namespace attnc {

namespace {

struct DTypeInfo {
  std::string_view name;
  std::size_t size;
};
constexpr DTypeInfo infos[] = {{"bool", 1},     {"int8", 1},    {"int16", 2},  {"int32", 4},  {"int64", 8},
                               {"uint8", 1},    {"uint16", 2},  {"uint32", 4}, {"uint64", 8}, {"float16", 2},
                               {"bfloat16", 2}, {"float32", 4}, {"float64", 8}};

/// Calls `f` with a value of the C++ type that holds elements of `dtype`.
template <class F> void withElement(DType dtype, F &&f) {
  switch (dtype) {
  case DType::Bool:
    return f(bool());
  case DType::I8:
    return f(std::int8_t());
  case DType::I16:
    return f(std::int16_t());
  case DType::I32:
    return f(std::int32_t());
  case DType::I64:
    return f(std::int64_t());
  case DType::U8:
    return f(std::uint8_t());
  case DType::U16:
    return f(std::uint16_t());
  case DType::U32:
    return f(std::uint32_t());
  case DType::U64:
    return f(std::uint64_t());
  case DType::F16:
    return f(Eigen::half());
  case DType::BF16:
    return f(Eigen::bfloat16());
  case DType::F32:
    return f(float());
  case DType::F64:
    return f(double());
  }
}

template <class T> constexpr bool isShortFloat = std::is_same_v<T, Eigen::half> || std::is_same_v<T, Eigen::bfloat16>;

// Rounding a number twice is rounding it once when the first step rounds to odd and keeps two bits more than
// the second (Boldo, Melquiond 2005): that is how 64-bit numbers reach the 16-bit formats.

float oddFloat(double value) {
  float nearestValue = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearestValue) == value)
    return nearestValue;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(nearestValue);
  if (std::abs(static_cast<double>(nearestValue)) > std::abs(value))
    --bits;
  return std::bit_cast<float>(bits | 1);
}

template <class T> double oddDouble(T value) {
  constexpr std::uint64_t exact = std::uint64_t(1) << 53;
  bool negative = value < 0;
  std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  if (magnitude > exact) {
    std::uint64_t top = (magnitude >> 11) | ((magnitude & 0x7FF) != 0);
    double result = static_cast<double>(top) * 2048.0;
    return negative ? -result : result;
  }
  return static_cast<double>(value);
}

template <class To> To integerFrom(double value) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  constexpr int bits = std::numeric_limits<To>::digits;
  if (rounded >= std::ldexp(1.0, bits))
    return std::numeric_limits<To>::max();
  if (rounded < static_cast<double>(std::numeric_limits<To>::min()))
    return std::numeric_limits<To>::min();
  return static_cast<To>(rounded);
}

template <class To, class From> To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, bool>) {
    return convert<To>(static_cast<std::uint8_t>(value));
  } else if constexpr (isShortFloat<From>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (isShortFloat<To>) {
    if constexpr (std::is_integral_v<From>)
      return To(oddFloat(oddDouble(value)));
    else
      return To(oddFloat(value));
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    return integerFrom<To>(value);
  } else {
    if (std::cmp_greater(value, std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
    if (std::cmp_less(value, std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  }
}

} // namespace

std::string_view name(DType dtype) { return infos[static_cast<std::size_t>(dtype)].name; }
std::size_t byteSize(DType dtype) { return infos[static_cast<std::size_t>(dtype)].size; }

std::optional<std::size_t> byteSize(DType dtype, std::span<const std::int64_t> shape) {
  std::int64_t bytes = byteSize(dtype);
  bool empty = false;
  for (std::int64_t axis : shape) {
    if (axis < 0 || __builtin_mul_overflow(bytes, std::max<std::int64_t>(axis, 1), &bytes))
      return std::nullopt;
    empty |= axis == 0;
  }
  return empty ? 0 : bytes;
}

std::optional<Array> Array::zeros(DType dtype, std::vector<std::int64_t> shape) {
  constexpr std::size_t alignment = 64; // a cache line, and the widest vector
  std::optional<std::size_t> bytes = byteSize(dtype, shape);
  if (!bytes || *bytes > std::numeric_limits<std::int64_t>::max() - alignment)
    return std::nullopt;
  std::size_t rounded = std::max((*bytes + alignment - 1) / alignment * alignment, alignment);
  void *memory = std::aligned_alloc(alignment, rounded);
  if (!memory)
    return std::nullopt;
  std::memset(memory, 0, rounded);
  std::shared_ptr<const void> owner(memory, [](const void *p) { std::free(const_cast<void *>(p)); });
  return view(dtype, std::move(shape), static_cast<const std::byte *>(memory), std::move(owner));
}

Array Array::view(DType dtype, std::vector<std::int64_t> shape, const std::byte *data,
                  std::shared_ptr<const void> owner) {
  Array array;
  array.elementType = dtype;
  array.dimensions = std::move(shape);
  array.bytes = data;
  array.owner = std::move(owner);
  return array;
}

std::int64_t Array::elementCount() const {
  std::int64_t count = 1;
  for (std::int64_t axis : dimensions)
    if (axis == 0)
      return 0;
  for (std::int64_t axis : dimensions)
    count *= axis;
  return count;
}

std::optional<Array> Array::converted(DType target) const {
  std::optional<Array> result = zeros(target, dimensions);
  if (!result)
    return std::nullopt;
  withElement(elementType, [&](auto from) {
    withElement(target, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      std::span<const From> source = as<From>();
      std::transform(source.begin(), source.end(), result->mutableAs<To>().begin(), convert<To, From>);
    });
  });
  return result;
}

std::string shapeText(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, " ")); }

} // namespace attnc
