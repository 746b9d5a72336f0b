#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace attnc {

/// The length of an axis: a polynomial with integer coefficients over size names, in normal form.
///
///     2*d        n + m        h*d        4
///
/// Two sizes are equal as functions of their names exactly when they compare equal. Arithmetic that
/// leaves the 64-bit range gives `overflow()`, which equals no other size and prints as such.
class Size {
public:
  using Bindings = std::map<std::string, Size, std::less<>>;
  using Values = std::map<std::string, std::int64_t, std::less<>>;

  Size() = default; // 0
  Size(std::int64_t constant);
  static Size variable(std::string name);
  static Size overflow();

  bool isConstant() const { return !bad && (terms.empty() || (terms.size() == 1 && terms[0].names.empty())); }
  std::optional<std::int64_t> constant() const;
  /// The name, when the size is a single name.
  std::optional<std::string> asVariable() const;
  bool overflowed() const { return bad; }
  /// The names that occur, sorted.
  std::vector<std::string> names() const;
  bool mentions(std::string_view name) const;

  friend Size operator+(const Size &a, const Size &b);
  friend Size operator-(const Size &a, const Size &b);
  friend Size operator*(const Size &a, const Size &b);
  /// The polynomial q with q * divisor == *this, when there is one.
  std::optional<Size> dividedBy(const Size &divisor) const;

  /// This size multiplied by itself, for an exponent of 0 and more; anything to the 0 is 1.
  Size power(std::int64_t exponent) const;

  /// Replaces each bound name; names that are not bound stay.
  Size substitute(const Bindings &bindings) const;
  /// The value, when every name has one and nothing overflows. May be negative.
  std::optional<std::int64_t> evaluate(const Values &values) const;
  /// The value of `name` that makes this size equal `total`, when this size is `a*name + b` with a
  /// non-zero `a` that divides exactly and neither mentions `name`.
  std::optional<Size> solveFor(const std::string &name, const Size &total) const;

  /// Canonical text, e.g. `2*d + n`; parseable by the language.
  std::string str() const;

  /// One product of names (sorted, repeated for powers) with its coefficient (not 0).
  struct Term {
    std::vector<std::string> names;
    std::int64_t coefficient;
    auto operator<=>(const Term &) const = default;
  };
  /// Terms by descending degree, then by names.
  const std::vector<Term> &polynomial() const { return terms; }

  auto operator<=>(const Size &) const = default;

private:
  static Size normalised(std::vector<Term> terms);
  std::vector<Term> terms;
  bool bad = false;
};

/// base ^ exponent; nothing when it leaves the 64-bit range, or for an exponent below 0. 0 ^ 0 is 1.
std::optional<std::int64_t> power(std::int64_t base, std::int64_t exponent);

} // namespace attnc
