#pragma once
#include "attnc/arrays/Bytes.h"

namespace attnc {

/// The header of NumPy's .npy format, versions 1 to 3 (NEP 1): magic, version, length, and a Python dictionary
/// of `descr`, `fortran_order`, `shape`, then the elements.
struct NpyHeader {
  Layout layout;
  std::size_t dataOffset = 0; // where the elements begin
  std::size_t dataSize = 0;   // how many bytes they are

  /// That not `dataSize` but `present` bytes follow the header.
  std::string mismatch(std::size_t present) const;
};

inline constexpr std::string_view npyMagic = "\x93NUMPY";
/// The longest start of a file that a header can be in.
inline constexpr std::size_t longestNpyHeader = (1 << 20) + 12;

/// Reads the header from a start of the file that holds all of it, or up to `longestNpyHeader` bytes.
tl::expected<NpyHeader, std::string> parseNpyHeader(std::string_view start);
/// How many bytes the header takes, from the first 12 bytes of the file (fewer when the file is shorter).
tl::expected<std::size_t, std::string> npyHeaderSize(std::string_view start);

/// The array of a whole .npy file; every byte of it is accounted for.
tl::expected<Array, std::string> readNpy(const Bytes &file, std::size_t limit);
/// The header NumPy writes for such an array, padded to 64 bytes. A bfloat16 has no letter in NumPy: it is written
/// by its name, which NumPy reads when the package `ml_dtypes` is imported.
std::string npyHeaderText(DType dtype, std::span<const std::int64_t> shape);
std::string npyText(const Array &array);

} // namespace attnc
