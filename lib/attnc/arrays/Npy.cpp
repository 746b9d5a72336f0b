#include "attnc/arrays/Npy.h"

#include <cstring>
#include <fmt/format.h>

namespace attnc {

namespace {

constexpr std::size_t mostAxes = 64; // NumPy's own bound

struct Letter {
  DType dtype;
  std::string_view code; // kind and bytes
};
constexpr Letter letters[] = {{DType::Bool, "b1"}, {DType::I8, "i1"},  {DType::I16, "i2"}, {DType::I32, "i4"},
                              {DType::I64, "i8"},  {DType::U8, "u1"},  {DType::U16, "u2"}, {DType::U32, "u4"},
                              {DType::U64, "u8"},  {DType::F16, "f2"}, {DType::F32, "f4"}, {DType::F64, "f8"}};
constexpr std::string_view brain = "bfloat16";

std::uint32_t littleEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

tl::expected<void, std::string> readDescr(std::string_view descr, Layout &layout) {
  if (descr == brain || descr == "<bfloat16") {
    layout.dtype = DType::BF16;
    return {};
  }
  if (descr == "?") {
    layout.dtype = DType::Bool;
    return {};
  }
  std::string_view code = descr;
  if (!code.empty() && std::string_view("<>|=").find(code[0]) != std::string_view::npos) {
    layout.bigEndian = code[0] == '>';
    code.remove_prefix(1);
  }
  for (const Letter &letter : letters)
    if (letter.code == code) {
      layout.dtype = letter.dtype;
      return {};
    }
  if (code == "V2")
    return tl::unexpected(fmt::format("its elements are '{}', two bytes of no stated meaning; if they are bfloat16, "
                                      "save them as float32 or as .safetensors",
                                      shown(descr)));
  if (code == "O")
    return tl::unexpected<std::string>("its elements are Python objects, which are not read");
  return tl::unexpected(fmt::format("elements of type '{}' are not numbers attnc knows", shown(descr)));
}

/// Reads the Python literal of the header, of which only this much is ever written.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : text(text) {}

  tl::expected<Layout, std::string> read() {
    Layout layout;
    bool descr = false, order = false, shape = false;
    if (!take('{'))
      return bad("it is no dictionary");
    while (!take('}')) {
      std::string_view key;
      if (!string(key) || !take(':'))
        return bad("a key is expected");
      bool *seen = key == "descr" ? &descr : key == "fortran_order" ? &order : key == "shape" ? &shape : nullptr;
      if (!seen)
        return bad(fmt::format("it has an unknown key '{}'", shown(key)));
      if (*seen)
        return bad(fmt::format("'{}' stands twice", key));
      *seen = true;
      if (seen == &descr) {
        std::string_view value;
        if (take('['))
          return tl::unexpected<std::string>("its elements are records, which are not read");
        if (!string(value))
          return bad("'descr' is not a string");
        if (auto known = readDescr(value, layout); !known)
          return tl::unexpected(known.error());
      } else if (seen == &order) {
        if (word("True"))
          layout.fortran = true;
        else if (!word("False"))
          return bad("'fortran_order' is not True or False");
      } else if (!tuple(layout.shape)) {
        return bad("'shape' is not a tuple of sizes");
      }
      if (!take(',')) {
        if (!take('}'))
          return bad("a comma is expected");
        break;
      }
    }
    blanks();
    if (!text.empty())
      return bad("something follows it");
    if (!descr || !order || !shape)
      return bad(fmt::format("'{}' is missing", !descr ? "descr" : !order ? "fortran_order" : "shape"));
    if (layout.shape.size() > mostAxes)
      return tl::unexpected(fmt::format("it has {} axes; at most {} are read", layout.shape.size(), mostAxes));
    return layout;
  }

private:
  static tl::unexpected<std::string> bad(const std::string &why) {
    return tl::unexpected("its header is broken: " + why);
  }

