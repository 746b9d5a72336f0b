#include "attnc/arrays/ArrayFile.h"

#include "attnc/arrays/Npy.h"
#include "attnc/arrays/Npz.h"
#include "attnc/arrays/Safetensors.h"
#include "attnc/support/File.h"

#include <fmt/format.h>
#include <set>

namespace attnc {

namespace {

using FormRef = std::shared_ptr<const ArrayFile::Form>;

struct SingleArray : ArrayFile::Form {
  explicit SingleArray(Bytes file) : file(std::move(file)) { keys.emplace_back(); }
  tl::expected<Array, std::string> read(std::size_t, std::size_t limit) const override { return readNpy(file, limit); }
  Bytes file;
};

tl::expected<FormRef, std::string> openNpy(Bytes file) {
  if (auto header = parseNpyHeader(file.text()); !header)
    return tl::unexpected(header.error());
  return std::make_shared<SingleArray>(std::move(file));
}

tl::expected<FormRef, std::string> formOf(Bytes bytes, const std::string &extension) {
  std::string_view text = bytes.text();
  if (text.empty())
    return tl::unexpected<std::string>("it is empty");
  if (text.starts_with(npyMagic))
    return openNpy(std::move(bytes));
  if (text.starts_with("PK\3\4") || text.starts_with("PK\5\6"))
    return openNpz(std::move(bytes));
  if (looksLikeSafetensors(bytes) || extension == ".safetensors")
    return openSafetensors(bytes);
  if (extension == ".npy")
    return openNpy(std::move(bytes));
  if (extension == ".npz")
    return openNpz(std::move(bytes));
  return tl::unexpected<std::string>("it is no .npy, .npz or .safetensors file");
}

/// Why the arrays cannot be told apart by their names, if so.
tl::expected<void, std::string> checkNames(const NamedArrays &arrays) {
  std::set<std::string_view> seen;
  for (const auto &[name, array] : arrays) {
    if (name.empty() || name.find('\0') != std::string::npos || !isUtf8(name))
      return tl::unexpected(fmt::format("'{}' cannot be the name of an array in a file", shown(name)));
    if (!seen.insert(name).second)
      return tl::unexpected(fmt::format("there are two arrays called '{}'", shown(name)));
  }
  return {};
}

} // namespace

tl::expected<ArrayFile, std::string> ArrayFile::open(const std::filesystem::path &path) {
  return Bytes::ofFile(path).and_then([&](Bytes bytes) { return of(std::move(bytes), path); });
}

tl::expected<ArrayFile, std::string> ArrayFile::of(Bytes bytes, const std::filesystem::path &name) {
  return formOf(std::move(bytes), name.extension().string()).map([](FormRef form) { return of(std::move(form)); });
}

ArrayFile ArrayFile::of(std::shared_ptr<const Form> form) {
  ArrayFile file;
  for (std::size_t i = 0; i < form->keys.size(); ++i)
    file.places.emplace(form->keys[i], i);
  file.form = std::move(form);
  return file;
}

const std::vector<std::string> &ArrayFile::keys() const { return form->keys; }

bool ArrayFile::has(std::string_view key) const { return places.contains(key); }

tl::expected<Array, std::string> ArrayFile::read(std::string_view key, std::size_t limit) const {
  auto found = places.find(key);
  if (found == places.end())
    return tl::unexpected(fmt::format("it holds no array called '{}'", shown(key)));
  return form->read(found->second, limit);
}

tl::expected<void, std::string> writeNpy(const std::filesystem::path &path, const Array &array) {
  return writeFile(path, npyText(array));
}

tl::expected<void, std::string> writeNpz(const std::filesystem::path &path, const NamedArrays &arrays) {
  return checkNames(arrays).and_then([&] { return npzText(arrays); }).and_then([&](const std::string &text) {
    return writeFile(path, text);
  });
}

tl::expected<void, std::string> writeSafetensors(const std::filesystem::path &path, const NamedArrays &arrays) {
  return checkNames(arrays).and_then([&] { return safetensorsText(arrays); }).and_then([&](const std::string &text) {
    return writeFile(path, text);
  });
}

} // namespace attnc
