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

tl::expected<void, std::string> writeFile(const std::filesystem::path &path, std::string_view bytes) {
  if (path == "-") {
    if (!writeAll(1, bytes))
      return tl::unexpected(reason());
    return {};
  }
  std::error_code ignored;
  // A device or a pipe is written as it is; there is no old content to keep.
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.fd < 0 || !writeAll(file.fd, bytes))
      return tl::unexpected(reason());
    return {};
  }
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
