#include "attnc/decompile/Parts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace attnc {

using namespace decompilation;

namespace {

/// What a wire is written as: an expression to put in its place, with how deep it is nested.
struct Written {
  ast::ExprRef expr;
  unsigned depth = 0;
  std::string name; // not empty when the expression is this name
};

class NamedWriter {
public:
  explicit NamedWriter(const Source &source) : source(source) {}

  ast::BlockRef block(const Diagram &diagram, const std::vector<Written> &inputs, std::set<std::string> names) {
    auto result = std::make_shared<ast::Block>();
    Body body{diagram, std::vector<Written>(diagram.wires.size()), std::move(names),
              std::vector<unsigned>(diagram.wires.size()), *result};
    for (const Op &op : diagram.ops)
      for (WireId wire : op.operands)
        ++body.uses[wire.index()];
    for (WireId wire : diagram.outputs)
      ++body.uses[wire.index()];
    for (std::size_t i = 0; i < inputs.size(); ++i)
      body.written[diagram.inputs[i].index()] = inputs[i];
    for (const Op &op : diagram.ops)
      std::visit([&](const auto &generator) { write(generator, op, body); }, op.generator);
    std::vector<ast::ExprRef> outputs;
    for (WireId wire : diagram.outputs)
      outputs.push_back(body.written[wire.index()].expr);
    result->result = outputs.size() == 1 ? outputs[0] : expr(ast::TupleExpr{outputs});
    return result;
  }

  const std::string &error() const { return failure; }

private:
  static constexpr unsigned deepest = 24; // an expression nested deeper is cut by a name

  struct Body {
    const Diagram &diagram;
    std::vector<Written> written; // by wire
    std::set<std::string> names;  // taken here
    std::vector<unsigned> uses;
    ast::Block &block;
  };

  std::string fresh(std::string base, std::set<std::string> &names) {
    base = isLegalName(base) ? base : base.empty() ? "x" : legalName(base);
    std::string name = base;
    for (unsigned i = 1; names.contains(name) || source.reserved().contains(name); ++i)
      name = fmt::format("{}{}", base, i);
    names.insert(name);
    return name;
  }

  ast::ExprRef operand(const Op &op, std::size_t i, const Body &body) {
    return body.written[op.operands[i].index()].expr;
  }
  std::vector<ast::ExprRef> operands(const Op &op, const Body &body) {
    std::vector<ast::ExprRef> all;
    for (WireId wire : op.operands)
      all.push_back(body.written[wire.index()].expr);
    return all;
  }
  unsigned depth(const Op &op, const Body &body) {
    unsigned most = 0;
    for (WireId wire : op.operands)
      most = std::max(most, body.written[wire.index()].depth);
    return most + 1;
  }

  /// Puts the one result where it is used, or binds it to a name.
  void give(const Op &op, ast::ExprRef value, Body &body) {
    WireId wire = op.results[0];
    const std::string &hint = body.diagram.wire(wire).name;
    unsigned nested = depth(op, body);
    if (body.uses[wire.index()] == 1 && hint.empty() && nested < deepest) {
      body.written[wire.index()] = {std::move(value), nested, {}};
      return;
    }
    bind(op, {wire}, std::move(value), body);
  }

  /// `name = value`, `(a, b) = value`.
  void bind(const Op &, const std::vector<WireId> &wires, ast::ExprRef value, Body &body) {
    ast::Binding binding;
    for (WireId wire : wires) {
      std::string hint = body.diagram.wire(wire).name;
      if (body.uses[wire.index()] == 0 && !hint.starts_with('_'))
        hint = "_" + hint;
      std::string name = fresh(hint, body.names);
      binding.targets.push_back({{name, {}}, std::nullopt});
      body.written[wire.index()] = {nameExpr(name), 1, name};
    }
    binding.value = std::move(value);
    body.block.statements.push_back(std::move(binding));
  }

