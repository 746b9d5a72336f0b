#include "attnc/arrays/Npz.h"

#include "attnc/arrays/Npy.h"
#include "attnc/arrays/ZipSource.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <tuple>
#include <unordered_set>

namespace attnc {

namespace {

constexpr std::string_view suffix = ".npy";
/// Deflate cannot make more than this of a byte (258 bytes for 2 bits), so a larger claim is a lie.
constexpr std::size_t mostInflation = 1032;

// The members of an archive are padded by an extra field of their headers so that their elements lie aligned, as
// Android's zipalign does: its field, two bytes that tell the alignment and then zeros.
constexpr std::uint16_t gapField = 0xd935, memberAlignment = 64;
constexpr std::size_t localHeader = 30, extraHeader = 4; // bytes

std::string gapBefore(std::size_t end) {
  std::string gap{char(memberAlignment), '\0'};
  gap.resize(gap.size() + (memberAlignment - (end + extraHeader + gap.size()) % memberAlignment) % memberAlignment);
  return gap;
}

struct CloseArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

struct ErrorOf {
  ErrorOf() { zip_error_init(&error); }
  ~ErrorOf() { zip_error_fini(&error); }
  ErrorOf(const ErrorOf &) = delete;
  bool noArchive() const { return zip_error_code_zip(&error) == ZIP_ER_NOZIP; }
  tl::unexpected<std::string> text() { return tl::unexpected<std::string>(zip_error_strerror(&error)); }
  zip_error_t error;
};

class Member {
public:
  Member(zip_t *archive, std::uint64_t index) : file(zip_fopen_index(archive, index, 0)) {
    if (!file)
      why = zip_strerror(archive);
  }
  /// Reads as much as there is, up to `count` bytes; nothing after an error.
  std::size_t read(char *into, std::size_t count) {
    std::size_t done = 0;
    while (file && why.empty() && done < count) {
      zip_int64_t got = zip_fread(file.get(), into + done, std::min<std::size_t>(count - done, 1 << 30));
      if (got < 0)
        why = zip_file_strerror(file.get());
      if (got <= 0)
        break;
      done += got;
    }
    return done;
  }
  std::string why;

private:
  std::unique_ptr<zip_file_t, CloseMember> file;
};

class Npz : public ArrayFile::Form {
public:
  explicit Npz(Bytes file) : source(std::move(file)) {}

  tl::expected<void, std::string> open() {
    ErrorOf error;
    zip_source_t *opened = source.open(&error.error);
    if (!opened)
      return error.text();
    archive.reset(zip_open_from_source(opened, ZIP_RDONLY, &error.error));
    if (!archive) {
      zip_source_free(opened);
      if (error.noArchive())
        return tl::unexpected<std::string>(
            "it is no zip archive, or its end, where the list of members is, is missing");
      return error.text();
    }
    std::unordered_set<std::string_view> seen;
    zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    keys.reserve(count);
    for (zip_int64_t i = 0; i < count; ++i) {
      const char *name = zip_get_name(archive.get(), i, ZIP_FL_ENC_GUESS);
      std::string_view key = name ? name : "";
      if (key.empty() || key.ends_with('/'))
        continue;
      if (key.ends_with(suffix))
        key.remove_suffix(suffix.size());
      keys.emplace_back(key);
      entries.push_back(i);
      if (!seen.insert(keys.back()).second)
        return tl::unexpected(fmt::format("it holds '{}' twice", shown(keys.back())));
    }
    return {};
  }

  tl::expected<Array, std::string> read(std::size_t index, std::size_t limit) const override {
    zip_stat_t about;
    if (zip_stat_index(archive.get(), entries[index], 0, &about) != 0)
      return tl::unexpected<std::string>(zip_strerror(archive.get()));
    constexpr auto needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if ((about.valid & needed) != needed)
      return tl::unexpected(fmt::format("the size of '{}' is not stated", shown(keys[index])));
    if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) && about.encryption_method != ZIP_EM_NONE)
      return tl::unexpected(fmt::format("'{}' is encrypted", shown(keys[index])));
    bool stored = about.comp_method == ZIP_CM_STORE;
    if (!stored && about.comp_method != ZIP_CM_DEFLATE)
      return tl::unexpected(fmt::format("'{}' is compressed by a method NumPy does not use", shown(keys[index])));
    if (about.comp_size > source.bytes().data.size() || about.size > about.comp_size * (stored ? 1 : mostInflation))
      return tl::unexpected(
          fmt::format("'{}' is said to be {}, more than the file can hold", shown(keys[index]), sizeText(about.size)));
    auto array = stored ? view(index, about.size, limit) : inflate(index, about.size, limit);
    if (!array)
      return tl::unexpected(fmt::format("'{}': {}", shown(keys[index]), array.error()));
    return array;
  }

private:
  /// A member that lies in the archive as it is. All of it is read once, which compares its checksum.
  tl::expected<Array, std::string> view(std::size_t index, std::size_t size, std::size_t limit) const {
    Member member(archive.get(), entries[index]);
    std::vector<char> part(std::min<std::size_t>(size, 1 << 16) + 1);
    std::size_t got = member.read(part.data(), part.size()), read = got;
    std::size_t begin = source.position() - got;
    std::span<const std::byte> all = source.bytes().data;
    bool here = begin <= all.size() && size <= all.size() - begin;
    for (; here && got > 0; read += got = member.read(part.data(), part.size()))
      here = read <= size && std::memcmp(all.data() + begin + read - got, part.data(), got) == 0;
    if (!member.why.empty())
      return tl::unexpected(member.why);
    if (!here || read != size)
      return tl::unexpected<std::string>("it is not as long as the archive says");
    return readNpy(source.bytes().part(begin, size), limit);
  }

