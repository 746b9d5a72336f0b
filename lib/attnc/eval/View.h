#pragma once
#include "attnc/theory/Type.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace attnc::eval {

using Extents = std::vector<std::int64_t>;

/// The value of a wire: a strided array whose first axes are the boxes around it, outermost first.
///
///     inside  simd n { simd m { · } }      a wire of type [d] has extents [n m d]
///                                          strides [d 0 1] when it does not depend on m
///
/// A stride of 0 along a box's axis means that the value is the same for each iteration: it is stored, and
/// computed, once. So entering a box (a slice an iteration, or shared) and leaving it are changes of the
/// view alone. Strides count elements. `data` is null in a rehearsal (Memory.h), which never looks at it.
struct View {
  Kind kind = Kind::Real;
  std::shared_ptr<const void> owner;
  std::byte *data = nullptr;
  Extents extents, strides;

  std::size_t rank() const { return extents.size(); }
  bool varies(std::size_t axis) const { return strides[axis] != 0; }
  template <class T> T *as() const { return reinterpret_cast<T *>(data); }
};

/// Bools are bytes that are 0 or 1.
using Bool = std::uint8_t;
inline std::size_t elementSize(Kind kind) { return kind == Kind::Bool ? 1 : 8; }

/// Moves the view's origin by a number of elements.
inline void advance(View &view, std::int64_t elements) {
  if (view.data)
    view.data += elements * static_cast<std::int64_t>(elementSize(view.kind));
}

/// Calls `use` with a null pointer of the C++ type that holds elements of the kind.
template <class Use> decltype(auto) withElement(Kind kind, Use &&use) {
  switch (kind) {
  case Kind::Real:
    return use(static_cast<double *>(nullptr));
  case Kind::Int:
    return use(static_cast<std::int64_t *>(nullptr));
  case Kind::Bool:
    break;
  }
  return use(static_cast<Bool *>(nullptr));
}

} // namespace attnc::eval
