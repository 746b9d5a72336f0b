#include "attnc/support/File.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace attnc {

static std::string reason() { return std::strerror(errno); }

namespace {
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd > 2)
      ::close(fd);
  }
};
} // namespace

tl::expected<std::string, std::string> readFile(const std::filesystem::path &path, std::size_t limit) {
  Descriptor file{path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0)
    return tl::unexpected(reason());
  struct stat status;
  if (::fstat(file.fd, &status) == 0 && S_ISDIR(status.st_mode))
    return tl::unexpected<std::string>("it is a directory");
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    ssize_t count = ::read(file.fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return tl::unexpected(reason());
    if (count == 0)
      return bytes;
    bytes.append(buffer, count);
    if (bytes.size() > limit)
      return tl::unexpected(fmt::format("it is larger than {} bytes", limit));
  }
}

static bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return false;
    bytes.remove_prefix(count);
  }
  return true;
}

bool isStandardOutput(const std::filesystem::path &path) {
  return path == "-" || path == "/dev/stdout"; // which may be a file, and what is before in it stays
}

/// What is written as it is; there is no old content to keep.
static bool isStream(const std::filesystem::path &path) {
  std::error_code ignored;
  auto status = std::filesystem::status(path, ignored);
  return isStandardOutput(path) || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status));
}

std::string formOf(const std::filesystem::path &path, std::string_view otherwise) {
  std::error_code ignored;
  std::string extension = path.extension().string();
  if (!extension.empty())
    return extension.substr(1);
  return std::string(isStream(path) && !std::filesystem::is_directory(path, ignored) ? otherwise : "");
}

tl::expected<void, std::string> writeFile(const std::filesystem::path &path, std::string_view bytes) {
  if (isStream(path)) {
    Descriptor file{isStandardOutput(path) ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.fd >= 0 && bytes.find('\0') != std::string_view::npos && ::isatty(file.fd))
      return tl::unexpected<std::string>("it is a terminal, and this is no text");
    if (file.fd < 0 || !writeAll(file.fd, bytes))
      return tl::unexpected(reason());
    return {};
  }
  std::error_code ignored;
  std::filesystem::path target = path;
  constexpr int mostLinks = 40; // as the kernel counts them
  for (int i = 0; i < mostLinks && std::filesystem::is_symlink(target, ignored); ++i)
    target = target.parent_path() / std::filesystem::read_symlink(target, ignored);
  std::string temporary = target.string() + ".XXXXXX";
  Descriptor file{::mkstemp(temporary.data())};
  if (file.fd < 0)
    return tl::unexpected(reason());
  auto fail = [&]() -> tl::expected<void, std::string> {
    std::string why = reason();
    ::unlink(temporary.c_str());
    return tl::unexpected(why);
  };
  struct stat old;
  mode_t mask = ::umask(0);
  ::umask(mask);
  mode_t mode = ::stat(target.c_str(), &old) == 0 ? old.st_mode & 07777 : 0666 & ~mask;
  if (!writeAll(file.fd, bytes) || ::fchmod(file.fd, mode) != 0 || ::fsync(file.fd) != 0)
    return fail();
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return fail();
  return {};
}

} // namespace attnc
