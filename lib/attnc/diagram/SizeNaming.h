#pragma once
#include "attnc/diagram/Canonical.h"

#include <functional>

namespace attnc {

/// The form of a definition whose size names do not matter: names of the interface become `s0`, `s1` … in the
/// order in which they occur there. Names that occur only inside (the width of a learner) are told apart by the
/// form in which they alone are marked; those that look alike are tried in every order, up to 720 orders (then
/// the form is not complete), and the least text is kept.
CanonicalForm leastNaming(const Definition &definition, const std::function<CanonicalForm(const Definition &)> &form);

/// `right` with the sizes of its interface named as those in the same places of `left`.
Definition withSizesNamedAs(const Definition &left, const Definition &right);

} // namespace attnc
