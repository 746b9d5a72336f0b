#include "attnc/enumerate/Journal.h"

#include "attnc/support/File.h"
#include "attnc/support/Hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

namespace attnc::enumerate {

static std::string hex(const Word &word) {
  std::string text;
  for (unsigned char symbol : word)
    text += fmt::format("{:02x}", symbol);
  return text;
}

static std::string checksum(std::string_view line) { return hash128(line).hex(); }

static std::string lineOf(std::size_t part, const Tally &tally) {
  std::string line = fmt::format("{} {}", part, tally.diagrams);
  for (std::uint64_t removed : tally.removed)
    line += fmt::format(" {}", removed);
  line += " :";
  for (const Word &word : tally.survivors)
    line += " " + hex(word);
  return line + " " + checksum(line) + "\n";
}

/// The part and its tally, when the line is whole.
static std::optional<std::pair<std::size_t, Tally>> readLine(std::string_view line, std::size_t parts,
                                                             std::size_t criteria) {
  const std::size_t end = line.rfind(' ');
  if (end == line.npos || checksum(line.substr(0, end)) != line.substr(end + 1))
    return std::nullopt;
  std::istringstream in{std::string(line.substr(0, end))};
  std::size_t part;
  Tally tally;
  tally.removed.resize(criteria);
  in >> part >> tally.diagrams;
  for (std::uint64_t &removed : tally.removed)
    in >> removed;
  std::string word;
  if (!(in >> word) || word != ":" || part >= parts)
    return std::nullopt;
  while (in >> word) {
    Word symbols;
    for (std::size_t i = 0; i + 1 < word.size(); i += 2)
      symbols += static_cast<char>(std::stoi(word.substr(i, 2), nullptr, 16));
    tally.survivors.push_back(std::move(symbols));
  }
  return std::pair(part, std::move(tally));
}

Journal::~Journal() {
  if (file >= 0)
    ::close(file);
}

tl::expected<void, std::string> Journal::open(const std::filesystem::path &where, const std::string &identity,
                                              std::size_t parts, std::size_t criteria,
                                              std::vector<std::optional<Tally>> &done) {
  auto failed = [&](const std::string &what) {
    return tl::unexpected(fmt::format("the state file '{}' {}", where.string(), what));
  };
  path = where;
  file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0)
    return failed(fmt::format("cannot be opened: {}", std::strerror(errno)));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0)
    return failed("is being written by another process");
  auto text = readFile(path);
  if (!text)
    return failed(fmt::format("cannot be read: {}", text.error()));
  const std::string head = fmt::format("attnc enumeration 1 {}\n", identity);
  if (text->size() < head.size() && head.starts_with(*text)) { // new, or ended while it was begun
    if (::ftruncate(file, 0) != 0)
      return failed(fmt::format("cannot be written: {}", std::strerror(errno)));
    unwritten = head;
    return flush();
  }
  if (!text->starts_with(head))
    return failed("belongs to another enumeration: name another file, or delete it");
  std::size_t good = head.size();
  for (std::size_t end; (end = text->find('\n', good)) != text->npos; good = end + 1) {
    auto line = readLine(std::string_view(*text).substr(good, end - good), parts, criteria);
    if (!line)
      break;
    done[line->first] = std::move(line->second);
  }
  if (::ftruncate(file, static_cast<off_t>(good)) != 0 || ::lseek(file, static_cast<off_t>(good), SEEK_SET) < 0)
    return failed(fmt::format("cannot be written: {}", std::strerror(errno)));
  return {};
}

void Journal::add(std::size_t part, const Tally &tally) {
  if (file >= 0)
    unwritten += lineOf(part, tally);
}

tl::expected<void, std::string> Journal::flush() {
  if (unwritten.empty())
    return {};
  for (std::string_view rest = unwritten; !rest.empty();) {
    const ssize_t count = ::write(file, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return tl::unexpected(
          fmt::format("the state file '{}' cannot be written: {}", path.string(), std::strerror(errno)));
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  unwritten.clear();
  if (::fdatasync(file) != 0)
    return tl::unexpected(
        fmt::format("the state file '{}' cannot be written: {}", path.string(), std::strerror(errno)));
  return {};
}

} // namespace attnc::enumerate
