#include "attnc/elaborate/Elaborator.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace attnc::elaboration {

Value Elaborator::constant(std::variant<double, std::int64_t, bool> value, Frame &frame, Span span) {
  return {&frame, *frame.builder.add1(Const{value}, {}, span)};
}

static std::optional<Values> single(std::optional<Value> value) {
  return value ? std::optional(Values{*value}) : std::nullopt;
}

std::optional<Value> Elaborator::one(const ast::Expr &expr, Frame &frame) {
  auto values = many(expr, frame, 1);
  return values ? std::optional(values->front()) : std::nullopt;
}

std::optional<Values> Elaborator::many(const ast::Expr &expr, Frame &frame, std::size_t wanted) {
  if (tooDeep(expr.span) || tooLarge(1, expr.span))
    return std::nullopt;
  Deeper deeper(loader);
  Span span = expr.span;
  struct Visitor {
    Elaborator &self;
    Frame &frame;
    Span span;
    std::size_t wanted;

    std::optional<Values> operator()(const ast::RealLiteral &e) { return Values{self.constant(e.value, frame, span)}; }
    std::optional<Values> operator()(const ast::IntLiteral &e) { return Values{self.constant(e.value, frame, span)}; }
    std::optional<Values> operator()(const ast::BoolLiteral &e) { return Values{self.constant(e.value, frame, span)}; }
    std::optional<Values> operator()(const ast::NameExpr &e) { return single(self.nameExpr(e.name, frame, span)); }
    std::optional<Values> operator()(const ast::Unary &e) {
      auto operand = self.one(*e.operand, frame);
      if (!operand)
        return std::nullopt;
      return single(
          self.pointwise(e.op == ast::Unary::Op::Neg ? PointwiseFn::Neg : PointwiseFn::Not, {*operand}, frame, span));
    }
    std::optional<Values> operator()(const ast::Binary &e) { return single(self.binary(e, frame, span)); }
    std::optional<Values> operator()(const ast::CallExpr &e) { return self.call(e, frame, span, wanted); }
    std::optional<Values> operator()(const ast::IndexExpr &e) {
      auto value = self.one(*e.array, frame);
      for (const ast::ExprRef &index : e.indices) {
        auto at = self.one(*index, frame);
        if (!at || !value)
          return std::nullopt;
        value = self.gather(*value, *at, frame, span);
      }
      return single(value);
    }
    std::optional<Values> operator()(const ast::TupleExpr &e) {
      Values values;
      bool ok = true;
      for (const ast::ExprRef &element : e.elements) {
        auto value = self.one(*element, frame);
        ok &= value.has_value();
        if (value)
          values.push_back(*value);
      }
      return ok ? std::optional(values) : std::nullopt;
    }
    std::optional<Values> operator()(const ast::BoxExpr &e) { return self.box(e, frame, span, wanted); }
    std::optional<Values> operator()(const ast::ScanExpr &e) { return self.scan(e, frame, span, wanted); }
  };
  auto values = std::visit(Visitor{*this, frame, span, wanted}, expr.node);
  if (values && wanted != anyCount && values->size() != wanted) {
    diagnostics.report(Diag::WrongResultCount, span, wanted, values->size());
    return std::nullopt;
  }
  return values;
}

std::optional<Value> Elaborator::nameExpr(const std::string &name, Frame &frame, Span span) {
  if (Frame::Bound *bound = frame.find(name)) {
    bound->used = true;
    return bound->value;
  }
  if (auto label = labels.find(name); label != labels.end() && label->second.learner) {
    auto values = applyLearner(*label->second.learner, {}, frame, span);
    return values ? std::optional(values->front()) : std::nullopt;
  }
  if (sizes.count(name)) {
    Size length = Size::variable(name).substitute(equations);
    if (auto number = length.constant())
      return constant(*number, frame, span);
    return Value{&frame, *frame.builder.add1(SizeValue{length}, {}, span)};
  }
  if (name == "inf")
    return constant(std::numeric_limits<double>::infinity(), frame, span);
  if (name == "pi")
    return constant(std::numbers::pi, frame, span);
  if (broken.count(name))
    return std::nullopt;
  auto report = diagnostics.report(Diag::UnknownName, span, name);
  if (auto near = nearest(name, namesInSight(&frame)))
    report.help(fmt::format("did you mean '{}'?", *near));
  else if (loader.find(scope, name, false))
    report.help(fmt::format("'{}' is a diagram; apply it: {}(…)", name, name));
  return std::nullopt;
}

