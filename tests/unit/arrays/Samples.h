#pragma once
#include "../Folder.h"
#include "attnc/arrays/ArrayFile.h"
#include "attnc/support/File.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

namespace attnc::test {

inline constexpr DType allTypes[] = {DType::Bool, DType::I8,  DType::I16, DType::I32, DType::I64,
                                     DType::U8,   DType::U16, DType::U32, DType::U64, DType::F16,
                                     DType::BF16, DType::F32, DType::F64};
inline const std::vector<std::vector<std::int64_t>> someShapes = {{},        {1},    {0},       {7},         {3, 5},
                                                                  {2, 0, 3}, {1, 1}, {2, 3, 4}, {1, 5, 1, 2}};

/// An array of arbitrary bits (0 or 1 for bools).
inline Array sample(DType dtype, std::vector<std::int64_t> shape, unsigned seed = 1) {
  Array array = *Array::zeros(dtype, std::move(shape));
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < array.byteCount(); ++i)
    array.mutableData()[i] = std::byte(dtype == DType::Bool ? random() & 1 : random());
  return array;
}

inline bool same(const Array &a, const Array &b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.byteCount() == 0 || std::memcmp(a.data(), b.data(), a.byteCount()) == 0);
}

/// Why bytes cannot be read, as a whole or for any of their arrays; empty when they can.
inline std::string refusal(const std::string &bytes, const std::string &name = "", std::size_t limit = SIZE_MAX) {
  auto file = ArrayFile::of(Bytes::of(bytes), name);
  if (!file)
    return file.error();
  for (const std::string &key : file->keys())
    if (auto array = file->read(key, limit); !array)
      return array.error();
  return "";
}

inline Array readOne(const std::string &bytes, std::string_view key = "") {
  auto file = ArrayFile::of(Bytes::of(bytes));
  INFO((file ? "" : file.error()));
  REQUIRE(file);
  auto array = file->read(key);
  INFO((array ? "" : array.error()));
  REQUIRE(array);
  return *array;
}

} // namespace attnc::test
