#include "attnc/cost/Cost.h"

#include <algorithm>

namespace attnc {

std::optional<Measure> measureNamed(std::string_view name) {
  for (const Measure &measure : measures)
    if (measure.name == name)
      return measure;
  return std::nullopt;
}

static Size atSizes(const Size &size, const Size::Values &values) {
  Size::Bindings bindings;
  for (const auto &[name, value] : values)
    bindings.emplace(name, Size(value));
  return size.substitute(bindings);
}

Cost atSizes(const Cost &cost, const Size::Values &values) {
  Cost bound;
  for (const Measure &measure : measures)
    bound.*measure.field = atSizes(cost.*measure.field, values);
  return bound;
}

std::partial_ordering compare(const Size &left, const Size &right, const Size::Values &values) {
  const Size difference = atSizes(left, values) - atSizes(right, values);
  if (difference.overflowed())
    return std::partial_ordering::unordered;
  auto all = [&](auto sign) { return std::ranges::all_of(difference.polynomial(), sign); };
  if (difference.polynomial().empty())
    return std::partial_ordering::equivalent;
  if (all([](const Size::Term &term) { return term.coefficient < 0; }))
    return std::partial_ordering::less;
  if (all([](const Size::Term &term) { return term.coefficient > 0; }))
    return std::partial_ordering::greater;
  return std::partial_ordering::unordered;
}

} // namespace attnc