std::vector<std::string> Elaborator::namesInSight(Frame *frame) {
  std::vector<std::string> names(sizes.begin(), sizes.end());
  for (; frame; frame = frame->parent)
    for (const auto &[name, bound] : frame->names)
      names.push_back(name);
  for (const auto &[name, label] : labels)
    names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Value> Elaborator::binary(const ast::Binary &expr, Frame &frame, Span span) {
  auto left = one(*expr.left, frame), right = one(*expr.right, frame);
  if (!left || !right)
    return std::nullopt;
  using Op = ast::Binary::Op;
  auto both = [&](PointwiseFn fn) { return pointwise(fn, {*left, *right}, frame, span); };
  switch (expr.op) {
  case Op::Or:
    return both(PointwiseFn::Or);
  case Op::And:
    return both(PointwiseFn::And);
  case Op::Equal:
    return both(PointwiseFn::Equal);
  case Op::NotEqual:
    return both(PointwiseFn::NotEqual);
  case Op::Less:
    return both(PointwiseFn::Less);
  case Op::LessEqual:
    return both(PointwiseFn::LessEqual);
  case Op::Greater:
    return pointwise(PointwiseFn::Less, {*right, *left}, frame, span);
  case Op::GreaterEqual:
    return pointwise(PointwiseFn::LessEqual, {*right, *left}, frame, span);
  case Op::Add:
    return both(PointwiseFn::Add);
  case Op::Sub:
    return both(PointwiseFn::Sub);
  case Op::Mul:
    return both(PointwiseFn::Mul);
  case Op::Div:
    return both(PointwiseFn::Div);
  case Op::Mod:
    return both(PointwiseFn::Mod);
  case Op::Pow:
    return both(PointwiseFn::Pow);
  }
  return std::nullopt;
}

bool Elaborator::bind(const ast::Name &name, Value value, Frame &frame, bool binding) {
  auto [bound, fresh] = frame.names.try_emplace(name.text, Frame::Bound{value, name.span, false, binding});
  if (!fresh) {
    diagnostics.report(Diag::DuplicateName, name.span, name.text)
        .note(bound->second.span, "the first is here")
        .help("a name stands for one wire; call the new one, say, " + name.text + "'");
    return false;
  }
  if (value.frame == &frame)
    frame.builder.suggestName(value.wire, name.text);
  return true;
}

void Elaborator::warnUnused(const Frame &frame) {
  for (const auto &[name, bound] : frame.names)
    if (bound.binding && !bound.used && !name.starts_with('_'))
      diagnostics.report(Diag::UnusedBinding, bound.span, name).help("begin its name with '_' if that is meant");
}

bool Elaborator::statement(const ast::Statement &statement, Frame &frame) {
  if (auto *learner = std::get_if<ast::LearnerDecl>(&statement)) {
    declareSizes(*learner);
    return declareLearner(*learner);
  }
  if (auto *instance = std::get_if<ast::InstanceDecl>(&statement))
    return declareInstance(*instance);
  const auto &binding = std::get<ast::Binding>(statement);
  auto values = many(*binding.value, frame, binding.targets.size());
  bool ok = values.has_value();
  for (std::size_t i = 0; i < binding.targets.size(); ++i) {
    const auto &target = binding.targets[i];
    if (!values) {
      // Known as broken: what uses the name is not to blame.
      broken.insert(target.name.text);
      continue;
    }
    Value value = (*values)[i];
    if (target.type) {
      auto wanted = type(*target.type);
      if (wanted && wanted->kind == Kind::Real && value.type().kind == Kind::Int && wanted->axes == value.type().axes)
        value = *convert(value, Kind::Real, frame, binding.span, "");
      if (wanted && *wanted != value.type())
        diagnostics
            .report(Diag::TypeMismatch, binding.value->span, fmt::format("'{}'", target.name.text), value.type().str(),
                    wanted->str())
            .note(target.type->span, "the type is declared here");
      ok &= wanted && *wanted == value.type();
    }
    ok &= bind(target.name, value, frame, true);
  }
  return ok;
}

std::optional<Values> Elaborator::block(const ast::Block &block, Frame &frame, std::size_t wanted) {
  bool ok = true;
  for (const ast::Statement &one : block.statements)
    ok &= statement(one, frame);
  auto values = many(*block.result, frame, wanted);
  if (ok && values)
    warnUnused(frame);
  return ok ? values : std::nullopt;
}

} // namespace attnc::elaboration
