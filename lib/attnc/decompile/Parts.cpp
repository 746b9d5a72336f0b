#include "attnc/decompile/Parts.h"

#include "attnc/diagram/Transform.h"
#include "attnc/syntax/Parser.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

namespace attnc::decompilation {

std::string legalName(std::string name) {
  for (char &c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '\'')
      c = '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) || name[0] == '\'' || isKeyword(name))
    name.insert(0, "_");
  return name;
}

bool isLegalName(const std::string &name) { return !name.empty() && legalName(name) == name; }

ast::ExprRef expr(decltype(ast::Expr::node) node) {
  return std::make_shared<ast::Expr>(ast::Expr{std::move(node), {}});
}
ast::ExprRef nameExpr(const std::string &name) { return expr(ast::NameExpr{name}); }

ast::ExprRef callExpr(const std::string &callee, std::vector<ast::ExprRef> arguments,
                      std::vector<ast::KeywordArgument> keywords) {
  return expr(ast::CallExpr{{callee, {}}, std::move(arguments), std::move(keywords)});
}

ast::ExprRef integer(std::int64_t value) {
  if (value >= 0)
    return expr(ast::IntLiteral{value});
  return expr(ast::Unary{ast::Unary::Op::Neg, expr(ast::IntLiteral{-value})});
}

ast::ExprRef realValue(double value) {
  double magnitude = std::abs(value);
  std::string text = fmt::format("{}", magnitude);
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  ast::ExprRef result = std::isinf(magnitude) ? nameExpr("inf") : expr(ast::RealLiteral{magnitude, text});
  return std::signbit(value) ? expr(ast::Unary{ast::Unary::Op::Neg, result}) : result;
}

ast::KeywordArgument keyword(const std::string &name, ast::ExprRef value) { return {{name, {}}, std::move(value)}; }

/// A polynomial in words: `number`, `name` and the three operations, whatever tree they make.
template <class Words> static auto inWords(const Size &size, const Words &words) {
  auto sum = words.number(0);
  bool first = true;
  for (const Size::Term &term : size.polynomial()) {
    std::int64_t magnitude = term.coefficient < 0 ? -term.coefficient : term.coefficient;
    auto product = words.number(magnitude);
    bool one = magnitude == 1;
    for (const std::string &name : term.names) {
      product = one ? words.name(legalName(name))
                    : words.operation(ast::SizeExpr::Op::Mul, product, words.name(legalName(name)));
      one = false;
    }
    if (first && term.coefficient > 0)
      sum = product;
    else
      sum = words.operation(term.coefficient > 0 ? ast::SizeExpr::Op::Add : ast::SizeExpr::Op::Sub, sum, product);
    first = false;
  }
  return sum;
}

namespace {
struct SizeWords {
  ast::SizeExpr number(std::int64_t value) const { return {ast::SizeExpr::Op::Number, value, {}, {}, {}}; }
  ast::SizeExpr name(const std::string &text) const { return {ast::SizeExpr::Op::Name, 0, text, {}, {}}; }
  ast::SizeExpr operation(ast::SizeExpr::Op op, ast::SizeExpr a, ast::SizeExpr b) const {
    return {op, 0, {}, {std::move(a), std::move(b)}, {}};
  }
};
struct ValueWords {
  ast::ExprRef number(std::int64_t value) const { return integer(value); }
  ast::ExprRef name(const std::string &text) const { return nameExpr(text); }
  ast::ExprRef operation(ast::SizeExpr::Op op, ast::ExprRef a, ast::ExprRef b) const {
    using Op = ast::Binary::Op;
    return expr(ast::Binary{op == ast::SizeExpr::Op::Add   ? Op::Add
                            : op == ast::SizeExpr::Op::Sub ? Op::Sub
                                                           : Op::Mul,
                            std::move(a), std::move(b)});
  }
};
} // namespace

ast::SizeExpr sizeExpr(const Size &size) { return inWords(size, SizeWords{}); }
ast::ExprRef sizeValue(const Size &size) { return inWords(size, ValueWords{}); }

ast::TypeExpr typeExpr(const Type &type) {
  ast::TypeExpr result{type.kind, {}, std::nullopt, {}};
  for (const Size &axis : type.axes)
    result.axes.push_back(sizeExpr(axis));
  return result;
}

