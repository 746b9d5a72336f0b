#include "attnc/syntax/Dump.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace attnc {

namespace {

/// Writes nested lists; `open` and `close` bracket one.
class Dumper {
public:
  std::string out;

  void word(std::string_view text) {
    if (!out.empty() && out.back() != '(')
      out += ' ';
    out += text;
  }
  void open(std::string_view head) {
    word("(");
    out += head;
  }
  void close() { out += ')'; }
  /// Text that may hold anything.
  void quoted(std::string_view text) {
    word(nlohmann::json(text).dump(-1, 32, false, nlohmann::json::error_handler_t::replace));
  }

  void operator()(const ast::Name &name) { word(name.text); }
  void operator()(const ast::SizeExpr &size) {
    using Op = ast::SizeExpr::Op;
    switch (size.op) {
    case Op::Number:
      return word(fmt::format("{}", size.number));
    case Op::Name:
      return word(size.name);
    case Op::Add:
      open("add");
      break;
    case Op::Sub:
      open("sub");
      break;
    case Op::Mul:
      open("mul");
      break;
    }
    each(size.operands);
    close();
  }
  void operator()(const ast::TypeExpr &type) {
    open(name(type.kind));
    each(type.axes);
    if (type.rest)
      word(".." + type.rest->text);
    close();
  }
  template <class T> void operator()(const std::shared_ptr<T> &reference) {
    if (reference)
      (*this)(*reference);
    else
      word("nothing");
  }
  void operator()(const ast::Expr &expr) { std::visit(*this, expr.node); }
  void operator()(const ast::Term &term) { std::visit(*this, term.node); }

  // Expressions
  void operator()(const ast::RealLiteral &literal) { word(literal.text); }
  void operator()(const ast::IntLiteral &literal) { word(fmt::format("{}", literal.value)); }
  void operator()(const ast::BoolLiteral &literal) { word(literal.value ? "true" : "false"); }
  void operator()(const ast::NameExpr &expr) { word(expr.name); }
  void operator()(const ast::Unary &unary) {
    open(unary.op == ast::Unary::Op::Neg ? "neg" : "not");
    (*this)(unary.operand);
    close();
  }
  void operator()(const ast::Binary &binary) {
    static constexpr std::string_view names[] = {"or",         "and",     "equal",         "not_equal", "less",
                                                 "less_equal", "greater", "greater_equal", "add",       "sub",
                                                 "mul",        "div",     "mod",           "pow"};
    open(names[std::size_t(binary.op)]);
    (*this)(binary.left);
    (*this)(binary.right);
    close();
  }
  void operator()(const ast::KeywordArgument &keyword) {
    open("=");
    (*this)(keyword.name);
    (*this)(keyword.value);
    close();
  }
  void operator()(const ast::CallExpr &call) {
    open("call");
    (*this)(call.callee);
    each(call.arguments);
    each(call.keywords);
    close();
  }
  void operator()(const ast::IndexExpr &index) {
    open("index");
    (*this)(index.array);
    each(index.indices);
    close();
  }
  void operator()(const ast::TupleExpr &tuple) {
    open("tuple");
    each(tuple.elements);
    close();
  }
  void operator()(const ast::HeaderWire &wire) {
    if (!wire.value)
      return (*this)(wire.name);
    open("=");
    (*this)(wire.name);
    (*this)(wire.value);
    close();
  }
  void operator()(const ast::StateDecl &state) {
    open("state");
    (*this)(state.name);
    (*this)(state.type);
    (*this)(state.initial);
    close();
  }
  void operator()(const ast::BoxExpr &box) {
    open("box");
    word(name(box.cap));
    header(box);
    list("wires", box.wires);
    (*this)(box.body);
    close();
  }
  void operator()(const ast::ScanExpr &scan) {
    open("scan");
    header(scan);
    list("wires", scan.wires);
    each(scan.states);
    (*this)(scan.body);
    close();
  }

