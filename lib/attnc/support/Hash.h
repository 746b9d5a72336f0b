#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace attnc {

/// A 128-bit hash (XXH3). Not for security: an adversary could make two texts meet.
struct Hash128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128 &) const = default;
  /// 32 hexadecimal digits.
  std::string hex() const;
};

Hash128 hash128(std::string_view bytes);

} // namespace attnc

template <> struct std::hash<attnc::Hash128> {
  std::size_t operator()(const attnc::Hash128 &h) const { return h.low; }
};
