#include "attnc/elaborate/Elaborator.h"

#include "attnc/syntax/Printer.h"

namespace attnc::elaboration {

// ---- Sizes and types as written

static void namesIn(const ast::SizeExpr &expr, const std::function<void(const std::string &, Span)> &visit) {
  if (expr.op == ast::SizeExpr::Op::Name)
    visit(expr.name, expr.span);
  for (const ast::SizeExpr &operand : expr.operands)
    namesIn(operand, visit);
}

void Elaborator::declareSizes(const ast::SizeExpr &expr) {
  namesIn(expr, [&](const std::string &name, Span span) {
    sizes.insert(name);
    sizeSpans.emplace(name, span);
  });
}

void Elaborator::declareSizes(const ast::TypeExpr &expr) {
  for (const ast::SizeExpr &axis : expr.axes)
    declareSizes(axis);
}

void Elaborator::declareSizes(const ast::LearnerDecl &declaration) {
  for (const ast::TypeExpr &type : declaration.domain)
    declareSizes(type);
  for (const ast::TypeExpr &type : declaration.codomain)
    declareSizes(type);
  for (const ast::SizeExpr &per : declaration.per)
    declareSizes(per);
  if (declaration.width)
    declareSizes(*declaration.width);
}

std::optional<Size> Elaborator::size(const ast::SizeExpr &expr) {
  switch (expr.op) {
  case ast::SizeExpr::Op::Number:
    return Size(expr.number);
  case ast::SizeExpr::Op::Name: {
    if (!sizes.count(expr.name)) {
      auto report = diagnostics.report(Diag::UnknownSize, expr.span, expr.name);
      if (auto near = nearest(expr.name, {sizes.begin(), sizes.end()}))
        report.help(fmt::format("did you mean '{}'?", *near));
      else
        report.help("sizes are named in the types of the signature or of a learner");
      return std::nullopt;
    }
    return Size::variable(expr.name).substitute(equations);
  }
  default:
    break;
  }
  auto left = size(expr.operands[0]), right = size(expr.operands[1]);
  if (!left || !right)
    return std::nullopt;
  Size result = expr.op == ast::SizeExpr::Op::Add   ? *left + *right
                : expr.op == ast::SizeExpr::Op::Sub ? *left - *right
                                                    : *left * *right;
  if (result.overflowed()) {
    diagnostics.report(Diag::SyntaxNumberTooLarge, expr.span, "of this size");
    return std::nullopt;
  }
  return result;
}

std::optional<Type> Elaborator::type(const ast::TypeExpr &expr) {
  Type result{expr.kind, {}};
  bool ok = true;
  for (const ast::SizeExpr &axis : expr.axes) {
    if (auto length = size(axis))
      result.axes.push_back(std::move(*length));
    else
      ok = false;
  }
  if (expr.rest && !rests.count(expr.rest->text)) {
    diagnostics.report(Diag::RankVariableHere, expr.span, expr.rest->text);
    ok = false;
  } else if (expr.rest) {
    auto count = ranks.find(expr.rest->text);
    unsigned axes = count == ranks.end() ? 0 : count->second;
    for (unsigned i = 0; i < axes; ++i)
      result.axes.push_back(Size::variable(fmt::format("{}.{}", expr.rest->text, i)));
  }
  return ok ? std::optional(result) : std::nullopt;
}

std::optional<std::vector<Type>> Elaborator::types(const std::vector<ast::TypeExpr> &exprs) {
  std::vector<Type> result;
  for (const ast::TypeExpr &expr : exprs)
    if (auto one = type(expr))
      result.push_back(std::move(*one));
  return result.size() == exprs.size() ? std::optional(result) : std::nullopt;
}

void Elaborator::takeCondition(const ast::Condition &condition) {
  declareSizes(condition.left);
  declareSizes(condition.right);
  auto left = size(condition.left), right = size(condition.right);
  if (!left || !right)
    return;
  std::optional<Size> modulus, exponent;
  if (condition.modulus)
    modulus = size(*condition.modulus);
  if (condition.exponent) {
    declareSizes(*condition.exponent);
    exponent = size(*condition.exponent);
  }
  // A known exponent multiplies out.
  if (exponent && exponent->isConstant()) {
    right = right->power(*exponent->constant());
    exponent.reset();
  }
  // `name == size` replaces the name from here on, so that types which differ only by it are equal.
  auto relation = Constraint::Relation(condition.relation);
  Constraint constraint{*left, *right, modulus, condition.span, relation, exponent};
  if (constraint.isEquation() && condition.left.op == ast::SizeExpr::Op::Name && left->asVariable() &&
      !right->mentions(*left->asVariable())) {
    Size::Bindings step = {{*left->asVariable(), *right}};
    for (auto &[name, value] : equations)
      value = value.substitute(step);
    equations.insert(step.begin(), step.end());
  }
  addConstraint(constraint, condition.span);
}

void Elaborator::addConstraint(Constraint constraint, Span use) {
  if (constraint.exponent && constraint.exponent->isConstant()) {
    constraint.right = constraint.right.power(*constraint.exponent->constant());
    constraint.exponent.reset();
  }
  auto left = constraint.left.constant(), right = constraint.right.constant();
  // A modulus of 0 stands for none; one that is written must be positive.
  std::int64_t modulus = constraint.modulus ? constraint.modulus->constant().value_or(0) : 0;
  if (modulus > 0 && constraint.left.dividedBy(Size(modulus)))
    left = 0; // 2*p % 2 is known for every p
  if (left && right && !constraint.exponent && (!constraint.modulus || constraint.modulus->isConstant())) {
    std::int64_t value = modulus > 0 ? ((*left % modulus) + modulus) % modulus : *left;
    if (!constraint.holds(value, *right) || (constraint.modulus && modulus <= 0))
      diagnostics.report(Diag::ConstraintViolated, use, constraint.str(), fmt::format("the left side is {}", value))
          .note(constraint.span, "the condition is here");
    return;
  }
  if (constraint.left == constraint.right && !constraint.modulus && !constraint.exponent)
    return;
  for (const Constraint &known : definition.constraints)
    if (known.left == constraint.left && known.right == constraint.right && known.modulus == constraint.modulus &&
        known.relation == constraint.relation && known.exponent == constraint.exponent)
      return;
  definition.constraints.push_back(constraint);
}

std::optional<Size> Elaborator::sizeOf(const ast::Expr &expr) {
  auto wrong = [&]() -> std::optional<Size> {
    diagnostics.report(Diag::SyntaxExpected, expr.span, "a size (a polynomial over size names)");
    return std::nullopt;
  };
  if (auto *number = std::get_if<ast::IntLiteral>(&expr.node))
    return Size(number->value);
  if (auto *name = std::get_if<ast::NameExpr>(&expr.node)) {
    ast::SizeExpr as{ast::SizeExpr::Op::Name, 0, name->name, {}, expr.span};
    return size(as);
  }
  if (auto *binary = std::get_if<ast::Binary>(&expr.node)) {
    if (binary->op != ast::Binary::Op::Add && binary->op != ast::Binary::Op::Sub && binary->op != ast::Binary::Op::Mul)
      return wrong();
    if (tooDeep(expr.span))
      return std::nullopt;
    Deeper deeper(loader);
    auto left = sizeOf(*binary->left), right = sizeOf(*binary->right);
    if (!left || !right)
      return std::nullopt;
    return binary->op == ast::Binary::Op::Add   ? *left + *right
           : binary->op == ast::Binary::Op::Sub ? *left - *right
                                                : *left * *right;
  }
  return wrong();
}

// ---- Solving the sizes of a callee

SizeSolver::SizeSolver(const std::vector<std::string> &names) : unknowns(names.begin(), names.end()) {}

/// A callee's name that is not bound yet, marked so that it never meets a name of the caller.
static std::string marked(const std::string &name) { return "$" + name; }

Size SizeSolver::apply(const Size &pattern) const {
  Size::Bindings all = bindings;
  for (const std::string &name : pattern.names())
    if (!bindings.count(name) && unknowns.count(name))
      all.emplace(name, Size::variable(marked(name)));
  return pattern.substitute(all);
}

void SizeSolver::equate(const Type &pattern, const Type &actual) {
  for (std::size_t i = 0; i < pattern.axes.size() && i < actual.axes.size(); ++i)
    equations.emplace_back(pattern.axes[i], actual.axes[i]);
}

std::optional<std::string> SizeSolver::unknownIn(const Size &pattern) const {
  std::optional<std::string> found;
  for (const std::string &name : pattern.names()) {
    if (bindings.count(name) || !unknowns.count(name))
      continue;
    if (found)
      return std::nullopt; // two of them: wait
    found = name;
  }
  return found;
}

std::vector<std::pair<Size, Size>> SizeSolver::solve() {
  bool progress = true;
  while (progress) {
    progress = false;
    // Plain names first: `[n d]` binds n whatever else says about it.
    for (bool plain : {true, false}) {
      for (const auto &[pattern, actual] : equations) {
        auto name = unknownIn(pattern);
        if (!name || (plain && !pattern.asVariable()))
          continue;
        if (auto solution = apply(pattern).solveFor(marked(*name), actual)) {
          bindings.emplace(*name, *solution);
          progress = true;
        }
      }
      if (progress)
        break;
    }
  }
  std::vector<std::pair<Size, Size>> broken;
  for (const auto &[pattern, actual] : equations) {
    bool open = false;
    for (const std::string &name : pattern.names())
      open |= unknowns.count(name) && !bindings.count(name);
    if (!open && apply(pattern) != actual)
      broken.emplace_back(pattern, actual);
  }
  return broken;
}

} // namespace attnc::elaboration
