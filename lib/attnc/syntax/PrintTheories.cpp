// The layout of rules, derivations, theories and taxonomies.
#include "attnc/syntax/Operators.h"
#include "attnc/syntax/TreePrinter.h"

namespace attnc {

using namespace layout;

/// A side without statements stands without its braces; looser than `+`, in parentheses.
Doc TreePrinter::side(const ast::Block &side) {
  if (side.statements.empty()) {
    Doc result = expr(*side.result, describe(ast::Binary::Op::Add).level);
    return beginsWithMinus(*side.result) ? concat({text("("), result, text(")")}) : result;
  }
  return block(side);
}

Doc TreePrinter::rule(const ast::RuleDecl &rule) {
  static constexpr const char *kinds[] = {"equation", "specialise", "express"};
  std::string head = "rule " + rule.name.text + " : " + kinds[std::size_t(rule.kind)];
  Docs first{text(head)};
  for (const ast::SizeExpr &per : rule.per)
    first.push_back(concat({text(" per "), size(per, false, describe(ast::Binary::Op::Mul).level)}));
  std::vector<Item> list;
  Span opening = rule.name.span;
  auto add = [&](Span span, std::function<Doc()> print) { list.push_back({span, std::move(print)}); };
  if (!rule.forall.parameters.empty())
    add(rule.forall.span, [&] { return concat({text("forall "), parameters(rule.forall.parameters)}); });
  for (const ast::LearnerDecl &declared : rule.learners)
    add(declared.span, [&] {
      bool hole = declared.kind == ast::LearnerDecl::Kind::Hole;
      return hole ? concat({text("box "), learner(declared)}) : learner(declared);
    });
  if (!rule.conditions.empty())
    add(rule.conditions[0].span, [&] {
      Docs docs;
      for (const ast::Condition &one : rule.conditions)
        docs.push_back(condition(one));
      return concat({text("if "), join(docs, text(", "))});
    });
  Span sides{rule.left->span.file, rule.left->span.begin, rule.right->span.end};
  add(sides, [&] {
    return group({side(*rule.left), nest(2, {line(), text(rule.bothWays ? "== " : "=> "), side(*rule.right)})});
  });
  if (!rule.fillings.empty())
    add({rule.span.file, rule.right->span.end, rule.span.end}, [&] {
      std::vector<Item> fillings;
      for (const ast::Filling &one : rule.fillings)
        fillings.push_back({one.span, [&] { return filling(one); }});
      return concat(
          {text("by "), braces({rule.span.file, rule.right->span.end, rule.span.end}, fillings, fillings.size() == 1)});
    });
  Items inside = items({rule.span.file, opening.end, rule.span.end}, list);
  Doc note = inside.opening ? concat({text(" "), inside.opening}) : text("");
  return documented(rule.doc, concat({concat(std::move(first)), note, nest(2, {hard(), inside.lines()})}));
}

Doc TreePrinter::step(const ast::DerivationStep &step) {
  Docs docs{text("by " + step.rule.text + (step.reversed ? " reversed" : "") + (step.everywhere ? " everywhere" : ""))};
  if (step.place)
    docs.push_back(text(" at " + step.place->text));
  if (step.match)
    docs.push_back(text(" at " + std::to_string(*step.match)));
  Docs arguments;
  for (const auto &argument : step.arguments)
    arguments.push_back(concat({text(argument.name.text + " = "), size(argument.value, false)}));
  if (!arguments.empty())
    docs.push_back(concat({text(" with "), join(arguments, text(", "))}));
  return concat(std::move(docs));
}

Doc TreePrinter::derivation(const ast::DerivationDecl &derivation) {
  std::vector<Item> steps;
  for (const ast::DerivationStep &one : derivation.steps)
    steps.push_back({one.span, [&] { return step(one); }});
  std::string head = "derivation " + derivation.name.text + " : " + derivation.from.text + " => " + derivation.to.text;
  return documented(derivation.doc, concat({text(head + " "), braces(derivation.span, steps, false)}));
}

Doc TreePrinter::theory(const ast::TheoryDecl &theory) {
  std::vector<Item> members;
  for (const auto &member : theory.rules)
    members.push_back(
        {member.rule.span, [&] { return text(member.rule.text + (member.reversed ? " reversed" : "")); }});
  return documented(theory.doc,
                    concat({text("theory " + theory.name.text + " "), braces(theory.span, members, false)}));
}

Doc TreePrinter::taxonomy(const ast::TaxonomyDecl &taxonomy) {
  std::string line = "taxonomy " + taxonomy.name.text + " : " + taxonomy.root.text + " by " + taxonomy.theory.text;
  if (taxonomy.depth)
    line += " depth " + std::to_string(*taxonomy.depth);
  return documented(taxonomy.doc, text(line));
}

} // namespace attnc
