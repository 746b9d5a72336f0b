#include "attnc/arrays/ArrayFile.h"
#include "attnc/arrays/Npy.h"
#include "attnc/arrays/Npz.h"
#include "attnc/arrays/Safetensors.h"

#include <cstdlib>
#include <cstring>

using namespace attnc;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static bool same(const Array &a, const Array &b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.byteCount() == 0 || std::memcmp(a.data(), b.data(), a.byteCount()) == 0);
}

/// Any bytes are an error or arrays; the arrays can be converted, and come back from every form they are written in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  constexpr std::size_t limit = 1 << 22;
  std::size_t shift = size % 2; // every other input lies as badly aligned as a file may
  Bytes all = Bytes::of(std::string(shift, ' ') + std::string(reinterpret_cast<const char *>(data), size));
  for (const char *name : {"x.npy", "x.npz", "x.safetensors"}) {
    auto file = ArrayFile::of(all.part(shift, size), name);
    if (!file) {
      require(!file.error().empty() && isUtf8(file.error()));
      continue;
    }
    NamedArrays arrays;
    for (const std::string &key : file->keys()) {
      auto array = file->read(key, limit);
      if (!array) {
        require(!array.error().empty() && isUtf8(array.error()));
        continue;
      }
      require(array->byteCount() <= size || array->byteCount() <= limit);
      require(array->converted(DType::F64) && array->converted(DType::BF16) && array->converted(DType::I32) &&
              array->converted(DType::Bool));
      auto again =
          ArrayFile::of(Bytes::of(npyText(*array))).and_then([](const ArrayFile &npy) { return npy.read(""); });
      require(again && same(*again, *array));
      if (!key.empty() && key != "__metadata__" && key.find('\0') == std::string::npos && arrays.size() < 8)
        arrays.emplace_back(key, *array);
    }
    if (auto text = safetensorsText(arrays)) {
      auto again = ArrayFile::of(Bytes::of(*text));
      require(again.has_value());
      for (const auto &[key, array] : arrays)
        require(same(*again->read(key), array));
    }
    if (auto text = npzText(arrays)) {
      auto again = ArrayFile::of(Bytes::of(*text));
      require(again.has_value());
    }
  }
  return 0;
}
