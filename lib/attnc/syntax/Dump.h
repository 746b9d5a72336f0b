#pragma once
#include "attnc/syntax/Ast.h"

/// The tree as an s-expression without spans: two trees are equal up to where they were written exactly when
/// their dumps are. For tests, and for people who ask what the parser understood.
///
///     a + b * c          (add a (mul b c))
///     sum m (k, v) { … } (box sum m (wires k v) (block …))
namespace attnc {

std::string dump(const ast::File &file);
std::string dump(const ast::DiagramDecl &declaration);
std::string dump(const ast::Expr &expr);
std::string dump(const ast::Term &term);
std::string dump(const ast::TypeExpr &type);
std::string dump(const ast::SizeExpr &size);

} // namespace attnc