std::optional<Lifted> lifted(const Box &box) {
  const Diagram &body = *box.body;
  if (box.cap != Cap::None || box.indexed || body.ops.size() != 1 || body.outputs != body.ops[0].results)
    return std::nullopt;
  const Op &op = body.ops[0];
  std::optional<Lifted> inner;
  auto *function = std::get_if<Pointwise>(&op.generator);
  if (function) {
    inner = Lifted{function->fn, {}, {}};
    for (std::size_t i = 0; i < op.operands.size(); ++i)
      inner->operands.push_back(i);
  } else if (auto *nested = std::get_if<Box>(&op.generator)) {
    inner = lifted(*nested);
  }
  if (!inner)
    return std::nullopt;
  Lifted result{inner->fn, {}, {}};
  for (std::size_t i = 0; i < inner->operands.size(); ++i) {
    std::size_t port = body.wire(op.operands[inner->operands[i]]).port;
    if (!function && box.modes[port] != inner->modes[i])
      return std::nullopt;
    result.operands.push_back(port);
    result.modes.push_back(box.modes[port]);
  }
  bool maps = std::ranges::find(result.modes, Mode::Map) != result.modes.end();
  return maps ? std::optional(result) : std::nullopt;
}

std::vector<Size> splitFactors(const std::vector<Size> &axes) {
  std::vector<Size> factors;
  for (std::size_t last = axes.size(); last-- > 1;) {
    Size outer = 1;
    for (std::size_t i = 0; i < last; ++i)
      outer = outer * axes[i];
    factors.push_back(outer);
  }
  return factors;
}

// ---- Source

Source::Source(const Definition &definition, const KnownDiagrams &known) : original(definition), known(known) {
  // A learner that also occurs by itself cannot be the callee's: then the callee is opened too.
  for (bool more = true; more;) {
    more = false;
    used.assign(original.learners.size(), false);
    auto stays = [&](const Call &call) { return kept(call).has_value(); };
    markLearners(original.diagram, stays, used);
    std::function<void(const Diagram &)> visit = [&](const Diagram &diagram) {
      for (const Op &op : diagram.ops) {
        auto *call = std::get_if<Call>(&op.generator);
        if (call && stays(*call)) {
          std::vector<bool> inner(used.size());
          markLearners(*call->body, [](const Call &) { return false; }, inner);
          for (std::size_t i = 0; i < inner.size(); ++i)
            if (inner[i] && used[i])
              more |= openNames.insert(call->name).second;
        } else if (const DiagramRef &body = bodyOf(op.generator)) {
          visit(*body);
        }
      }
    };
    visit(original.diagram);
  }
  opened = inlineCalls(original.diagram, [&](const Call &call) { return !kept(call); }, original.learners);
  nameLearners();
  reserve(opened);
}

std::optional<KeptCall> Source::kept(const Call &call) const {
  if (!known || openNames.contains(call.name))
    return std::nullopt;
  auto [entry, fresh] = callees.try_emplace(call.name);
  if (fresh)
    entry->second = known(call.name);
  const auto &callee = entry->second;
  return callee ? matchCall(call, *callee, original) : std::nullopt;
}

void Source::nameLearners() {
  for (const char *word : {"inf", "pi", "id", "copy", "del", "swap", "zip", "unzip", "broadcast", "scale", "size",
                           "softmax", "topk", "gather", "scatter", "transpose", "split", "merge"})
    taken.insert(word);
  std::set<std::string> functions = taken;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(PointwiseFn::Uniform); ++i)
    functions.insert(std::string(info(static_cast<PointwiseFn>(i)).name));
  labels.resize(original.learners.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string label = legalName(original.learners[i].label);
    while (functions.contains(label))
      label += "'";
    functions.insert(label);
    labels[i] = label;
    taken.insert(label);
  }
}

