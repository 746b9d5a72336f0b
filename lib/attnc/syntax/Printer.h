#pragma once
#include "attnc/support/Source.h"
#include "attnc/syntax/Ast.h"

namespace attnc {

/// Canonical text of a file (100 columns, two-space indents). Comments of the source survive: each stays with
/// the declaration or statement it stood before or behind. print(parse(print(x))) == print(x).
std::string print(const SourceManager &sources, const ast::File &file);

std::string print(const ast::DiagramDecl &declaration);
std::string print(const ast::Expr &expr);
std::string print(const ast::TypeExpr &type);
std::string print(const ast::SizeExpr &size);

} // namespace attnc