  // Terms
  void operator()(const ast::AtomTerm &atom) {
    if (atom.arguments.empty() && atom.keywords.empty() && !atom.type)
      return (*this)(atom.name);
    open("atom");
    (*this)(atom.name);
    each(atom.arguments);
    each(atom.keywords);
    maybe("type", atom.type);
    close();
  }
  void operator()(const ast::LiteralTerm &literal) {
    open("state");
    (*this)(literal.value);
    close();
  }
  void operator()(const ast::SeqTerm &seq) { list("seq", seq.terms); }
  void operator()(const ast::TensorTerm &tensor) { list("beside", tensor.terms); }
  void operator()(Mode mode) { word(mode == Mode::Map ? "map" : "share"); }
  void operator()(const ast::BoxTerm &box) {
    open("box");
    word(name(box.cap));
    header(box);
    list("modes", box.modes);
    (*this)(box.body);
    close();
  }
  void operator()(const ast::ScanTerm &scan) {
    open("scan");
    header(scan);
    list("modes", scan.modes);
    list("from", scan.states);
    (*this)(scan.body);
    close();
  }

  // Declarations
  void operator()(const ast::LearnerDecl &learner) {
    static constexpr std::string_view kinds[] = {"linear", "affine", "param", "universal", "hole"};
    open(kinds[std::size_t(learner.kind)]);
    (*this)(learner.label);
    list("from", learner.domain);
    list("to", learner.codomain);
    list("per", learner.per);
    maybe("width", learner.width);
    maybe("default", learner.defaultBox);
    close();
  }
  void operator()(const ast::InstanceDecl &instance) {
    open("instance");
    (*this)(instance.label);
    (*this)(instance.diagram);
    list("per", instance.per);
    close();
  }
  void operator()(const ast::Binding::Target &target) {
    if (!target.type)
      return (*this)(target.name);
    open(":");
    (*this)(target.name);
    (*this)(*target.type);
    close();
  }
  void operator()(const ast::Binding &binding) {
    open("bind");
    list("to", binding.targets);
    (*this)(binding.value);
    close();
  }
  template <class... Ts> void operator()(const std::variant<Ts...> &alternatives) { std::visit(*this, alternatives); }
  void operator()(const ast::Block &block) {
    open("block");
    each(block.statements);
    (*this)(block.result);
    close();
  }
  void operator()(const ast::Parameter &parameter) {
    open(":");
    (*this)(parameter.name);
    (*this)(parameter.type);
    close();
  }
  void operator()(const ast::ResultType &result) {
    if (!result.name)
      return (*this)(result.type);
    open(":");
    (*this)(*result.name);
    (*this)(result.type);
    close();
  }
  void operator()(const ast::Condition &condition) {
    open(sign(condition.relation));
    (*this)(condition.left);
    maybe("mod", condition.modulus);
    (*this)(condition.right);
    maybe("power", condition.exponent);
    close();
  }
  void operator()(const ast::Filling &filling) {
    open("fill");
    (*this)(filling.learner);
    list("wires", filling.parameters);
    (*this)(filling.value);
    close();
  }
  void operator()(const ast::NamedForm &form) {
    list("inputs", form.parameters);
    (*this)(form.body);
  }
  void operator()(const ast::PointFreeForm &form) {
    list("from", form.domain);
    each(form.learners);
    (*this)(form.term);
  }
  void operator()(const ast::SpecialiseForm &form) {
    word(form.keyword ? "specialise" : "with");
    (*this)(form.base);
    each(form.learners);
    each(form.fillings);
  }
  void operator()(const ast::DiagramDecl &diagram) {
    open("diagram");
    (*this)(diagram.name);
    documented(diagram.doc);
    list("boxes", diagram.boxes);
    list("results", diagram.results);
    list("where", diagram.conditions);
    std::visit(*this, diagram.form);
    close();
  }
  void operator()(const ast::RuleDecl &rule) {
    static constexpr std::string_view kinds[] = {"equation", "specialise", "express"};
    open("rule");
    (*this)(rule.name);
    documented(rule.doc);
    word(kinds[std::size_t(rule.kind)]);
    list("per", rule.per);
    list("forall", rule.forall.parameters);
    list("learners", rule.learners);
    list("if", rule.conditions);
    (*this)(rule.left);
    word(rule.bothWays ? "==" : "=>");
    (*this)(rule.right);
    list("by", rule.fillings);
    close();
  }
  void operator()(const ast::DerivationStep::Argument &argument) {
    open("=");
    (*this)(argument.name);
    (*this)(argument.value);
    close();
  }
  void operator()(const ast::DerivationStep &step) {
    open("by");
    (*this)(step.rule);
    if (step.reversed)
      word("reversed");
    if (step.everywhere)
      word("everywhere");
    maybe("at", step.place);
    if (step.match)
      word(fmt::format("#{}", *step.match));
    list("with", step.arguments);
    close();
  }
  void operator()(const ast::DerivationDecl &derivation) {
    open("derivation");
    (*this)(derivation.name);
    documented(derivation.doc);
    (*this)(derivation.from);
    (*this)(derivation.to);
    each(derivation.steps);
    close();
  }
  void operator()(const ast::TheoryDecl::Member &member) {
    (*this)(member.rule);
    if (member.reversed)
      word("reversed");
  }
  void operator()(const ast::TheoryDecl &theory) {
    open("theory");
    (*this)(theory.name);
    documented(theory.doc);
    list("rules", theory.rules);
    close();
  }
  void operator()(const ast::TaxonomyDecl &taxonomy) {
    open("taxonomy");
    (*this)(taxonomy.name);
    documented(taxonomy.doc);
    (*this)(taxonomy.root);
    (*this)(taxonomy.theory);
    if (taxonomy.depth)
      word(fmt::format("{}", *taxonomy.depth));
    close();
  }
  void operator()(const ast::GeneratorsDecl::Input &input) {
    open(":");
    (*this)(input.name);
    (*this)(input.sort);
    close();
  }
  void operator()(const ast::GeneratorsDecl::Sort &sort) {
    static constexpr std::string_view kinds[] = {"linear", "affine", "param", "universal"};
    open("sort");
    (*this)(sort.name);
    each(sort.types);
    if (sort.learner)
      word(kinds[std::size_t(*sort.learner)]);
    close();
  }
  void operator()(const ast::GeneratorsDecl::Copy &copy) { list("copy", copy.names); }
  void operator()(const ast::GeneratorsDecl::Operation &operation) {
    open("operation");
    (*this)(operation.name);
    list("from", operation.domain);
    (*this)(operation.codomain);
    (*this)(operation.meaning);
    close();
  }
  void operator()(const ast::GeneratorsDecl::Class &one) {
    open("class");
    (*this)(one.name);
    each(one.operations);
    close();
  }
  void operator()(const ast::GeneratorsDecl::Criterion &criterion) {
    static constexpr std::string_view kinds[] = {"through", "sharing", "using"};
    open("without");
    (*this)(criterion.name);
    word(kinds[std::size_t(criterion.kind)]);
    each(criterion.of);
    close();
  }
  void operator()(const ast::GeneratorsDecl::Equation &equation) {
    open("equation");
    (*this)(equation.name);
    (*this)(equation.left);
    (*this)(equation.right);
    close();
  }
  void operator()(const ast::GeneratorsDecl &generators) {
    open("generators");
    (*this)(generators.name);
    documented(generators.doc);
    list("inputs", generators.inputs);
    (*this)(generators.output);
    for (const auto &line : generators.lines)
      std::visit(*this, line);
    close();
  }
  void operator()(const ast::Import &import) {
    open("import");
    quoted(import.path);
    close();
  }

