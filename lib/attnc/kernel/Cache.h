#pragma once
#include "attnc/support/Hash.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace attnc {

/// Compiled objects on disk, shared by all processes of a user. An entry is one file, `KEY.kernel`:
///
///     magic[8]  key[16]  length[8]  hash of the payload[16]  payload
///
/// It is written beside its place and renamed into it, so that a reader sees a whole entry or none. A reader
/// believes nothing: an entry whose magic, key, length or hash is wrong, or that another user owns, is none.
/// The files together stay under a limit; those used longest ago go first. Whatever fails, fails silently: a
/// cache that cannot be read or written costs time, never a result.
class ObjectCache {
public:
  ObjectCache(std::filesystem::path directory, std::uint64_t limit) : directory(std::move(directory)), limit(limit) {}

  /// $ATTNC_CACHE_DIR, else $XDG_CACHE_HOME/attnc, else ~/.cache/attnc; bounded by $ATTNC_CACHE_SIZE bytes (K, M
  /// and G are understood), else 1 GiB. `instead` takes the place of the first three. Nothing where there is no such
  /// place or the bound is 0.
  static std::optional<ObjectCache> ofUser(const std::optional<std::filesystem::path> &instead = {});

  /// The payload stored under a key; counts as a use.
  std::optional<std::string> load(const Hash128 &key) const;
  /// Whether it is stored now.
  bool store(const Hash128 &key, std::string_view payload) const;

  const std::filesystem::path &path() const { return directory; }
  std::filesystem::path entry(const Hash128 &key) const { return directory / (key.hex() + ".kernel"); }

private:
  void evict() const;
  std::filesystem::path directory;
  std::uint64_t limit;
};

/// A number of bytes with an optional K, M or G (powers of 1024); nothing when it is none.
std::optional<std::uint64_t> parseBytes(std::string_view text);

} // namespace attnc