  void blanks() {
    std::size_t end = text.find_first_not_of(" \t\r\n\f\v");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  bool take(char c) {
    blanks();
    if (text.empty() || text[0] != c)
      return false;
    text.remove_prefix(1);
    return true;
  }
  bool word(std::string_view expected) {
    blanks();
    if (!text.starts_with(expected))
      return false;
    text.remove_prefix(expected.size());
    return true;
  }
  bool string(std::string_view &value) {
    blanks();
    if (text.empty() || (text[0] != '\'' && text[0] != '"'))
      return false;
    std::size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return value.find('\\') == std::string_view::npos;
  }
  bool tuple(std::vector<std::int64_t> &sizes) {
    if (!take('('))
      return false;
    for (bool comma = true; !take(')');) {
      std::int64_t size = 0;
      if (!comma || !number(size))
        return false;
      sizes.push_back(size);
      comma = take(',');
      if (!comma && sizes.size() == 1) // (3) is a number in Python
        return false;
    }
    return true;
  }
  bool number(std::int64_t &value) {
    blanks();
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[digits] - '0', &value))
        return false;
    text.remove_prefix(digits);
    if (digits > 0 && text.starts_with('L')) // Python 2 wrote 3L
      text.remove_prefix(1);
    return digits > 0;
  }

  std::string_view text;
};

} // namespace

std::string NpyHeader::mismatch(std::size_t present) const {
  return fmt::format("its header says {} {}, which is {} bytes, but {} bytes follow", name(layout.dtype),
                     shapeText(layout.shape), dataSize, present);
}

tl::expected<std::size_t, std::string> npyHeaderSize(std::string_view start) {
  if (!start.starts_with(npyMagic))
    return tl::unexpected<std::string>("it does not begin as an .npy file does");
  if (start.size() < 10)
    return tl::unexpected<std::string>("it ends within its header");
  unsigned major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    return tl::unexpected(fmt::format("its format version {}.{} is not known", major, minor));
  std::size_t prefix = major == 1 ? 10 : 12;
  if (start.size() < prefix)
    return tl::unexpected<std::string>("it ends within its header");
  std::size_t size = prefix + littleEndian(start.substr(8, prefix - 8));
  if (size > longestNpyHeader)
    return tl::unexpected(fmt::format("its header is said to be {}", sizeText(size)));
  return size;
}

tl::expected<NpyHeader, std::string> parseNpyHeader(std::string_view start) {
  auto size = npyHeaderSize(start);
  if (!size)
    return tl::unexpected(size.error());
  if (*size > start.size())
    return tl::unexpected<std::string>("it ends within its header");
  std::size_t prefix = start[6] == 1 ? 10 : 12;
  auto layout = HeaderReader(start.substr(prefix, *size - prefix)).read();
  if (!layout)
    return tl::unexpected(layout.error());
  auto bytes = byteSize(layout->dtype, layout->shape);
  if (!bytes)
    return tl::unexpected(fmt::format("its shape {} is too large for any memory", shapeText(layout->shape)));
  return NpyHeader{std::move(*layout), *size, *bytes};
}

tl::expected<Array, std::string> readNpy(const Bytes &file, std::size_t limit) {
  auto header = parseNpyHeader(file.text());
  if (!header)
    return tl::unexpected(header.error());
  std::size_t present = file.data.size() - header->dataOffset;
  if (present != header->dataSize)
    return tl::unexpected(header->mismatch(present));
  return arrayIn(file.part(header->dataOffset, present), header->layout, limit);
}

std::string npyHeaderText(DType dtype, std::span<const std::int64_t> shape) {
  std::string descr(brain);
  for (const Letter &letter : letters)
    if (letter.dtype == dtype)
      descr = (byteSize(dtype) == 1 ? "|" : "<") + std::string(letter.code);
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                       fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  auto padded = [&](std::size_t prefix) {
    std::size_t total = (prefix + dictionary.size() + 1 + 63) / 64 * 64;
    return dictionary + std::string(total - prefix - dictionary.size() - 1, ' ') + "\n";
  };
  bool first = padded(10).size() <= 0xFFFF;
  std::string rest = padded(first ? 10 : 12), text(npyMagic);
  text += first ? '\1' : '\2';
  text += '\0';
  for (unsigned i = 0; i < (first ? 2 : 4); ++i)
    text += static_cast<char>(rest.size() >> (8 * i));
  return text + rest;
}

std::string npyText(const Array &array) {
  std::string text = npyHeaderText(array.dtype(), array.shape());
  text.append(reinterpret_cast<const char *>(array.data()), array.byteCount());
  return text;
}

} // namespace attnc
