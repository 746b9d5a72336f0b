#pragma once
#include "attnc/arrays/Bytes.h"

#include <unordered_map>

namespace attnc {

/// A file of arrays, open for reading: .npy (one array without a name), .npz or .safetensors. Which it is, its
/// first bytes say; where they do not, its name does, and the error is about that form.
///
/// An array is read when it is asked for. What lies aligned is not copied: in a large file it is mapped. A member of an
/// .npz has its checksum compared, and is copied when it is deflated. Every size a file states is compared with the
/// bytes that are there before memory is taken, so that no file makes attnc take more memory than its own arrays need.
/// Errors say what is wrong with the file, in lower case.
/// One file is for one thread; the arrays outlive it.
class ArrayFile {
public:
  static tl::expected<ArrayFile, std::string> open(const std::filesystem::path &path);
  /// From bytes; `name` is asked for its extension only.
  static tl::expected<ArrayFile, std::string> of(Bytes bytes, const std::filesystem::path &name = {});

  struct Form;
  static ArrayFile of(std::shared_ptr<const Form> form);

  /// The names in the order of the file; a single empty name for an .npy.
  const std::vector<std::string> &keys() const;
  bool has(std::string_view key) const;
  /// The array of that name. One that cannot be viewed in the file takes memory, at most `limit` bytes.
  tl::expected<Array, std::string> read(std::string_view key, std::size_t limit = SIZE_MAX) const;

  /// One form of file.
  struct Form {
    virtual ~Form() = default;
    virtual tl::expected<Array, std::string> read(std::size_t index, std::size_t limit) const = 0;
    std::vector<std::string> keys; // no two are equal
  };

private:
  std::shared_ptr<const Form> form;
  std::unordered_map<std::string_view, std::size_t> places; // of the keys, which the form holds
};

using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// Each writes the file whole or not at all, little-endian and row-major; the same arrays give the same bytes.
/// Names that are equal, empty or no UTF-8 are refused.
tl::expected<void, std::string> writeNpy(const std::filesystem::path &path, const Array &array);
tl::expected<void, std::string> writeNpz(const std::filesystem::path &path, const NamedArrays &arrays);
tl::expected<void, std::string> writeSafetensors(const std::filesystem::path &path, const NamedArrays &arrays);

} // namespace attnc