  /// A constant stands wherever it is used.
  void repeat(const Op &op, ast::ExprRef value, Body &body) {
    body.written[op.results[0].index()] = {std::move(value), 1, {}};
  }

  void write(const Const &g, const Op &op, Body &body) {
    if (auto *whole = std::get_if<std::int64_t>(&g.value))
      return repeat(op, integer(*whole), body);
    if (auto *truth = std::get_if<bool>(&g.value))
      return repeat(op, expr(ast::BoolLiteral{*truth}), body);
    double value = std::get<double>(g.value);
    if (std::isnan(value))
      failure = "the language has no constant NaN";
    repeat(op, realValue(value), body);
  }
  void write(const SizeValue &g, const Op &op, Body &body) { repeat(op, sizeValue(g.size), body); }

  ast::ExprRef pointwise(PointwiseFn fn, const std::vector<ast::ExprRef> &values) {
    using Op = ast::Binary::Op;
    static const std::map<PointwiseFn, Op> signs = {
        {PointwiseFn::Add, Op::Add},     {PointwiseFn::Sub, Op::Sub},
        {PointwiseFn::Mul, Op::Mul},     {PointwiseFn::Div, Op::Div},
        {PointwiseFn::Mod, Op::Mod},     {PointwiseFn::Pow, Op::Pow},
        {PointwiseFn::Less, Op::Less},   {PointwiseFn::LessEqual, Op::LessEqual},
        {PointwiseFn::Equal, Op::Equal}, {PointwiseFn::NotEqual, Op::NotEqual},
        {PointwiseFn::And, Op::And},     {PointwiseFn::Or, Op::Or}};
    if (auto sign = signs.find(fn); sign != signs.end())
      return expr(ast::Binary{sign->second, values[0], values[1]});
    if (fn == PointwiseFn::Neg || fn == PointwiseFn::Not)
      return expr(ast::Unary{fn == PointwiseFn::Neg ? ast::Unary::Op::Neg : ast::Unary::Op::Not, values[0]});
    return callExpr(std::string(info(fn).name), values);
  }

  void write(const Pointwise &g, const Op &op, Body &body) { give(op, pointwise(g.fn, operands(op, body)), body); }

  void write(const Gather &, const Op &op, Body &body) {
    give(op, expr(ast::IndexExpr{operand(op, 0, body), {operand(op, 1, body)}}), body);
  }
  void write(const Scatter &g, const Op &op, Body &body) {
    give(op, callExpr("scatter", operands(op, body), {keyword("size", sizeValue(g.size))}), body);
  }
  void write(const TopK &g, const Op &op, Body &body) {
    bind(op, op.results, callExpr("topk", operands(op, body), {keyword("k", sizeValue(g.count))}), body);
  }
  void write(const Softmax &g, const Op &op, Body &body) {
    std::vector<ast::KeywordArgument> keywords;
    if (std::size_t rank = body.diagram.type(op.operands[0]).rank(); rank > 1)
      keywords.push_back(keyword("axes", integer(rank)));
    if (g.sink)
      keywords.push_back(keyword("sink", operand(op, 1, body)));
    give(op, callExpr("softmax", {operand(op, 0, body)}, keywords), body);
  }
  void write(const Transpose &, const Op &op, Body &body) { give(op, callExpr("transpose", operands(op, body)), body); }

  void write(const Reshape &g, const Op &op, Body &body) {
    ast::ExprRef value = operand(op, 0, body);
    std::size_t rank = body.diagram.type(op.operands[0]).rank();
    if (rank == 0 || g.axes.empty())
      failure = "the language has no reshape to or from a scalar";
    for (; rank > 1; --rank)
      value = callExpr("merge", {value});
    for (const Size &factor : splitFactors(g.axes))
      value = callExpr("split", {value}, {keyword("h", sizeValue(factor))});
    give(op, value, body);
  }

