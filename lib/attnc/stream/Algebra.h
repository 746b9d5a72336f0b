#pragma once
#include <limits>
#include <string_view>
#include <utility>

// The algebras of normalisers: what a query keeps while it folds over its keys. A state is (m, l, a): a reference m for
// the scores, a sum l of what the weights measure, and one accumulator a for each feature. Keys are absorbed in tiles,
// in order; two states of disjoint keys merge. Both follow from four functions, and so does every property a kernel
// needs:
//
//     absorb a key:   m' = reference(m, s),   r = rescale(m, m'),   w = weight(s, m')
//                     l' = r l + measure(w),  a' = r a + w v
//     merge:          m' = reference(m1, m2), l' = rescale(m1, m') l1 + rescale(m2, m') l2,  a' alike
//     the result:     finish(a, l)
//
// The unit is (lowest, 0, 0). A new normaliser is one struct here. A `Number` is whatever has the functions used: a
// double in a test of the laws, a vector of queries in a kernel.
namespace attnc::algebra {

/// Σ_j s_j v_j.
struct Sum {
  static constexpr std::string_view name = "sum";
  static constexpr bool hasReference = false, hasMeasure = false;
  template <class Number> static Number weight(Number s, Number) { return s; }
  template <class Number> static Number measure(Number w) { return w; }
  template <class Number> static Number finish(Number a, Number) { return a; }
};

/// Σ_j exp(s_j − max s) v_j / Σ_j exp(s_j − max s), and 0 where every score is −∞.
struct Softmax {
  static constexpr std::string_view name = "softmax";
  static constexpr bool hasReference = true, hasMeasure = true;
  /// Scores are taken relative to the greatest so far, or to 0 while all are −∞.
  template <class Number> static Number weight(Number s, Number m) { return expBelow(s - finiteOrZero(m)); }
  template <class Number> static Number measure(Number w) { return w; }
  template <class Number> static Number finish(Number a, Number l) { return a * reciprocalOrZero(l); }
};

/// The greatest scores and their keys, in order: NaN, then greater, then the lower key. An entry is a score with its
/// key as one number in that order, a state so many entries as are asked for, in descending order; the unit has none.
/// Two states merge by exchanges, in a network that is the same whatever the entries are. With one entry it is the
/// argmax.
struct TopK {
  static constexpr std::string_view name = "topk";
  /// The entry that comes first, and the other one.
  template <class Entry> static std::pair<Entry, Entry> exchange(Entry a, Entry b) {
    return {maximum(a, b), minimum(a, b)};
  }
};

/// The measure of a key by itself, which is the reference then: a sink.
template <class Algebra, class Number> Number measureOf(Number s) { return Algebra::measure(Algebra::weight(s, s)); }

/// How two states merge, where there are references: the reference, and what multiplies the sums of each.
template <class Number> struct Merger {
  Number reference, left, right;
};
template <class Algebra, class Number> Merger<Number> mergerOf(Number left, Number right) {
  Number both = maximum(left, right);
  return {both, Algebra::weight(left, both), Algebra::weight(right, both)};
}

/// Calls `then` with the algebra of that name; false when there is none.
template <class Then> bool withAlgebra(std::string_view name, Then then) {
  bool found = false;
  auto offer = [&](auto algebra) {
    if (algebra.name == name) {
      found = true;
      then(algebra);
    }
  };
  offer(Sum{});
  offer(Softmax{});
  return found;
}

} // namespace attnc::algebra
