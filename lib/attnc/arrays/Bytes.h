#pragma once
#include "attnc/arrays/Array.h"

#include <filesystem>
#include <tl/expected.hpp>

namespace attnc {

/// Bytes and what keeps them alive. A large regular file is mapped, so only what is looked at is read; a small
/// one, a pipe or "-" is read. A mapped file must not be cut short while it is in use; attnc itself never does
/// that, since `writeFile` leaves the old file to those who hold it.
struct Bytes {
  std::span<const std::byte> data;
  std::shared_ptr<const void> owner;

  std::string_view text() const { return {reinterpret_cast<const char *>(data.data()), data.size()}; }
  Bytes part(std::size_t offset, std::size_t count) const { return {data.subspan(offset, count), owner}; }

  static tl::expected<Bytes, std::string> ofFile(const std::filesystem::path &path);
  /// A copy.
  static Bytes of(std::string text);
};

/// How the elements of one array lie in a file.
struct Layout {
  DType dtype = DType::F64;
  std::vector<std::int64_t> shape;
  bool bigEndian = false;
  bool fortran = false; // the first axis is the fastest
};

/// The array in `bytes`, which are as many as the layout needs: a view of them where they lie as an Array must,
/// else a copy of at most `limit` bytes.
tl::expected<Array, std::string> arrayIn(const Bytes &bytes, const Layout &layout, std::size_t limit);

/// Names from files as messages may show them: cut when long, escaped where they are not printable text.
std::string shown(std::string_view text);
bool isUtf8(std::string_view text);
/// `4.2 GiB`, for messages.
std::string sizeText(std::size_t bytes);
/// Why an array of `bytes` that must be held in memory is refused.
std::string overLimit(std::size_t bytes, std::size_t limit);

} // namespace attnc
