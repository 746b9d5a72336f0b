#include "attnc/support/Source.h"

#include <algorithm>

namespace attnc {

Span Span::join(Span a, Span b) {
  if (!a.valid())
    return b;
  if (!b.valid() || a.file != b.file)
    return a;
  return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

FileId SourceManager::add(std::string name, std::string text) {
  Buffer buffer{std::move(name), std::move(text), {0}};
  for (std::uint32_t i = 0; i < buffer.text.size(); ++i)
    if (buffer.text[i] == '\n')
      buffer.lineStarts.push_back(i + 1);
  buffers.push_back(std::move(buffer));
  return FileId(buffers.size() - 1);
}

std::string_view SourceManager::text(Span span) const {
  return text(span.file).substr(span.begin, span.end - span.begin);
}

static bool startsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

Location SourceManager::locate(FileId file, std::uint32_t offset) const {
  const Buffer &buffer = buffers[file.index()];
  offset = std::min<std::uint32_t>(offset, buffer.text.size());
  auto next = std::upper_bound(buffer.lineStarts.begin(), buffer.lineStarts.end(), offset);
  unsigned line = next - buffer.lineStarts.begin();
  std::uint32_t start = buffer.lineStarts[line - 1];
  unsigned column = 1 + std::count_if(buffer.text.begin() + start, buffer.text.begin() + offset, startsCharacter);
  return {line, column};
}

std::string_view SourceManager::line(FileId file, unsigned number) const {
  const Buffer &buffer = buffers[file.index()];
  std::uint32_t begin = buffer.lineStarts[number - 1];
  std::uint32_t end = number < buffer.lineStarts.size() ? buffer.lineStarts[number] - 1 : buffer.text.size();
  std::string_view line = std::string_view(buffer.text).substr(begin, end - begin);
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  return line;
}

} // namespace attnc
