#include "attnc/theory/Size.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <limits>

namespace attnc {

static bool before(const Size::Term &a, const Size::Term &b) {
  if (a.names.size() != b.names.size())
    return a.names.size() > b.names.size();
  return a.names < b.names;
}

Size::Size(std::int64_t constant) {
  if (constant != 0)
    terms.push_back({{}, constant});
}

Size Size::variable(std::string name) {
  Size size;
  size.terms.push_back({{std::move(name)}, 1});
  return size;
}

Size Size::overflow() {
  Size size;
  size.bad = true;
  return size;
}

std::optional<std::int64_t> Size::constant() const {
  if (!isConstant())
    return std::nullopt;
  return terms.empty() ? 0 : terms[0].coefficient;
}

std::optional<std::string> Size::asVariable() const {
  if (!bad && terms.size() == 1 && terms[0].coefficient == 1 && terms[0].names.size() == 1)
    return terms[0].names[0];
  return std::nullopt;
}

std::vector<std::string> Size::names() const {
  std::vector<std::string> all;
  for (const Term &term : terms)
    all.insert(all.end(), term.names.begin(), term.names.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool Size::mentions(std::string_view name) const {
  return std::any_of(terms.begin(), terms.end(), [&](const Term &term) {
    return std::find(term.names.begin(), term.names.end(), name) != term.names.end();
  });
}

Size Size::normalised(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(), before);
  Size size;
  for (Term &term : terms) {
    if (!size.terms.empty() && size.terms.back().names == term.names) {
      std::int64_t &sum = size.terms.back().coefficient;
      if (__builtin_add_overflow(sum, term.coefficient, &sum))
        return overflow();
      if (sum == 0)
        size.terms.pop_back();
    } else if (term.coefficient != 0) {
      size.terms.push_back(std::move(term));
    }
  }
  return size;
}

Size operator+(const Size &a, const Size &b) {
  if (a.bad || b.bad)
    return Size::overflow();
  std::vector<Size::Term> terms = a.terms;
  terms.insert(terms.end(), b.terms.begin(), b.terms.end());
  return Size::normalised(std::move(terms));
}

Size operator-(const Size &a, const Size &b) { return a + b * Size(-1); }

Size operator*(const Size &a, const Size &b) {
  constexpr std::size_t mostTerms = 256, highestDegree = 32; // keeps hostile input bounded
  if (a.bad || b.bad || a.terms.size() * b.terms.size() > mostTerms)
    return Size::overflow();
  std::vector<Size::Term> terms;
  for (const Size::Term &x : a.terms)
    for (const Size::Term &y : b.terms) {
      Size::Term product;
      std::merge(x.names.begin(), x.names.end(), y.names.begin(), y.names.end(), std::back_inserter(product.names));
      if (product.names.size() > highestDegree ||
          __builtin_mul_overflow(x.coefficient, y.coefficient, &product.coefficient))
        return Size::overflow();
      terms.push_back(std::move(product));
    }
  return Size::normalised(std::move(terms));
}

Size Size::power(std::int64_t exponent) const {
  if (isConstant()) {
    auto value = attnc::power(*constant(), exponent);
    return value ? Size(*value) : overflow();
  }
  Size result(1);
  for (std::int64_t i = 0; i < exponent && !result.overflowed(); ++i)
    result = i < 64 ? result * *this : overflow(); // no size that is met has such a degree
  return exponent < 0 ? overflow() : result;
}

std::optional<std::int64_t> power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0)
    return std::nullopt;
  if (base == 0 || base == 1)
    return base == 1 || exponent == 0;
  if (base == -1)
    return exponent % 2 ? -1 : 1;
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(result, base, &result))
      return std::nullopt;
  return result;
}

std::optional<Size> Size::dividedBy(const Size &divisor) const {
  if (bad || divisor.bad || divisor.terms.empty())
    return std::nullopt;
  // Division by the leading term under a monomial order (degree, then names) is exact iff it ends at 0.
  Size rest = *this, quotient;
  const Term &lead = divisor.terms.front();
  while (!rest.bad && !rest.terms.empty()) {
    const Term &top = rest.terms.front();
    Term factor;
    bool leavesRange = lead.coefficient == -1 && top.coefficient == std::numeric_limits<std::int64_t>::min();
    if (leavesRange || top.coefficient % lead.coefficient != 0 ||
        !std::includes(top.names.begin(), top.names.end(), lead.names.begin(), lead.names.end()))
      return std::nullopt;
    factor.coefficient = top.coefficient / lead.coefficient;
    std::set_difference(top.names.begin(), top.names.end(), lead.names.begin(), lead.names.end(),
                        std::back_inserter(factor.names));
    Size step = normalised({factor});
    quotient = quotient + step;
    rest = rest - step * divisor;
  }
  if (rest.bad || quotient.bad)
    return std::nullopt;
  return quotient;
}

Size Size::substitute(const Bindings &bindings) const {
  if (bad || bindings.empty())
    return *this;
  Size sum;
  for (const Term &term : terms) {
    Size product(term.coefficient);
    for (const std::string &name : term.names) {
      auto bound = bindings.find(name);
      product = product * (bound == bindings.end() ? variable(name) : bound->second);
    }
    sum = sum + product;
  }
  return sum;
}

std::optional<std::int64_t> Size::evaluate(const Values &values) const {
  if (bad)
    return std::nullopt;
  std::int64_t sum = 0;
  for (const Term &term : terms) {
    std::int64_t product = term.coefficient;
    for (const std::string &name : term.names) {
      auto value = values.find(name);
      if (value == values.end() || __builtin_mul_overflow(product, value->second, &product))
        return std::nullopt;
    }
    if (__builtin_add_overflow(sum, product, &sum))
      return std::nullopt;
  }
  return sum;
}

std::optional<Size> Size::solveFor(const std::string &name, const Size &total) const {
  if (bad || total.bad || total.mentions(name))
    return std::nullopt;
  Size slope, offset;
  for (const Term &term : terms) {
    auto count = std::count(term.names.begin(), term.names.end(), name);
    if (count > 1)
      return std::nullopt;
    if (count == 0) {
      offset = offset + normalised({term});
    } else {
      Term rest = term;
      rest.names.erase(std::find(rest.names.begin(), rest.names.end(), name));
      slope = slope + normalised({rest});
    }
  }
  return (total - offset).dividedBy(slope);
}

std::string Size::str() const {
  if (bad)
    return "(a size out of range)";
  if (terms.empty())
    return "0";
  std::string text;
  for (const Term &term : terms) {
    std::int64_t coefficient = term.coefficient;
    if (!text.empty())
      text += coefficient < 0 ? " - " : " + ";
    else if (coefficient < 0)
      text += "-";
    std::uint64_t magnitude = coefficient < 0 ? 0 - static_cast<std::uint64_t>(coefficient) : coefficient;
    std::string product;
    if (magnitude != 1 || term.names.empty())
      product = std::to_string(magnitude);
    for (const std::string &name : term.names)
      product += (product.empty() ? "" : "*") + name;
    text += product;
  }
  return text;
}

} // namespace attnc
