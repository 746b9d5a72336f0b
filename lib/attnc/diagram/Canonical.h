#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/support/Hash.h"

namespace attnc {

/// The canonical form of a definition: equal exactly when the two diagrams are the same morphism by the
/// structural laws, that is
///
///   * symmetric monoidal and comonoid laws: wiring only; `f ; copy = copy ; (f @ f)`, unused work vanishes;
///   * a named box is what it holds; commutative operands (`isCommutative`) have no order;
///   * box functoriality, by reading a plain box as an abstraction over its index and a mapped wire as its
///     application:  stack(λi. t)[j] = t[i := j]   and   stack(λi. x[i]) = x.
///     So `simd n { f ; g } = simd n { f } ; simd n { g }`, what does not use the axis leaves the box, sharing a
///     wire is mapping its broadcast, implicit and explicit SIMD agree, and gathering at the index of a box of
///     the same size is mapping. Transposition is the exchange of two abstractions;
///   * a capped box folds the plain one, result by result and element by element; a scan binds its index and states,
///   each result with
///     the states it needs (their order stays), and one that needs none is a plain box;
///   * a reshape of a reshape is one, and one that changes nothing is none;
///   * sums, products and negatives of sizes are sizes (`2 * d` is the size 2*d), that of a number is a number;
///   * learners count by identity, not by label: kind, domain, codomain, `per` and (universal) width are kept,
///     and two learners are never one because they look alike.
///
/// Not used: associativity, other arithmetic, anything about what a fold or softmax computes. Names of wires, the
/// name of the definition, its conditions and its unused learners are not part of the form.
struct CanonicalForm {
  Hash128 hash; // of the text
  /// One line a term, operands before uses:
  ///
  ///     inputs [n d]
  ///     L0 = linear [d] -> [r]
  ///     %0 = input 0
  ///     %1 = #0                     the index of the innermost binder (#1: the next)
  ///     %2 = at %0 %1               the slice of %0 there
  ///     %3 = L0 %2
  ///     %4 = stack n %3
  ///     outputs %4
  std::string text;
  /// False when the diagram is too entangled for the work allowed: then the text is the diagram as it was
  /// built, so that equal texts still mean equal diagrams, but unequal ones prove nothing.
  bool complete = true;

  bool operator==(const CanonicalForm &other) const { return hash == other.hash && text == other.text; }
};

struct CanonicalOptions {
  /// Names sizes by where they first occur, so that diagrams that differ in size names alone are equal.
  bool renameSizes = false;
  /// The most terms and relabelling steps spent; what is needed grows linearly for what people write.
  std::size_t budget = 20'000'000;
};

/// Near-linear in the operations. Learners that only commutative operands could tell apart are ordered by colour
/// refinement over their uses, then by trying each of a class (McKay 1981), automorphic ones once.
CanonicalForm canonicalForm(const Definition &definition, const CanonicalOptions &options = {});

/// The text of the form: a key for caches.
std::string canonicalText(const Definition &definition);

} // namespace attnc
