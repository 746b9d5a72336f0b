#include "attnc/bind/Random.h"

#include "attnc/support/Hash.h"
#include "attnc/theory/Pointwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attnc {

std::optional<Array> randomArray(Kind kind, std::vector<std::int64_t> shape, std::string_view name, std::int64_t seed,
                                 double deviation) {
  DType dtype = kind == Kind::Real ? DType::F64 : kind == Kind::Int ? DType::I64 : DType::Bool;
  std::optional<Array> array = Array::zeros(dtype, std::move(shape));
  if (!array)
    return std::nullopt;
  std::int64_t stream = static_cast<std::int64_t>(counterHash(seed, hash128(name).low)), count = array->elementCount();
  switch (kind) {
  case Kind::Real: {
    std::span<double> values = array->mutableAs<double>();
    for (std::int64_t i = 0; i < count; i += 2) {
      double radius = deviation * std::sqrt(-2 * std::log(uniform(stream, i)));
      double angle = 2 * std::numbers::pi * uniform(stream, i + 1);
      values[i] = radius * std::cos(angle);
      if (i + 1 < count)
        values[i + 1] = radius * std::sin(angle);
    }
    break;
  }
  case Kind::Int:
    for (std::int64_t i = 0; i < count; ++i)
      array->mutableAs<std::int64_t>()[i] = static_cast<std::int64_t>(8 * uniform(stream, i));
    break;
  case Kind::Bool:
    for (std::int64_t i = 0; i < count; ++i)
      array->mutableAs<bool>()[i] = uniform(stream, i) < 0.5;
    break;
  }
  return array;
}

std::vector<double> parameterDeviations(const Learner &learner, const Size::Values &sizes) {
  double fanIn = 0;
  for (const Type &type : learner.domain) {
    double entries = 1;
    for (const Size &axis : type.axes)
      entries *= static_cast<double>(axis.evaluate(sizes).value_or(1));
    fanIn += entries;
  }
  auto scale = [](double inputs) { return 1 / std::sqrt(std::max(inputs, 1.0)); };
  std::size_t weights = learner.domain.size();
  switch (learner.kind) {
  case LearnerKind::Linear:
    return std::vector<double>(weights, scale(fanIn));
  case LearnerKind::Affine:
    return std::vector<double>(weights + 1, scale(fanIn));
  case LearnerKind::Param:
    return {1.0};
  case LearnerKind::Universal: {
    std::vector<double> all(weights + 1, scale(fanIn));
    all.resize(weights + 3, scale(static_cast<double>(learner.width.evaluate(sizes).value_or(1))));
    return all;
  }
  case LearnerKind::Hole:
    break;
  }
  return {};
}

} // namespace attnc
