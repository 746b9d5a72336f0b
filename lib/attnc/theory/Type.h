#pragma once
#include "attnc/theory/Size.h"

#include <string>
#include <vector>

namespace attnc {

/// What an element is. Reals are f64 in the reference meaning; ints are signed 64-bit.
enum class Kind : std::uint8_t { Real, Int, Bool };

std::string_view name(Kind kind); // "real", "int", "bool"

/// The type of a wire: its element kind and its axes, outermost first. `[]` is a scalar.
struct Type {
  Kind kind = Kind::Real;
  std::vector<Size> axes;

  std::size_t rank() const { return axes.size(); }
  bool isScalar() const { return axes.empty(); }
  /// n copies of this type: the axis put outside.
  Type over(const Size &size) const;
  /// The type of one slice along the outermost axis; the rank is at least 1.
  Type slice() const;
  Type substitute(const Size::Bindings &bindings) const;
  /// As the language writes it: `[n d]`, `int[n]`, `[]`.
  std::string str() const;
  auto operator<=>(const Type &) const = default;
};

/// `[n d] @ [m d]`; `nothing` for none.
std::string str(const std::vector<Type> &types);

} // namespace attnc
