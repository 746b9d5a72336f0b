// The layout of generators.
#include "attnc/syntax/Operators.h"
#include "attnc/syntax/TreePrinter.h"

namespace attnc {

using namespace layout;

namespace {

std::string names(const std::vector<ast::Name> &names, const char *separator = ", ") {
  std::string all;
  for (const ast::Name &name : names)
    all += (all.empty() ? "" : separator) + name.text;
  return all;
}

} // namespace

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Sort &sort) {
  static constexpr const char *kinds[] = {"linear", "affine", "param", "universal"};
  Doc learner = text(sort.learner ? std::string(" with ") + kinds[std::size_t(*sort.learner)] : "");
  return group({text("sort " + sort.name.text + " = "), nest(2, {types(sort.types)}), learner});
}

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Copy &copy) { return text("copy " + names(copy.names)); }

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Operation &operation) {
  const std::string domain = operation.domain.empty() ? "" : names(operation.domain, " @ ") + " ";
  return text(operation.name.text + " : " + domain + "-> " + operation.codomain.text + " = " + operation.meaning.text);
}

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Class &one) {
  return text("class " + one.name.text + " = " + names(one.operations));
}

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Criterion &criterion) {
  static constexpr const char *kinds[] = {"through ", "sharing ", "using "};
  return text("without " + criterion.name.text + " = " + kinds[std::size_t(criterion.kind)] + names(criterion.of));
}

Doc TreePrinter::lineOf(const ast::GeneratorsDecl::Equation &equation) {
  const unsigned level = describe(ast::Binary::Op::Add).level;
  return group({text("equation " + equation.name.text + " : "), expr(*equation.left, level),
                nest(2, {line(), text("== "), expr(*equation.right, level)})});
}

Doc TreePrinter::generators(const ast::GeneratorsDecl &generators) {
  std::string head = "generators " + generators.name.text + "(";
  for (std::size_t i = 0; i < generators.inputs.size(); ++i)
    head += (i ? ", " : "") + generators.inputs[i].name.text + ": " + generators.inputs[i].sort.text;
  std::vector<Item> list;
  for (const auto &line : generators.lines)
    std::visit([&](const auto &one) { list.push_back({one.span, [this, &one] { return lineOf(one); }}); }, line);
  const Span region{generators.span.file, generators.output.span.end, generators.span.end};
  return documented(generators.doc,
                    concat({text(head + ") -> " + generators.output.text + " "), braces(region, list, false)}));
}

} // namespace attnc