  tl::expected<Array, std::string> inflate(std::size_t index, std::size_t size, std::size_t limit) const {
    Member member(archive.get(), entries[index]);
    std::string start(12, '\0');
    start.resize(member.read(start.data(), start.size()));
    if (!member.why.empty())
      return tl::unexpected(member.why);
    auto headerSize = npyHeaderSize(start);
    if (!headerSize)
      return tl::unexpected(headerSize.error());
    std::size_t read = start.size();
    if (*headerSize > size)
      return tl::unexpected<std::string>("it ends within its header");
    std::string text = start; // an empty version 1 header is shorter than `start`, and is refused below
    text.resize(std::max(*headerSize, read));
    text.resize(read + member.read(text.data() + read, text.size() - read));
    auto header = member.why.empty() ? parseNpyHeader(text) : tl::unexpected(member.why);
    if (!header)
      return tl::unexpected(header.error());
    std::size_t follow = size - header->dataOffset;
    if (follow != header->dataSize)
      return tl::unexpected(header->mismatch(follow));
    if (follow > limit)
      return tl::unexpected(overLimit(follow, limit));
    std::optional<Array> raw = Array::zeros(header->layout.dtype, header->layout.shape);
    if (!raw)
      return tl::unexpected(overLimit(follow, limit));
    char *into = reinterpret_cast<char *>(raw->mutableData()), beyond;
    bool whole =
        member.read(into, follow) == follow && member.read(&beyond, 1) == 0; // its checksum is compared at the end
    if (!member.why.empty())
      return tl::unexpected(member.why);
    if (!whole)
      return tl::unexpected<std::string>("it is not as long as the archive says");
    return arrayIn({{raw->data(), follow}, std::make_shared<Array>(*raw)}, header->layout, limit);
  }

  // Reading a member moves the place in the source; the archive, which points to it, is closed first.
  mutable ZipSource source;
  Archive archive;
  std::vector<std::uint64_t> entries;
};

} // namespace

tl::expected<std::shared_ptr<const ArrayFile::Form>, std::string> openNpz(Bytes file) {
  auto npz = std::make_shared<Npz>(std::move(file));
  if (auto opened = npz->open(); !opened)
    return tl::unexpected(opened.error());
  return npz;
}

tl::expected<std::string, std::string> npzText(const NamedArrays &arrays) {
  constexpr std::uint16_t firstDay = 1 << 5 | 1;
  ErrorOf error;
  zip_source_t *target = zip_source_buffer_create(nullptr, 0, 0, &error.error);
  if (!target)
    return error.text();
  zip_source_keep(target); // the archive consumes one reference, reading back the other
  std::unique_ptr<zip_source_t, void (*)(zip_source_t *)> held(target, zip_source_free);
  Archive archive(zip_open_from_source(target, ZIP_TRUNCATE, &error.error));
  if (!archive) {
    zip_source_free(target);
    return error.text();
  }
  std::vector<std::string> files;
  files.reserve(arrays.size()); // the sources point into it
  std::size_t end = 0;
  for (const auto &[name, array] : arrays) {
    files.push_back(npyText(array));
    std::string member = name + std::string(suffix), gap = gapBefore(end + localHeader + member.size());
    end += localHeader + member.size() + extraHeader + gap.size() + files.back().size();
    zip_source_t *source = zip_source_buffer(archive.get(), files.back().data(), files.back().size(), 0);
    if (!source)
      return tl::unexpected<std::string>(zip_strerror(archive.get()));
    zip_int64_t index = zip_file_add(archive.get(), member.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return tl::unexpected(fmt::format("'{}': {}", shown(name), zip_strerror(archive.get())));
    }
    if (zip_set_file_compression(archive.get(), index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), index, 0, firstDay, 0) != 0 ||
        zip_file_extra_field_set(archive.get(), index, gapField, ZIP_EXTRA_FIELD_NEW,
                                 reinterpret_cast<const zip_uint8_t *>(gap.data()), gap.size(), ZIP_FL_LOCAL) != 0)
      return tl::unexpected<std::string>(zip_strerror(archive.get()));
  }
  if (zip_close(archive.get()) != 0)
    return tl::unexpected<std::string>(zip_strerror(archive.get()));
  std::ignore = archive.release(); // closing has freed it
  if (arrays.empty())              // libzip writes no archive at all then
    return std::string("PK\5\6", 4) + std::string(18, '\0');
  zip_stat_t about;
  if (zip_source_stat(target, &about) != 0 || !(about.valid & ZIP_STAT_SIZE) || zip_source_open(target) != 0)
    return tl::unexpected<std::string>(zip_error_strerror(zip_source_error(target)));
  std::string text(about.size, '\0');
  zip_int64_t got = zip_source_read(target, text.data(), text.size());
  zip_source_close(target);
  if (got != static_cast<zip_int64_t>(text.size()))
    return tl::unexpected<std::string>("the archive could not be read back");
  return text;
}

} // namespace attnc
