#include "attnc/kernel/Marshal.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace attnc {

static tl::expected<std::vector<std::int64_t>, std::string> shapeOf(const KernelArgument &argument,
                                                                    const Size::Values &sizes) {
  std::vector<std::int64_t> shape;
  for (const Size &axis : argument.type.axes) {
    std::optional<std::int64_t> value = axis.evaluate(sizes);
    if (!value)
      return tl::unexpected(fmt::format("the size {} of `{}` has no value", axis.str(), argument.name));
    if (*value < 0)
      return tl::unexpected(fmt::format("the size {} of `{}` is {}", axis.str(), argument.name, *value));
    shape.push_back(*value);
  }
  return shape;
}

tl::expected<Array, std::string> argumentArray(const KernelArgument &argument, const Array &given,
                                               const Size::Values &sizes) {
  auto shape = shapeOf(argument, sizes);
  if (!shape)
    return tl::unexpected(shape.error());
  if (given.shape() != *shape)
    return tl::unexpected(fmt::format("`{}` has shape {}, but {} is {}", argument.name, shapeText(given.shape()),
                                      argument.type.str(), shapeText(*shape)));
  auto noMemory = [&] {
    return tl::unexpected(fmt::format("no memory for `{}` as {}", argument.name, name(argument.dtype)));
  };
  if (given.dtype() != argument.dtype) {
    std::optional<Array> converted = given.converted(argument.dtype);
    if (!converted)
      return noMemory();
    return *converted;
  }
  if (reinterpret_cast<std::uintptr_t>(given.data()) % byteSize(given.dtype()) == 0)
    return given;
  // An array inside a mapped file may lie at any byte.
  std::optional<Array> aligned = Array::zeros(given.dtype(), given.shape());
  if (!aligned)
    return noMemory();
  std::memcpy(aligned->mutableData(), given.data(), given.byteCount());
  return *aligned;
}

tl::expected<Array, std::string> poisonedArray(const KernelArgument &argument, const Size::Values &sizes) {
  auto shape = shapeOf(argument, sizes);
  if (!shape)
    return tl::unexpected(shape.error());
  std::optional<Array> array = Array::zeros(argument.dtype, *shape);
  if (!array)
    return tl::unexpected(fmt::format("no memory for `{}` of shape {}", argument.name, shapeText(*shape)));
  switch (argument.dtype) {
  case DType::F32:
    std::ranges::fill(array->mutableAs<float>(), std::numeric_limits<float>::quiet_NaN());
    break;
  case DType::F64:
    std::ranges::fill(array->mutableAs<double>(), std::numeric_limits<double>::quiet_NaN());
    break;
  case DType::BF16:
    std::ranges::fill(array->mutableAs<std::uint16_t>(), std::uint16_t(0x7fc0));
    break;
  default:
    if (array->byteCount() > 0)
      std::memset(array->mutableData(), 0x7f, array->byteCount());
  }
  return std::move(*array);
}

} // namespace attnc