  /// The names and expressions with which operands enter a body whose first inputs have theirs.
  std::vector<ast::HeaderWire> enter(const Op &op, std::size_t first, const std::vector<Mode> &modes,
                                     const Diagram &inner, std::vector<Written> &inputs, std::set<std::string> &names,
                                     Body &body) {
    std::vector<ast::HeaderWire> header;
    for (std::size_t i = 0; i < modes.size(); ++i) // what is shared keeps its name inside
      if (modes[i] == Mode::Share)
        if (const std::string &name = body.written[op.operands[first + i].index()].name; !name.empty())
          names.insert(name);
    for (std::size_t i = 0; i < modes.size(); ++i) {
      const Written &outer = body.written[op.operands[first + i].index()];
      if (modes[i] == Mode::Share) {
        inputs.push_back(outer);
        continue;
      }
      std::string hint = inner.wire(inner.inputs[inputs.size()]).name;
      std::string name = fresh(hint.empty() ? outer.name : hint, names);
      header.push_back({{name, {}}, name == outer.name ? nullptr : outer.expr});
      inputs.push_back({nameExpr(name), 1, name});
    }
    return header;
  }

  /// A shared wire that is no name and no constant gets a name before the box.
  void nameShared(const Op &op, std::size_t first, const std::vector<Mode> &modes, Body &body) {
    for (std::size_t i = 0; i < modes.size(); ++i) {
      WireId wire = op.operands[first + i];
      Written &outer = body.written[wire.index()];
      if (modes[i] != Mode::Share || !outer.name.empty() || isConstant(body.diagram, wire))
        continue;
      bind(op, {wire}, outer.expr, body);
    }
  }
  bool isConstant(const Diagram &diagram, WireId wire) {
    if (!diagram.wire(wire).producer.valid())
      return inherited.contains({&diagram, wire.index()});
    const Generator &g = diagram.op(diagram.wire(wire).producer).generator;
    return std::holds_alternative<Const>(g) || std::holds_alternative<SizeValue>(g);
  }

  ast::BlockRef inside(const Op &op, std::size_t first, const std::vector<Mode> &modes, const Size &size,
                       const Diagram &inner, const std::vector<Written> &inputs, std::set<std::string> names,
                       Body &body) {
    for (std::size_t i = 0; i < modes.size(); ++i)
      if (modes[i] == Mode::Share && isConstant(body.diagram, op.operands[first + i]))
        inherited.insert({&inner, inner.inputs[inner.inputs.size() - modes.size() + i].index()});
    boxes.push_back(size);
    ast::BlockRef result = block(inner, inputs, std::move(names));
    boxes.pop_back();
    return result;
  }

  void write(const Box &g, const Op &op, Body &body) {
    if (auto implicit = lifted(g)) {
      std::vector<ast::ExprRef> values;
      for (std::size_t operand : implicit->operands)
        values.push_back(body.written[op.operands[operand].index()].expr);
      return give(op, pointwise(implicit->fn, values), body);
    }
    nameShared(op, 0, g.modes, body);
    std::set<std::string> names;
    std::vector<Written> inputs;
    ast::BoxExpr box{g.cap, sizeExpr(g.size), std::nullopt, {}, nullptr};
    // The index is named last, so that it keeps away from what is shared.
    if (g.indexed)
      inputs.emplace_back();
    box.wires = enter(op, 0, g.modes, *g.body, inputs, names, body);
    if (g.indexed)
      inputs[0] = index(*g.body, names, box.index);
    box.body = inside(op, 0, g.modes, g.size, *g.body, inputs, names, body);
    if (op.results.size() == 1)
      return give(op, expr(std::move(box)), body);
    bind(op, op.results, expr(std::move(box)), body);
  }

  Written index(const Diagram &inner, std::set<std::string> &names, std::optional<ast::Name> &written) {
    std::string name = inner.wire(inner.inputs[0]).name;
    name = fresh(name.empty() ? "i" : name, names);
    written = ast::Name{name, {}};
    return {nameExpr(name), 1, name};
  }