void Source::reserve(const Diagram &diagram) {
  for (const Op &op : diagram.ops) {
    if (auto *size = std::get_if<SizeValue>(&op.generator))
      for (const std::string &name : size->size.names())
        taken.insert(legalName(name));
    if (auto *topk = std::get_if<TopK>(&op.generator)) // keywords are expressions too
      for (const std::string &name : topk->count.names())
        taken.insert(legalName(name));
    if (auto *scatter = std::get_if<Scatter>(&op.generator))
      for (const std::string &name : scatter->size.names())
        taken.insert(legalName(name));
    if (auto *reshape = std::get_if<Reshape>(&op.generator))
      for (const Size &axis : reshape->axes)
        for (const std::string &name : axis.names())
          taken.insert(legalName(name));
    if (auto *call = std::get_if<Call>(&op.generator)) { // those that are left stay
      KeptCall written = this->call(*call);
      for (const auto &[name, size] : written.keywords)
        for (const std::string &variable : size.names())
          taken.insert(legalName(variable));
    } else if (const DiagramRef &body = bodyOf(op.generator)) {
      reserve(*body);
    }
  }
}

bool Source::perIsNearest(const Apply &apply, const std::vector<Size> &boxes) const {
  const Learner &learner = original.learner(apply.learner);
  for (std::size_t axis = 0; axis < apply.per.size(); ++axis) {
    std::size_t nearest = 0;
    while (nearest < boxes.size() && boxes[boxes.size() - 1 - nearest] != learner.per[axis])
      ++nearest;
    if (nearest != apply.per[axis])
      return false;
  }
  return true;
}

/// The sizes of a diagram that do not occur in its calls alone.
static void sizesOutsideCalls(const Diagram &diagram, std::set<std::string> &names) {
  auto add = [&](const Size &size) {
    for (const std::string &name : size.names())
      names.insert(name);
  };
  for (const Wire &wire : diagram.wires)
    std::ranges::for_each(wire.type.axes, add);
  for (const Op &op : diagram.ops) {
    if (auto *box = std::get_if<Box>(&op.generator))
      add(box->size);
    else if (auto *scan = std::get_if<Scan>(&op.generator))
      add(scan->size);
    else if (auto *size = std::get_if<SizeValue>(&op.generator))
      add(size->size);
    else if (auto *topk = std::get_if<TopK>(&op.generator))
      add(topk->count);
    if (const DiagramRef &body = bodyOf(op.generator); body && !std::holds_alternative<Call>(op.generator))
      sizesOutsideCalls(*body, names);
  }
}

ast::DiagramDecl Source::declaration(std::vector<ast::LearnerDecl> &learners) const {
  ast::DiagramDecl result;
  result.doc = original.doc;
  result.name = {legalName(original.name), {}};
  std::vector<Type> types = opened.outputTypes();
  bool named = original.outputNames.size() == types.size() && std::ranges::all_of(original.outputNames, isLegalName);
  for (std::size_t i = 0; i < types.size(); ++i) {
    ast::ResultType one{std::nullopt, typeExpr(types[i])};
    if (named) // all results have names, or none has
      one.name = ast::Name{original.outputNames[i], {}};
    result.results.push_back(std::move(one));
  }
  std::set<std::string> written;
  sizesOutsideCalls(opened, written);
  for (const Constraint &constraint : original.constraints) {
    // A power that is a call's own comes with the call.
    auto power = constraint.isPower() ? constraint.left.asVariable() : std::nullopt;
    if (power && power->find('.') != std::string::npos && !written.contains(*power))
      continue;
    ast::Condition condition{sizeExpr(constraint.left),
                             sizeExpr(constraint.right),
                             std::nullopt,
                             ast::Condition::Relation(constraint.relation),
                             {}};
    if (constraint.modulus)
      condition.modulus = sizeExpr(*constraint.modulus);
    if (constraint.exponent)
      condition.exponent = sizeExpr(*constraint.exponent);
    result.conditions.push_back(std::move(condition));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i])
      continue;
    const Learner &learner = original.learners[i];
    ast::LearnerDecl one{
        static_cast<ast::LearnerDecl::Kind>(learner.kind), {labels[i], {}}, {}, {}, {}, std::nullopt, std::nullopt, {}};
    for (const Type &type : learner.domain)
      one.domain.push_back(typeExpr(type));
    for (const Type &type : learner.codomain)
      one.codomain.push_back(typeExpr(type));
    for (const Size &size : learner.per)
      one.per.push_back(sizeExpr(size));
    if (learner.kind == LearnerKind::Universal && learner.width != Size(64))
      one.width = sizeExpr(learner.width);
    (learner.kind == LearnerKind::Hole ? result.boxes : learners).push_back(std::move(one));
  }
  return result;
}

} // namespace attnc::decompilation
