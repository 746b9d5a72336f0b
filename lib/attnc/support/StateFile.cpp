#include "attnc/support/StateFile.h"

#include "attnc/support/File.h"
#include "attnc/support/Hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace attnc {

StateFile::~StateFile() {
  if (file >= 0)
    ::close(file);
}

tl::unexpected<std::string> StateFile::failed(const std::string &what) const {
  return tl::unexpected(fmt::format("the state file '{}' {}", path.string(), what));
}

static std::string reason() { return std::strerror(errno); }

tl::expected<void, std::string> StateFile::open(const std::filesystem::path &where, const std::string &title,
                                                const std::function<bool(std::string_view)> &read) {
  path = where;
  file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0)
    return failed("cannot be opened: " + reason());
  if (::flock(file, LOCK_EX | LOCK_NB) != 0)
    return failed("is being written by another process");
  auto text = readFile(path);
  if (!text)
    return failed("cannot be read: " + text.error());
  const std::string head = title + "\n";
  if (text->size() < head.size() && head.starts_with(*text)) { // new, or ended while it was begun
    if (::ftruncate(file, 0) != 0)
      return failed("cannot be written: " + reason());
    unwritten = head;
    return flush();
  }
  if (!text->starts_with(head))
    return failed("belongs to another enumeration: name another file, or delete it");
  std::size_t good = head.size();
  for (std::size_t end; (end = text->find('\n', good)) != text->npos; good = end + 1) {
    const std::string_view line = std::string_view(*text).substr(good, end - good);
    const std::size_t last = line.rfind(' ');
    if (last == line.npos || hash128(line.substr(0, last)).hex() != line.substr(last + 1) ||
        !read(line.substr(0, last)))
      break;
  }
  if (::ftruncate(file, static_cast<off_t>(good)) != 0 || ::lseek(file, static_cast<off_t>(good), SEEK_SET) < 0)
    return failed("cannot be written: " + reason());
  return {};
}

void StateFile::add(const std::string &text) {
  if (file >= 0)
    unwritten += text + " " + hash128(text).hex() + "\n";
}

tl::expected<void, std::string> StateFile::flush() {
  if (unwritten.empty())
    return {};
  for (std::string_view rest = unwritten; !rest.empty();) {
    const ssize_t count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failed("cannot be written: " + reason());
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  unwritten.clear();
  if (::fdatasync(file) != 0)
    return failed("cannot be written: " + reason());
  return {};
}

} // namespace attnc
