// Rules, derivations, theories and taxonomies: names resolved, both sides of a rule built over the same wires.
#include "attnc/elaborate/Elaborator.h"

#include "attnc/diagram/Transform.h"

namespace attnc::elaboration {

// ---- One rule

std::optional<Diagram> Elaborator::side(const ast::RuleDecl &rule, const std::vector<Size> &per,
                                        const ast::Block &side) {
  Frame root(definition.learners, nullptr, std::nullopt);
  bool ok = true;
  for (const ast::Parameter &parameter : rule.forall.parameters) {
    auto parameterType = type(parameter.type);
    if (!parameterType)
      return std::nullopt;
    ok &= bind(parameter.name, {&root, root.builder.input(*parameterType, parameter.name.text)}, root, false);
  }
  auto *tuple = std::get_if<ast::TupleExpr>(&side.result->node);
  std::size_t wanted = tuple ? tuple->elements.size() : 1;
  std::function<std::optional<Values>(Frame &, std::size_t)> inside = [&](Frame &frame, std::size_t depth) {
    if (depth == per.size())
      return block(side, frame, wanted);
    return inBox(frame, Cap::None, per[depth], false, {}, side.span,
                 [&](Frame &inner, const Values &) { return inside(inner, depth + 1); });
  };
  auto values = ok ? inside(root, 0) : std::nullopt;
  if (!values)
    return std::nullopt;
  std::vector<WireId> outputs;
  for (const Value &value : *values)
    outputs.push_back(root.import(value));
  return std::move(root.builder).finish(outputs);
}

/// Plugs the fillings into the learners of the left side, and of the right those that the left has not; false after an
/// error.
bool Elaborator::fillRule(Rule &rule, const std::vector<ast::Filling> &fillings, const std::vector<bool> &onLeft) {
  std::vector<Filled> left, right;
  for (const ast::Filling &filling : fillings) {
    auto target = labels.find(filling.learner.text);
    if (target == labels.end() || !target->second.learner) {
      diagnostics.report(Diag::NotFillable, filling.learner.span, rule.name, filling.learner.text);
      return false;
    }
    auto *byName = std::get_if<ast::NameExpr>(&filling.value->node);
    auto one = byName && filling.parameters.empty()
                   ? fillByName(*target->second.learner, {byName->name, filling.value->span})
                   : fillByExpression(*target->second.learner, filling);
    if (!one)
      return false;
    std::size_t index = one->learner.index();
    (index >= onLeft.size() || onLeft[index] ? left : right).push_back(std::move(*one));
  }
  rule.left.learners = rule.right.learners = definition.learners;
  auto plugged = [&](const Definition &side, const std::vector<Filled> &filled) -> std::shared_ptr<const Definition> {
    for (const Filled &one : filled) {
      rule.fillings.emplace_back(one.learner, side);
      rule.fillings.back().second.diagram = *one.body;
    }
    Definition result = side;
    plug(result.diagram, filled);
    return filled.empty() ? nullptr : std::make_shared<const Definition>(std::move(result));
  };
  rule.filledLeft = plugged(rule.left, left);
  rule.filledRight = plugged(rule.right, right);
  return true;
}

RuleRef Elaborator::elaborate(const ast::RuleDecl &declaration) {
  if (tooDeep(declaration.name.span))
    return nullptr;
  Deeper deeper(loader);
  std::size_t errorsBefore = diagnostics.errorCount();
  definition.name = declaration.name.text;
  definition.span = declaration.name.span;
  auto failed = [&] { return diagnostics.errorCount() > errorsBefore; };

  for (const ast::SizeExpr &per : declaration.per)
    declareSizes(per);
  for (const ast::Parameter &parameter : declaration.forall.parameters)
    declareSizes(parameter.type);
  for (const ast::LearnerDecl &learner : declaration.learners)
    declareSizes(learner);
  for (const ast::Condition &condition : declaration.conditions)
    takeCondition(condition);
  for (const ast::LearnerDecl &learner : declaration.learners)
    declareLearner(learner);
  std::vector<Size> per;
  for (const ast::SizeExpr &one : declaration.per)
    if (auto axis = size(one))
      per.push_back(*axis);
  if (failed())
    return nullptr;

  auto rule = std::make_shared<Rule>();
  rule->name = declaration.name.text;
  rule->doc = declaration.doc;
  rule->kind = static_cast<RuleKind>(declaration.kind);
  rule->bothWays = declaration.bothWays;
  rule->boxes = per.size();
  rule->span = declaration.name.span;
  auto left = side(declaration, per, *declaration.left), right = side(declaration, per, *declaration.right);
  if (!left || !right || failed())
    return nullptr;
  if (left->outputTypes() != right->outputTypes()) {
    diagnostics.report(Diag::RuleBoundary, declaration.right->span, rule->name, str(left->outputTypes()),
                       str(right->outputTypes()));
    return nullptr;
  }
  for (auto [target, diagram] : {std::pair(&rule->left, &*left), std::pair(&rule->right, &*right)}) {
    *target = definition;
    target->diagram = std::move(*diagram);
  }
  rule->conditions = definition.constraints;
  std::vector<bool> here(definition.learners.size()), there = here;
  markUsed(rule->left.diagram, here);
  markUsed(rule->right.diagram, there);
  if (rule->kind == RuleKind::Equation) {
    for (std::size_t i = 0; i < here.size(); ++i)
      if (there[i] && !here[i]) {
        diagnostics.report(Diag::RuleUnbound, declaration.right->span, definition.learners[i].label, rule->name)
            .note(definition.learners[i].span, "an equation holds for every filling, so both sides have its learners");
        return nullptr;
      }
  }
  if (!declaration.fillings.empty() && !fillRule(*rule, declaration.fillings, here))
    return nullptr;
  return failed() ? nullptr : rule;
}

// ---- What a file declares

template <class Entry, class Declaration>
static void declare(std::unordered_map<std::string, Entry> &entries, const FileScope &scope,
                    const Declaration &declaration, Diagnostics &diagnostics) {
  auto [entry, fresh] = entries.try_emplace(declaration.name.text, Entry{&declaration, &scope});
  if (!fresh)
    diagnostics.report(Diag::DuplicateDefinition, declaration.name.span, declaration.name.text)
        .note(entry->second.declaration->name.span, "the first definition is here");
}

void Loader::declareTheories(FileScope &scope, const ast::Item &item) {
  if (auto *rule = std::get_if<ast::RuleDecl>(&item))
    declare(scope.rules, scope, *rule, diagnostics);
  if (auto *theory = std::get_if<ast::TheoryDecl>(&item))
    declare(scope.theories, scope, *theory, diagnostics);
}

/// The entry a file means by a name, of its own or imported.
template <class Entry>
static Entry *lookUp(const FileScope &scope, const ast::Name &name, const char *what,
                     std::unordered_map<std::string, Entry> FileScope::*entries, Diagnostics &diagnostics) {
  std::vector<std::string> names;
  auto in = [&](const FileScope &file) -> Entry * {
    auto &all = const_cast<FileScope &>(file).*entries;
    for (const auto &[known, entry] : all)
      names.push_back(known);
    auto found = all.find(name.text);
    return found == all.end() ? nullptr : &found->second;
  };
  if (Entry *own = in(scope))
    return own;
  for (const FileScope *import : scope.imports)
    if (Entry *entry = in(*import))
      return entry;
  auto report = diagnostics.report(Diag::UnknownRule, name.span, what, name.text);
  if (auto near = nearest(name.text, names))
    report.help(fmt::format("did you mean '{}'?", *near));
  return nullptr;
}

RuleRef Loader::rule(RuleEntry &entry) {
  if (!entry.done) {
    entry.done = true;
    entry.meaning = Elaborator(*this, *entry.scope, {}).elaborate(*entry.declaration);
  }
  return entry.meaning;
}

RuleRef Loader::rule(const FileScope &scope, const ast::Name &name) {
  RuleEntry *entry = lookUp(scope, name, "rule", &FileScope::rules, diagnostics);
  return entry ? rule(*entry) : nullptr;
}

TheoryRef Loader::theory(TheoryDeclEntry &entry) {
  if (entry.done)
    return entry.meaning;
  entry.done = true;
  const ast::TheoryDecl &declaration = *entry.declaration;
  auto theory = std::make_shared<Theory>();
  theory->name = declaration.name.text;
  theory->doc = declaration.doc;
  theory->span = declaration.name.span;
  for (const auto &member : declaration.rules) {
    auto found = rule(*entry.scope, member.rule);
    if (!found)
      return nullptr;
    theory->rules.push_back({found, member.reversed});
  }
  entry.meaning = theory;
  return entry.meaning;
}

TheoryRef Loader::theory(const FileScope &scope, const ast::Name &name) {
  TheoryDeclEntry *entry = lookUp(scope, name, "theory", &FileScope::theories, diagnostics);
  return entry ? theory(*entry) : nullptr;
}

std::shared_ptr<const Definition> Loader::diagramNamed(const FileScope &scope, const ast::Name &name) {
  if (Entry *entry = find(scope, name.text, false))
    return definition(*entry, name.span);
  auto report = diagnostics.report(Diag::UnknownDiagram, name.span, name.text);
  if (auto near = nearest(name.text, visibleNames(scope)))
    report.help(fmt::format("did you mean '{}'?", *near));
  return nullptr;
}

/// A size of names that need no declaration.
static Size freeSize(const ast::SizeExpr &expr) {
  switch (expr.op) {
  case ast::SizeExpr::Op::Number:
    return Size(expr.number);
  case ast::SizeExpr::Op::Name:
    return Size::variable(expr.name);
  case ast::SizeExpr::Op::Add:
    return freeSize(expr.operands[0]) + freeSize(expr.operands[1]);
  case ast::SizeExpr::Op::Sub:
    return freeSize(expr.operands[0]) - freeSize(expr.operands[1]);
  case ast::SizeExpr::Op::Mul:
    return freeSize(expr.operands[0]) * freeSize(expr.operands[1]);
  }
  return Size();
}

std::shared_ptr<const Derivation> Loader::derivation(const FileScope &scope, const ast::DerivationDecl &declaration) {
  auto derivation = std::make_shared<Derivation>();
  derivation->name = declaration.name.text;
  derivation->doc = declaration.doc;
  derivation->span = declaration.name.span;
  derivation->from = diagramNamed(scope, declaration.from);
  derivation->to = diagramNamed(scope, declaration.to);
  bool ok = derivation->from && derivation->to;
  for (const ast::DerivationStep &one : declaration.steps) {
    Step step{rule(scope, one.rule), one.reversed, one.everywhere, std::nullopt, one.match, {}, one.span};
    ok &= step.rule != nullptr;
    if (one.place)
      step.place = one.place->text;
    for (const auto &argument : one.arguments)
      step.arguments.emplace_back(argument.name.text, freeSize(argument.value));
    derivation->steps.push_back(std::move(step));
  }
  return ok ? derivation : nullptr;
}

std::shared_ptr<const Taxonomy> Loader::taxonomy(const FileScope &scope, const ast::TaxonomyDecl &declaration) {
  auto taxonomy = std::make_shared<Taxonomy>();
  taxonomy->name = declaration.name.text;
  taxonomy->doc = declaration.doc;
  taxonomy->span = declaration.name.span;
  taxonomy->root = diagramNamed(scope, declaration.root);
  taxonomy->theory = theory(scope, declaration.theory);
  taxonomy->depth = declaration.depth;
  return taxonomy->root && taxonomy->theory ? taxonomy : nullptr;
}

} // namespace attnc::elaboration
