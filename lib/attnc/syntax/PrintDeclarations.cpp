// The layout of statements and definitions.
#include "attnc/syntax/Operators.h"
#include "attnc/syntax/TreePrinter.h"

#include <algorithm>

namespace attnc {

using namespace layout;

static unsigned productLevel() { return describe(ast::Binary::Op::Mul).level; }

Doc TreePrinter::types(const std::vector<ast::TypeExpr> &types) {
  Docs docs;
  for (const ast::TypeExpr &one : types)
    docs.push_back(type(one));
  return join(docs, concat({line(), text("@ ")}));
}

Doc TreePrinter::statement(const ast::Statement &statement) {
  if (const auto *declared = std::get_if<ast::LearnerDecl>(&statement))
    return learner(*declared);
  if (const auto *declared = std::get_if<ast::InstanceDecl>(&statement))
    return instance(*declared);
  return binding(std::get<ast::Binding>(statement));
}

Doc TreePrinter::learner(const ast::LearnerDecl &learner) {
  static constexpr const char *words[] = {"linear ", "affine ", "param ", "universal ", ""};
  bool hole = learner.kind == ast::LearnerDecl::Kind::Hole;
  Docs parts{text(words[std::size_t(learner.kind)] + learner.label.text + (hole ? ": " : " : ")),
             types(learner.domain)};
  if (learner.kind != ast::LearnerDecl::Kind::Param)
    parts.push_back(learner.domain.empty() ? text("-> ") : concat({line(), text("-> ")}));
  parts.push_back(types(learner.codomain));
  for (const ast::SizeExpr &per : learner.per)
    parts.push_back(concat({text(" per "), size(per, false, productLevel())}));
  if (learner.width)
    parts.push_back(concat({text(" width "), size(*learner.width, false, productLevel())}));
  if (learner.defaultBox)
    parts.push_back(text(" = " + learner.defaultBox->text));
  return group({nest(2, std::move(parts))});
}

Doc TreePrinter::instance(const ast::InstanceDecl &instance) {
  Docs parts{text("box " + instance.label.text + " = " + instance.diagram.text)};
  for (const ast::SizeExpr &per : instance.per)
    parts.push_back(concat({text(" per "), size(per, false, productLevel())}));
  return concat(std::move(parts));
}

Doc TreePrinter::binding(const ast::Binding &binding) {
  Docs targets;
  for (const ast::Binding::Target &target : binding.targets)
    targets.push_back(target.type ? concat({text(target.name.text + ": "), type(*target.type)})
                                  : text(target.name.text));
  Doc left = targets.size() == 1 ? targets[0] : list("(", targets, ")");
  return concat({left, text(" = "), expr(*binding.value)});
}

Doc TreePrinter::filling(const ast::Filling &filling) {
  Docs names;
  for (const ast::Name &parameter : filling.parameters)
    names.push_back(text(parameter.text));
  Doc wires = names.empty() ? text("") : list("(", names, ")");
  return concat({text(filling.learner.text), wires, text(" = "), expr(*filling.value)});
}

Doc TreePrinter::results(const std::vector<ast::ResultType> &results) {
  bool named = false;
  Docs docs;
  for (const ast::ResultType &result : results) {
    named |= result.name.has_value();
    docs.push_back(result.name ? concat({text(result.name->text + ": "), type(result.type)}) : type(result.type));
  }
  if (named)
    return list("(", docs, ")");
  return group({nest(2, {join(docs, concat({line(), text("@ ")}))})});
}

Doc TreePrinter::condition(const ast::Condition &condition) {
  Doc bound = condition.exponent ? concat({size(condition.right, false, primaryLevel), text(" ^ "),
                                           size(*condition.exponent, false, primaryLevel)})
                                 : size(condition.right, false);
  Doc right = concat({text(" "), text(std::string(sign(condition.relation))), text(" "), bound});
  if (condition.modulus)
    return concat({size(condition.left, false, productLevel()), text(" % "),
                   size(*condition.modulus, false, primaryLevel), right});
  return concat({size(condition.left, false), right});
}

Doc TreePrinter::parameters(const std::vector<ast::Parameter> &parameters) {
  Docs docs;
  for (const ast::Parameter &parameter : parameters)
    docs.push_back(concat({text(parameter.name.text + ": "), type(parameter.type)}));
  return list("(", docs, ")");
}

Doc TreePrinter::boxes(const ast::DiagramDecl &diagram) {
  if (diagram.boxes.empty())
    return text("");
  Docs docs;
  for (const ast::LearnerDecl &box : diagram.boxes)
    docs.push_back(learner(box));
  return nest(4, {line(), list("with (", docs, ")")});
}

Doc TreePrinter::where(const ast::DiagramDecl &diagram) {
  if (diagram.conditions.empty())
    return text("");
  Docs docs;
  for (const ast::Condition &one : diagram.conditions)
    docs.push_back(condition(one));
  return nest(4, {line(), group({text("where "), nest(6, {join(docs, concat({text(","), line()}))})})});
}

Doc TreePrinter::form(const ast::DiagramDecl &diagram, const ast::NamedForm &form) {
  // A diagram that is one box shows the box on a line of its own.
  const auto &result = form.body->result->node;
  bool isBox = std::holds_alternative<ast::BoxExpr>(result) || std::holds_alternative<ast::ScanExpr>(result);
  return concat({group({text("diagram " + diagram.name.text), parameters(form.parameters), boxes(diagram), text(" -> "),
                        results(diagram.results), where(diagram)}),
                 text(" "), block(*form.body, !isBox)});
}

Doc TreePrinter::form(const ast::DiagramDecl &diagram, const ast::PointFreeForm &form) {
  Doc domain = form.domain.empty() ? text("-> ") : concat({group({nest(4, {types(form.domain)})}), text(" -> ")});
  Doc head = group(
      {text("diagram " + diagram.name.text + " : "), domain, results(diagram.results), boxes(diagram), where(diagram)});
  std::vector<Item> list;
  for (const auto &declared : form.learners)
    list.push_back({std::visit([](const auto &d) { return d.span; }, declared), [this, &declared] {
                      const auto *one = std::get_if<ast::LearnerDecl>(&declared);
                      return one ? learner(*one) : instance(std::get<ast::InstanceDecl>(declared));
                    }});
  std::size_t before = list.size();
  for (Item &step : steps(*form.term))
    list.push_back(std::move(step));
  list[before].print = [print = list[before].print] { return concat({text("= "), nest(2, {print()})}); };
  Items inside = items(diagram.span, list);
  Doc opening = inside.opening ? concat({text(" "), inside.opening}) : text("");
  if (inside.commented || before > 0)
    return concat({head, opening, nest(2, {hard(), inside.lines()})});
  return group({head, nest(2, {line(), inside.lines(true)})});
}

Doc TreePrinter::form(const ast::DiagramDecl &diagram, const ast::SpecialiseForm &form) {
  std::string head = diagram.name.text + " = " + (form.keyword ? "specialise " : "") + form.base.text;
  if (form.keyword) {
    std::vector<Item> list;
    for (const ast::LearnerDecl &declared : form.learners)
      list.push_back({declared.span, [this, &declared] { return learner(declared); }});
    for (const ast::Filling &one : form.fillings)
      list.push_back({one.span, [this, &one] { return filling(one); }});
    // Learners may stand among the fillings; they are printed where they stood.
    std::stable_sort(list.begin(), list.end(),
                     [](const Item &a, const Item &b) { return a.span.begin < b.span.begin; });
    return concat({text(head + " "), braces(diagram.span, list, list.size() == 1)});
  }
  if (form.fillings.empty())
    return text(head);
  Docs docs;
  for (const ast::Filling &one : form.fillings)
    docs.push_back(filling(one));
  return concat({text(head), text(" "), list("with (", docs, ")")});
}

Doc TreePrinter::diagram(const ast::DiagramDecl &diagram) {
  Doc body = std::visit([&](const auto &form) { return this->form(diagram, form); }, diagram.form);
  return documented(diagram.doc, body);
}

Doc TreePrinter::documented(const std::string &doc, Doc item) {
  if (doc.empty())
    return item;
  Docs lines;
  for (std::size_t at = 0; at <= doc.size();) {
    std::size_t end = std::min(doc.find('\n', at), doc.size());
    std::string line = doc.substr(at, end - at);
    lines.push_back(comment(line.empty() ? "///" : "/// " + line));
    lines.push_back(hard());
    at = end + 1;
  }
  lines.push_back(std::move(item));
  return concat(std::move(lines));
}

} // namespace attnc
