#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/syntax/Ast.h"

#include <functional>
#include <memory>
#include <tl/expected.hpp>

namespace attnc {

/// The definition of a name that will be in scope where the text is read; null when there is none.
using KnownDiagrams = std::function<std::shared_ptr<const Definition>(const std::string &)>;

/// A definition as a declaration of the language in wire-naming form. Elaborating it gives a definition with an
/// equal canonical form (Canonical.h). Names of wires, results, learners, the conditions and the doc comment are
/// kept where the language admits them (`block.W` becomes `block_W`); a wire that is used once and has no name
/// stands where it is used.
///
/// A named box stays a call when `known` has its diagram and that, at the sizes at hand, is the box's body; its
/// learners are then the callee's. Otherwise the box is opened.
///
/// The error says what the language has no words for: a NaN constant, a reshape to or from a scalar, a learner
/// whose parameters are not picked by the nearest box of that size.
tl::expected<ast::DiagramDecl, std::string> toNamed(const Definition &definition, const KnownDiagrams &known = {});

/// The same in point-free form: generators beside each other and one after the other, with copies, deletions and swaps
/// of neighbours between them. Names of wires have no place in it.
tl::expected<ast::DiagramDecl, std::string> toPointFree(const Definition &definition, const KnownDiagrams &known = {});

} // namespace attnc