  template <class T> void each(const std::vector<T> &elements) {
    for (const T &element : elements)
      (*this)(element);
  }

private:
  void documented(const std::string &doc) {
    if (!doc.empty())
      quoted(doc);
  }
  template <class Box> void header(const Box &box) {
    (*this)(box.size);
    maybe("as", box.index);
  }
  /// Nothing for an empty list.
  template <class T> void list(std::string_view head, const std::vector<T> &elements) {
    if (elements.empty())
      return;
    open(head);
    each(elements);
    close();
  }
  template <class T> void maybe(std::string_view head, const std::optional<T> &value) {
    if (!value)
      return;
    open(head);
    (*this)(*value);
    close();
  }
};

template <class T> std::string dumped(const T &tree) {
  Dumper dumper;
  dumper(tree);
  return std::move(dumper.out);
}

} // namespace

std::string dump(const ast::File &file) {
  std::string text;
  for (const auto &item : file.items)
    text += dumped(item) + '\n';
  return text;
}
std::string dump(const ast::DiagramDecl &declaration) { return dumped(declaration); }
std::string dump(const ast::Expr &expr) { return dumped(expr); }
std::string dump(const ast::Term &term) { return dumped(term); }
std::string dump(const ast::TypeExpr &type) { return dumped(type); }
std::string dump(const ast::SizeExpr &size) { return dumped(size); }

} // namespace attnc
