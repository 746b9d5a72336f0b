#include "attnc/driver/Summary.h"

#include <fmt/format.h>

namespace attnc {

namespace {

constexpr std::int64_t shown = 3; // at each end of an axis

std::string element(const Array &values, std::int64_t index) {
  return fmt::format("{:.6g}", values.as<double>()[index]);
}

void elements(std::string &out, const Array &values, std::size_t axis, std::int64_t offset, std::size_t indent) {
  const auto &shape = values.shape();
  if (axis == shape.size()) {
    out += element(values, offset);
    return;
  }
  std::int64_t stride = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i)
    stride *= shape[i];
  bool innermost = axis + 1 == shape.size();
  out += "[";
  for (std::int64_t i = 0; i < shape[axis]; ++i) {
    if (i > 0)
      out += innermost ? " " : "\n" + std::string(indent + axis + 1, ' ');
    if (shape[axis] > 2 * shown + 1 && i == shown) {
      out += "…";
      i = shape[axis] - shown - 1;
      continue;
    }
    elements(out, values, axis + 1, offset + i * stride, indent);
  }
  out += "]";
}

} // namespace

std::string summary(const std::string &name, const Array &array) {
  std::string out = fmt::format("{}: {}{}\n", name, attnc::name(array.dtype()),
                                array.shape().empty() ? "" : " " + shapeText(array.shape()));
  auto values = array.converted(DType::F64);
  if (!values)
    return out;
  out += "  ";
  elements(out, *values, 0, 0, 2);
  return out + "\n";
}

} // namespace attnc
