#include "attnc/bind/SizeSolver.h"

#include <algorithm>

namespace attnc {

void SizeSolver::equate(Size left, Size right, std::string reason, Span span, Size exponent) {
  equations.push_back({std::move(left), std::move(right), std::move(reason), span, std::move(exponent)});
}

Size::Values SizeSolver::values() const {
  Size::Values result;
  for (const auto &[name, origin] : origins)
    result.emplace(name, origin.value);
  return result;
}

const SizeSolver::Origin *SizeSolver::origin(std::string_view name) const {
  auto found = origins.find(name);
  return found == origins.end() ? nullptr : &found->second;
}

Size SizeSolver::reduced(const Size &size) const {
  Size::Bindings bindings;
  for (const std::string &name : size.names())
    if (const Origin *known = origin(name))
      bindings.emplace(name, Size(known->value));
  return size.substitute(bindings);
}

bool SizeSolver::advance(const Equation &equation) {
  Size right = reduced(equation.right), exponent = reduced(equation.exponent);
  if (exponent != Size(1)) {
    if (!right.isConstant() || !exponent.isConstant())
      return false;
    // What is beyond 64 bits is beyond every memory, and told as that.
    right = Size(power(*right.constant(), *exponent.constant()).value_or(INT64_MAX));
  }
  Size rest = reduced(equation.left) - right;
  std::vector<std::string> names = rest.names();
  if (names.size() != 1)
    return false;
  auto value = solveInOneName(rest, names[0], 0);
  if (value)
    give(names[0], {*value, equation.reason, equation.span});
  return value.has_value();
}

void SizeSolver::solve() {
  std::stable_partition(equations.begin(), equations.end(),
                        [](const Equation &e) { return e.left.asVariable() && e.right.isConstant(); });
  for (bool moved = true; moved;) {
    moved = false;
    std::erase_if(equations, [&](const Equation &equation) {
      bool solved = advance(equation);
      moved |= solved;
      return solved;
    });
  }
}

std::optional<std::int64_t> solveInOneName(const Size &size, const std::string &name, std::int64_t total) {
  if (auto linear = size.solveFor(name, Size(total)))
    return linear->constant();
  bool grows = true, falls = true;
  for (const Size::Term &term : size.polynomial())
    if (!term.names.empty())
      (term.coefficient > 0 ? falls : grows) = false;
  if (!grows && !falls)
    return std::nullopt;
  std::int64_t low = 0, high = INT64_MAX; // a value past 64 bits is past every total
  while (low < high) {
    std::int64_t middle = low + (high - low) / 2;
    auto value = size.evaluate({{name, middle}});
    if (!value || (grows ? *value >= total : *value <= total))
      high = middle;
    else
      low = middle + 1;
  }
  return size.evaluate({{name, low}}) == total ? std::optional(low) : std::nullopt;
}

} // namespace attnc
