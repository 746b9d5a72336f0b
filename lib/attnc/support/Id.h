#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace attnc {

/// A typed index into a vector. Two kinds of id never mix; the default value names nothing.
template <class Tag> class Id {
public:
  constexpr Id() = default;
  constexpr explicit Id(std::size_t index) : value(static_cast<std::uint32_t>(index)) {}
  constexpr std::size_t index() const { return value; }
  constexpr bool valid() const { return value != none; }
  constexpr auto operator<=>(const Id &) const = default;

private:
  static constexpr std::uint32_t none = ~std::uint32_t(0);
  std::uint32_t value = none;
};

} // namespace attnc

template <class Tag> struct std::hash<attnc::Id<Tag>> {
  std::size_t operator()(attnc::Id<Tag> id) const { return id.index(); }
};
