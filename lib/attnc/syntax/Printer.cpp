#include "attnc/syntax/Printer.h"
#include "attnc/syntax/TreePrinter.h"

namespace attnc {

static constexpr unsigned width = 100;

std::string print(const SourceManager &sources, const ast::File &file) {
  TokenStream stream = tokenise(sources, file.id);
  std::string text = layout::render(TreePrinter(&stream).file(file), width);
  if (!text.empty())
    text += '\n';
  return text;
}

std::string print(const ast::DiagramDecl &declaration) {
  return layout::render(TreePrinter(nullptr).diagram(declaration), width);
}
std::string print(const ast::Expr &expr) { return layout::render(TreePrinter(nullptr).expr(expr), width); }
std::string print(const ast::TypeExpr &type) { return layout::render(TreePrinter(nullptr).type(type), width); }
std::string print(const ast::SizeExpr &size) { return layout::render(TreePrinter(nullptr).size(size, false), width); }

} // namespace attnc
