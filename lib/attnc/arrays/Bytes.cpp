#include "attnc/arrays/Bytes.h"

#include "attnc/support/File.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace attnc {

static constexpr std::size_t mapFrom = 1 << 20;
static_assert(std::endian::native == std::endian::little, "array files are read as little-endian machines do");

Bytes Bytes::of(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {std::as_bytes(std::span(owner->data(), owner->size())), owner};
}

tl::expected<Bytes, std::string> Bytes::ofFile(const std::filesystem::path &path) {
  struct stat status;
  bool large = path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
               static_cast<std::uint64_t>(status.st_size) >= mapFrom;
  if (!large)
    return readFile(path).map([](std::string text) { return of(std::move(text)); });
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return tl::unexpected<std::string>(std::strerror(errno));
  void *address = MAP_FAILED;
  std::size_t size = 0;
  if (::fstat(fd, &status) == 0 && status.st_size > 0) { // of what was opened, which may not be what was found
    size = status.st_size;
    address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  }
  int error = errno;
  ::close(fd);
  if (address == MAP_FAILED)
    return tl::unexpected<std::string>(size == 0 ? "it is empty" : std::strerror(error));
  std::shared_ptr<const void> owner(address, [size](const void *p) { ::munmap(const_cast<void *>(p), size); });
  return Bytes{{static_cast<const std::byte *>(address), size}, std::move(owner)};
}

namespace {

template <class T> T swapped(T value) {
  if constexpr (sizeof(T) == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof(T) == 4)
    return __builtin_bswap32(value);
  else if constexpr (sizeof(T) == 8)
    return __builtin_bswap64(value);
  else
    return value;
}

/// Copies elements of the width of T into row-major order.
template <class T> void gather(const std::byte *source, const Layout &layout, Array &result) {
  std::size_t rank = layout.shape.size(), count = result.elementCount();
  std::vector<std::size_t> strides(rank), index(rank);
  std::size_t stride = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    strides[i] = stride;
    stride *= layout.shape[i];
  }
  T *out = reinterpret_cast<T *>(result.mutableData());
  std::size_t from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, source + (layout.fortran ? from : i) * sizeof(T), sizeof(T));
    if (layout.bigEndian)
      value = swapped(value);
    if (layout.dtype == DType::Bool)
      value = value != 0;
    out[i] = value;
    for (std::size_t axis = layout.fortran ? rank : 0; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < static_cast<std::size_t>(layout.shape[axis]))
        break;
      from -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

} // namespace

tl::expected<Array, std::string> arrayIn(const Bytes &bytes, const Layout &layout, std::size_t limit) {
  std::size_t width = byteSize(layout.dtype);
  bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data.data()) % width == 0;
  bool reordered =
      layout.fortran && std::count_if(layout.shape.begin(), layout.shape.end(), [](auto n) { return n != 1; }) > 1;
  bool canonical = layout.dtype != DType::Bool ||
                   std::all_of(bytes.data.begin(), bytes.data.end(), [](std::byte b) { return b <= std::byte(1); });
  bool asIs = canonical && !reordered && !(layout.bigEndian && width > 1);
  if (asIs && aligned)
    return Array::view(layout.dtype, layout.shape, bytes.data.data(), bytes.owner);
  if (bytes.data.size() > limit)
    return tl::unexpected(overLimit(bytes.data.size(), limit));
  std::optional<Array> result = Array::zeros(layout.dtype, layout.shape);
  if (!result)
    return tl::unexpected(overLimit(bytes.data.size(), limit));
  if (asIs) {
    if (!bytes.data.empty())
      std::memcpy(result->mutableData(), bytes.data.data(), bytes.data.size());
    return *result;
  }
  switch (width) {
  case 1:
    gather<std::uint8_t>(bytes.data.data(), layout, *result);
    break;
  case 2:
    gather<std::uint16_t>(bytes.data.data(), layout, *result);
    break;
  case 4:
    gather<std::uint32_t>(bytes.data.data(), layout, *result);
    break;
  default:
    gather<std::uint64_t>(bytes.data.data(), layout, *result);
  }
  return *result;
}

static std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out = quoted(text.substr(0, longest));
  return out.substr(1, out.size() - 2) + (text.size() > longest ? "…" : "");
}

bool isUtf8(std::string_view text) {
  return nlohmann::json::parse(quoted(text)).get_ref<const std::string &>() == text;
}

std::string sizeText(std::size_t bytes) {
  constexpr std::string_view units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string overLimit(std::size_t bytes, std::size_t limit) {
  if (bytes > limit)
    return fmt::format("it needs {} of memory, and the limit is {}", sizeText(bytes), sizeText(limit));
  return fmt::format("there is no memory for its {}", sizeText(bytes));
}

} // namespace attnc
