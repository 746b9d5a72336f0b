#pragma once
#include "attnc/support/Source.h"
#include "attnc/theory/Size.h"

namespace attnc {

/// Solves sizes from equations `polynomial == number` and `polynomial == number ^ number`. What is known is put in; an
/// equation that then has one unknown gives it, until none does; one in an exponent, or below it, waits. Equations in
/// single names go first, so that a clash is told of the axis that is written least directly. The first to give a size
/// keeps it; `known` is not checked against the others.
class SizeSolver {
public:
  /// Where a value comes from, in words that follow "n is 4: ".
  struct Origin {
    std::int64_t value;
    std::string reason;
    Span span;
  };

  void give(const std::string &name, const Origin &origin) { origins.try_emplace(name, origin); }
  void equate(Size left, Size right, std::string reason, Span span, Size exponent = 1);
  void solve();

  Size::Values values() const;
  /// Null when the size has no value.
  const Origin *origin(std::string_view name) const;
  /// The polynomial with every known size put in.
  Size reduced(const Size &size) const;

private:
  struct Equation {
    Size left, right;
    std::string reason;
    Span span;
    Size exponent;
  };
  bool advance(const Equation &equation);

  std::vector<Equation> equations;
  std::map<std::string, Origin, std::less<>> origins;
};

/// The n ≥ 0 at which `size`, a polynomial in `name` alone, takes the value `total`, when there is exactly one: the
/// size is linear, or it only grows.
std::optional<std::int64_t> solveInOneName(const Size &size, const std::string &name, std::int64_t total);

} // namespace attnc
