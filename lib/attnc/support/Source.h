#pragma once
#include "attnc/support/Id.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace attnc {

using FileId = Id<struct FileTag>;

/// A half-open range of bytes [begin, end) of one source file. An invalid file means "nowhere".
struct Span {
  FileId file;
  std::uint32_t begin = 0, end = 0;

  bool valid() const { return file.valid(); }
  /// The smallest span that covers both; both are of one file, or one is invalid.
  static Span join(Span a, Span b);
  auto operator<=>(const Span &) const = default;
};

/// One-based line and column (a column counts bytes of UTF-8 that begin a character).
struct Location {
  unsigned line = 1, column = 1;
};

/// The texts of one run. Texts and names stay at their addresses for the life of the manager.
class SourceManager {
public:
  FileId add(std::string name, std::string text);

  std::string_view name(FileId file) const { return buffers[file.index()].name; }
  std::string_view text(FileId file) const { return buffers[file.index()].text; }
  std::string_view text(Span span) const;
  Location locate(FileId file, std::uint32_t offset) const;
  /// The text of a one-based line, without its end.
  std::string_view line(FileId file, unsigned number) const;

private:
  struct Buffer {
    std::string name, text;
    std::vector<std::uint32_t> lineStarts;
  };
  std::deque<Buffer> buffers;
};

} // namespace attnc
