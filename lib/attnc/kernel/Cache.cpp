#include "attnc/kernel/Cache.h"

#include "attnc/support/File.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace attnc {

namespace fs = std::filesystem;

namespace {
struct EntryHeader {
  char magic[8] = {'a', 't', 't', 'n', 'c', 'k', '0', '1'};
  std::uint64_t keyHigh, keyLow, length, hashHigh, hashLow;

  EntryHeader(const Hash128 &key, std::string_view payload)
      : keyHigh(key.high), keyLow(key.low), length(payload.size()) {
    Hash128 hash = hash128(payload);
    hashHigh = hash.high;
    hashLow = hash.low;
  }
};
static_assert(sizeof(EntryHeader) == 48);
} // namespace

std::optional<std::uint64_t> parseBytes(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc())
    return std::nullopt;
  std::string_view unit(end, text.data() + text.size() - end);
  unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  if ((!unit.empty() && shift == 0) || value > (~std::uint64_t(0) >> shift))
    return std::nullopt;
  return value << shift;
}

std::optional<ObjectCache> ObjectCache::ofUser(const std::optional<fs::path> &instead) {
  auto variable = [](const char *name) -> std::string_view {
    const char *value = std::getenv(name);
    return value ? value : "";
  };
  std::uint64_t limit = parseBytes(variable("ATTNC_CACHE_SIZE")).value_or(std::uint64_t(1) << 30);
  if (limit == 0)
    return std::nullopt;
  if (instead)
    return ObjectCache(*instead, limit);
  if (auto own = variable("ATTNC_CACHE_DIR"); !own.empty())
    return ObjectCache(own, limit);
  // The XDG specification has relative paths ignored.
  if (auto xdg = variable("XDG_CACHE_HOME"); xdg.starts_with('/'))
    return ObjectCache(fs::path(xdg) / "attnc", limit);
  if (auto home = variable("HOME"); home.starts_with('/'))
    return ObjectCache(fs::path(home) / ".cache" / "attnc", limit);
  return std::nullopt;
}

std::optional<std::string> ObjectCache::load(const Hash128 &key) const {
  fs::path path = entry(key);
  struct stat status;
  // What is loaded is executed, so it must be a file that this user made.
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != ::geteuid())
    return std::nullopt;
  auto bytes = readFile(path, limit);
  if (!bytes || bytes->size() < sizeof(EntryHeader))
    return std::nullopt;
  EntryHeader expected(key, std::string_view(*bytes).substr(sizeof(EntryHeader)));
  if (std::memcmp(bytes->data(), &expected, sizeof expected) != 0)
    return std::nullopt;
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  bytes->erase(0, sizeof expected);
  return std::move(*bytes);
}

bool ObjectCache::store(const Hash128 &key, std::string_view payload) const {
  EntryHeader header(key, payload);
  if (payload.size() > limit - std::min<std::uint64_t>(limit, sizeof header))
    return false;
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    fs::create_directories(directory, error);
    if (error)
      return false;
    fs::permissions(directory, fs::perms::owner_all, error);
  }
  std::string bytes(reinterpret_cast<const char *>(&header), sizeof header);
  bytes += payload;
  if (!writeFile(entry(key), bytes))
    return false;
  evict();
  return true;
}

void ObjectCache::evict() const {
  struct File {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes;
  };
  std::vector<File> files;
  std::uint64_t total = 0;
  std::error_code error;
  // What a process that died while writing left behind has a longer suffix, and is counted and removed alike.
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it->path().filename().string().find(".kernel") == std::string::npos || !it->is_regular_file(gone))
      continue;
    File file{it->path(), it->last_write_time(gone), 0};
    file.bytes = gone ? 0 : it->file_size(gone);
    if (gone)
      continue;
    total += file.bytes;
    files.push_back(std::move(file));
  }
  if (total <= limit)
    return;
  std::ranges::sort(files, {}, &File::used);
  for (const File &file : files) {
    if (total <= limit)
      return;
    if (fs::remove(file.path, error) && !error)
      total -= file.bytes;
  }
}

} // namespace attnc
