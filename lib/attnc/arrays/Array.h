#pragma once
#include "attnc/theory/Type.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace attnc {

/// The element types that array files hold.
enum class DType : std::uint8_t { Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64 };
std::string_view name(DType dtype); // "float32" …
std::size_t byteSize(DType dtype);
/// The size in bytes of such an array. Nothing when an axis is negative, or when the product leaves the range of
/// an address with empty axes counted as 1: so that no stride of an array overflows.
std::optional<std::size_t> byteSize(DType dtype, std::span<const std::int64_t> shape);

/// A dense array, row-major, in the machine's byte order. The bytes are shared, perhaps mapped from a file.
class Array {
public:
  Array() = default;
  /// Zeros. Fails (empty) when the size in bytes overflows or cannot be allocated.
  static std::optional<Array> zeros(DType dtype, std::vector<std::int64_t> shape);
  /// A view of bytes that `owner` keeps alive; they are `byteSize(dtype, shape)` many, aligned for `dtype`, and
  /// those of a Bool array are 0 or 1.
  static Array view(DType dtype, std::vector<std::int64_t> shape, const std::byte *data,
                    std::shared_ptr<const void> owner);

  DType dtype() const { return elementType; }
  const std::vector<std::int64_t> &shape() const { return dimensions; }
  std::int64_t elementCount() const;
  std::size_t byteCount() const { return elementCount() * byteSize(elementType); }
  const std::byte *data() const { return bytes; }
  /// Only of an array made by `zeros` or `converted`, while nobody shares it.
  std::byte *mutableData() { return const_cast<std::byte *>(bytes); }
  template <class T> std::span<const T> as() const {
    return {reinterpret_cast<const T *>(bytes), std::size_t(elementCount())};
  }
  template <class T> std::span<T> mutableAs() {
    return {reinterpret_cast<T *>(mutableData()), std::size_t(elementCount())};
  }

  /// The same numbers in another type: rounded once, to nearest even; bool from non-zero. What does not fit an
  /// integer type becomes its nearest end, and NaN 0. Fails when memory does.
  std::optional<Array> converted(DType dtype) const;

private:
  DType elementType = DType::F64;
  std::vector<std::int64_t> dimensions;
  const std::byte *bytes = nullptr;
  std::shared_ptr<const void> owner;
};

/// `[24 32]`.
std::string shapeText(std::span<const std::int64_t> shape);

} // namespace attnc