  void write(const Scan &g, const Op &op, Body &body) {
    nameShared(op, g.states, g.modes, body);
    std::set<std::string> names;
    std::vector<Written> inputs(g.indexed + g.states);
    ast::ScanExpr scan{sizeExpr(g.size), std::nullopt, {}, {}, nullptr};
    scan.wires = enter(op, g.states, g.modes, *g.body, inputs, names, body);
    if (g.indexed)
      inputs[0] = index(*g.body, names, scan.index);
    for (unsigned i = 0; i < g.states; ++i) {
      const Wire &wire = g.body->wire(g.body->inputs[g.indexed + i]);
      std::string name = fresh(wire.name.empty() ? "S" : wire.name, names);
      inputs[g.indexed + i] = {nameExpr(name), 1, name};
      scan.states.push_back({{name, {}}, typeExpr(wire.type), operand(op, i, body)});
    }
    scan.body = inside(op, g.states, g.modes, g.size, *g.body, inputs, names, body);
    std::size_t steps = op.results.size() - g.states;
    bool finals = steps == 0;
    for (std::size_t i = steps; i < op.results.size(); ++i)
      finals |= body.uses[op.results[i].index()] > 0;
    std::vector<WireId> asked(op.results.begin(), finals ? op.results.end() : op.results.begin() + steps);
    if (asked.size() == 1)
      return op.results.size() == 1 || steps == 1 ? give(op, expr(std::move(scan)), body)
                                                  : bind(op, asked, expr(std::move(scan)), body);
    bind(op, asked, expr(std::move(scan)), body);
  }

  void write(const Call &g, const Op &op, Body &body) {
    std::vector<ast::KeywordArgument> keywords;
    for (const auto &[name, size] : source.call(g).keywords)
      keywords.push_back(keyword(name, sizeValue(size)));
    ast::ExprRef value = callExpr(g.name, operands(op, body), keywords);
    if (op.results.size() == 1)
      return give(op, value, body);
    bind(op, op.results, value, body);
  }

  void write(const Apply &g, const Op &op, Body &body) {
    if (!source.perIsNearest(g, boxes))
      failure = fmt::format("the parameters of '{}' are picked by a box that is not the nearest of its size",
                            source.label(g.learner));
    bool param = source.definition().learner(g.learner).kind == LearnerKind::Param;
    ast::ExprRef value =
        param ? nameExpr(source.label(g.learner)) : callExpr(source.label(g.learner), operands(op, body));
    if (op.results.size() == 1)
      return give(op, value, body);
    bind(op, op.results, value, body);
  }

  const Source &source;
  std::vector<Size> boxes;
  std::set<std::pair<const Diagram *, std::size_t>> inherited; // inputs that are constants of the body around
  std::string failure;
};

} // namespace

tl::expected<ast::DiagramDecl, std::string> toNamed(const Definition &definition, const KnownDiagrams &known) {
  Source source(definition, known);
  std::vector<ast::LearnerDecl> learners;
  ast::DiagramDecl result = source.declaration(learners);
  NamedWriter writer(source);
  ast::NamedForm form;
  std::set<std::string> names;
  std::vector<Written> inputs;
  for (WireId input : source.diagram().inputs) {
    const Wire &wire = source.diagram().wire(input);
    std::string base = isLegalName(wire.name) ? wire.name : "x", name = base;
    for (unsigned i = 1; names.contains(name) || source.reserved().contains(name); ++i)
      name = fmt::format("{}{}", base, i);
    names.insert(name);
    form.parameters.push_back({{name, {}}, typeExpr(wire.type)});
    inputs.push_back({nameExpr(name), 1, name});
  }
  form.body = writer.block(source.diagram(), inputs, names);
  std::vector<ast::Statement> declared(learners.begin(), learners.end());
  form.body->statements.insert(form.body->statements.begin(), declared.begin(), declared.end());
  result.form = std::move(form);
  if (!writer.error().empty())
    return tl::unexpected(writer.error());
  return result;
}

} // namespace attnc
