#include "Samples.h"

#include <Eigen/Core>
#include <cmath>
#include <limits>

using namespace attnc;
using namespace attnc::test;

template <class T> static Array arrayOf(DType dtype, const std::vector<T> &values) {
  Array array = *Array::zeros(dtype, {std::int64_t(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i)
    array.mutableAs<T>()[i] = values[i];
  return array;
}

template <class T> static std::vector<T> values(const Array &array) {
  auto span = array.as<T>();
  return {span.begin(), span.end()};
}

static double value16(DType dtype, std::uint16_t bits) {
  int mantissaBits = dtype == DType::F16 ? 10 : 7, bias = dtype == DType::F16 ? 15 : 127;
  int exponent = (bits & 0x7FFF) >> mantissaBits, mantissa = bits & ((1 << mantissaBits) - 1);
  if (exponent == (dtype == DType::F16 ? 31 : 255))
    return mantissa ? NAN : (bits & 0x8000 ? -INFINITY : INFINITY);
  double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissaBits)
                                   : std::ldexp(mantissa + (1 << mantissaBits), exponent - bias - mantissaBits);
  return bits & 0x8000 ? -magnitude : magnitude;
}

TEST_CASE("sizes of arrays are checked before memory is taken") {
  using Shape = std::vector<std::int64_t>;
  CHECK(byteSize(DType::F64, Shape{}) == 8u);
  CHECK(byteSize(DType::F32, Shape{3, 0, 2}) == 0u);
  CHECK(byteSize(DType::Bool, Shape{INT64_MAX}) == std::size_t(INT64_MAX));
  CHECK(!byteSize(DType::I16, Shape{INT64_MAX}));
  CHECK(!byteSize(DType::F64, Shape{-1}));
  CHECK(!byteSize(DType::F64, Shape{0, std::int64_t(1) << 40, std::int64_t(1) << 40})); // its strides overflow
  CHECK(!Array::zeros(DType::F64, {std::int64_t(1) << 60}));
  CHECK(!Array::zeros(DType::Bool, {INT64_MAX}));
  CHECK(!Array::zeros(DType::Bool, {-3}));
  Array empty = *Array::zeros(DType::I32, {0, 5});
  CHECK(empty.elementCount() == 0);
  CHECK(empty.as<std::int32_t>().empty());
  CHECK(shapeText(std::vector<std::int64_t>{24, 32}) == "[24 32]");
  CHECK(shapeText({}) == "[]");
}

TEST_CASE("zeros are zero, aligned for every vector unit, and each an array of its own") {
  for (DType dtype : allTypes) {
    Array a = *Array::zeros(dtype, {3, 3}), b = *Array::zeros(dtype, {3, 3});
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
    CHECK(a.data() != b.data());
    for (std::size_t i = 0; i < a.byteCount(); ++i)
      REQUIRE(a.data()[i] == std::byte(0));
  }
}

TEST_CASE("every 16-bit float is read exactly and comes back") {
  for (DType dtype : {DType::F16, DType::BF16}) {
    Array all = *Array::zeros(dtype, {1 << 16});
    for (unsigned i = 0; i < 1 << 16; ++i)
      all.mutableAs<std::uint16_t>()[i] = i;
    Array wide = *all.converted(DType::F64), back = *wide.converted(dtype), single = *all.converted(DType::F32);
    for (unsigned i = 0; i < 1 << 16; ++i) {
      double expected = value16(dtype, i), got = wide.as<double>()[i];
      if (std::isnan(expected)) {
        REQUIRE(std::isnan(got));
        REQUIRE(std::isnan(single.as<float>()[i]));
        continue;
      }
      REQUIRE(got == expected);
      REQUIRE(single.as<float>()[i] == expected);
      REQUIRE(back.as<std::uint16_t>()[i] == i);
    }
  }
}

TEST_CASE("64-bit numbers round once to 16 bits: to the nearer, ties to even") {
  std::mt19937_64 random(7);
  for (DType dtype : {DType::F16, DType::BF16})
    for (int round = 0; round < 20000; ++round) {
      std::uint16_t low = random() & 0x7FFF;
      double a = value16(dtype, low), b = value16(dtype, low + 1);
      if (!std::isfinite(a) || !std::isfinite(b))
        continue;
      double middle = a + (b - a) / 2, above = std::nextafter(middle, b), below = std::nextafter(middle, a);
      std::uint16_t even = low % 2 ? low + 1 : low;
      auto got = values<std::uint16_t>(
          *arrayOf<double>(DType::F64, {middle, above, below, -middle, -above, -below}).converted(dtype));
      REQUIRE(got[0] == even);
      REQUIRE(got[1] == low + 1);
      REQUIRE(got[2] == low);
      REQUIRE(got[3] == (even | 0x8000));
      REQUIRE(got[4] == (std::uint16_t(low + 1) | 0x8000));
      REQUIRE(got[5] == (low | 0x8000));
    }
}

TEST_CASE("64-bit ints round once to bfloat16 and float32") {
  std::int64_t tie = (std::int64_t(1) << 60) + (std::int64_t(1) << 52); // half way between two bfloat16
  CHECK(values<std::uint16_t>(
            *arrayOf<std::int64_t>(DType::I64, {tie, tie + 1, tie - 1, -tie - 1}).converted(DType::BF16)) ==
        std::vector<std::uint16_t>{0x5D80, 0x5D81, 0x5D80, 0xDD81});
  CHECK(values<std::uint16_t>(*arrayOf<std::uint64_t>(DType::U64, {UINT64_MAX, 0, 1}).converted(DType::BF16)) ==
        std::vector<std::uint16_t>{0x5F80, 0, 0x3F80});
  CHECK(values<float>(
            *arrayOf<std::int64_t>(DType::I64, {INT64_MIN, (1 << 24) + 1, (1 << 24) + 3}).converted(DType::F32)) ==
        std::vector<float>{-0x1p63f, 0x1p24f, 0x1p24f + 4});
  CHECK(values<double>(*arrayOf<std::int64_t>(DType::I64, {(std::int64_t(1) << 53) + 1}).converted(DType::F64)) ==
        std::vector<double>{0x1p53});
}

TEST_CASE("floats round to float32, and past its range to infinity") {
  auto got = values<float>(
      *arrayOf<double>(DType::F64, {0.1, 1e300, -1e300, 1e-300, 1 + 0x1p-24, 1 + 0x3p-24}).converted(DType::F32));
  CHECK(got == std::vector<float>{0.1f, INFINITY, -INFINITY, 0, 1, 1 + 0x1p-22f});
  auto half =
      values<std::uint16_t>(*arrayOf<float>(DType::F32, {65504, 65519.99f, 65520, -1e30f}).converted(DType::F16));
  CHECK(half == std::vector<std::uint16_t>{0x7BFF, 0x7BFF, 0x7C00, 0xFC00});
}

TEST_CASE("floats become ints by rounding to even, with the nearest end where they do not fit") {
  Array reals = arrayOf<double>(DType::F64, {0.5, 1.5, -2.5, 300, -300, 1e30, -1e30, NAN, INFINITY});
  CHECK(values<std::int8_t>(*reals.converted(DType::I8)) ==
        std::vector<std::int8_t>{0, 2, -2, 127, -128, 127, -128, 0, 127});
  CHECK(values<std::uint8_t>(*reals.converted(DType::U8)) ==
        std::vector<std::uint8_t>{0, 2, 0, 255, 0, 255, 0, 0, 255});
  CHECK(values<std::int64_t>(*reals.converted(DType::I64)) ==
        std::vector<std::int64_t>{0, 2, -2, 300, -300, INT64_MAX, INT64_MIN, 0, INT64_MAX});
  CHECK(values<std::uint64_t>(*arrayOf<double>(DType::F64, {0x1p63, 0x1p64, -0.4}).converted(DType::U64)) ==
        std::vector<std::uint64_t>{std::uint64_t(1) << 63, UINT64_MAX, 0});
}

TEST_CASE("ints become narrower ints at the nearest end") {
  Array ints = arrayOf<std::int64_t>(DType::I64, {-1, 200, 70000, INT64_MIN, INT64_MAX});
  CHECK(values<std::int8_t>(*ints.converted(DType::I8)) == std::vector<std::int8_t>{-1, 127, 127, -128, 127});
  CHECK(values<std::uint16_t>(*ints.converted(DType::U16)) == std::vector<std::uint16_t>{0, 200, 65535, 0, 65535});
  CHECK(values<std::uint64_t>(*ints.converted(DType::U64)) ==
        std::vector<std::uint64_t>{0, 200, 70000, 0, std::uint64_t(INT64_MAX)});
  CHECK(values<std::int64_t>(*arrayOf<std::uint64_t>(DType::U64, {UINT64_MAX, 5}).converted(DType::I64)) ==
        std::vector<std::int64_t>{INT64_MAX, 5});
}

TEST_CASE("a bool is what is not zero, and 0 or 1 as a number") {
  CHECK(values<bool>(*arrayOf<double>(DType::F64, {0, -0.0, 1e-300, NAN, 2}).converted(DType::Bool)) ==
        std::vector<bool>{false, false, true, true, true});
  CHECK(values<bool>(*arrayOf<std::uint16_t>(DType::F16, {0x8000, 1}).converted(DType::Bool)) ==
        std::vector<bool>{false, true});
  for (DType dtype : allTypes) {
    Array back = *arrayOf<bool>(DType::Bool, {true, false}).converted(dtype)->converted(DType::F64);
    CHECK(values<double>(back) == std::vector<double>{1, 0});
  }
}

TEST_CASE("small whole numbers pass through any two types unchanged, with their shape") {
  for (DType from : allTypes)
    for (DType to : allTypes) {
      Array start = *arrayOf<std::int8_t>(DType::I8, {0, 1}).converted(from);
      Array through = *start.converted(to)->converted(from);
      CHECK(same(start, through));
      CHECK(sample(from, {2, 0, 3}).converted(to)->shape() == std::vector<std::int64_t>{2, 0, 3});
    }
}

TEST_CASE("float32 to 16 bits agrees with Eigen on arbitrary bits") {
  Array floats = sample(DType::F32, {40000}, 11), half = *floats.converted(DType::F16),
        brain = *floats.converted(DType::BF16);
  for (std::int64_t i = 0; i < floats.elementCount(); ++i) {
    float value = floats.as<float>()[i];
    if (std::isnan(value))
      continue;
    REQUIRE(half.as<std::uint16_t>()[i] == Eigen::half(value).x);
    REQUIRE(brain.as<std::uint16_t>()[i] == Eigen::bfloat16(value).value);
  }
}
