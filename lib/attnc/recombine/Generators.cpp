#include "attnc/recombine/Generators.h"

#include "attnc/enumerate/Modulo.h"
#include "attnc/recombine/Text.h"
#include "attnc/syntax/Printer.h"

#include <algorithm>
#include <map>

namespace attnc::recombine {

namespace {

using Declaration = ast::GeneratorsDecl;
using enumerate::Presentation;
using enumerate::Term;

/// Reads lines in order of kind, so that a name may be used before the line that declares it.
class Reader {
public:
  Reader(const Declaration &declaration, const Home &home, Diagnostics &diagnostics)
      : declaration(declaration), home(home), diagnostics(diagnostics), presentation(result.presentation) {}

  std::optional<Generators> run() {
    const std::size_t errors = diagnostics.errorCount();
    presentation.name = declaration.name.text;
    result.doc = declaration.doc;
    result.span = declaration.name.span;
    each<Declaration::Sort>([&](const auto &line) { sort(line); });
    for (const Declaration::Input &input : declaration.inputs)
      if (auto of = sortNamed(input.sort); of && fresh(input.name, inputs, presentation.inputs.size()))
        presentation.inputs.push_back({input.name.text, *of, false});
    if (auto of = sortNamed(declaration.output))
      presentation.output = *of;
    each<Declaration::Copy>([&](const auto &line) { copy(line); });
    each<Declaration::Operation>([&](const auto &line) { operation(line); });
    each<Declaration::Class>(
        [&](const auto &line) { presentation.classes.push_back({line.name.text, operationsNamed(line.operations)}); });
    each<Declaration::Criterion>([&](const auto &line) { criterion(line); });
    if (diagnostics.errorCount() == errors)
      each<Declaration::Equation>([&](const auto &line) { equation(line); });
    bound(presentation.sorts.size(), enumerate::mostSorts, "sorts");
    bound(presentation.inputs.size(), enumerate::mostInputs, "inputs");
    bound(presentation.operations.size(), enumerate::mostOperations, "operations");
    if (diagnostics.errorCount() == errors)
      fit();
    return diagnostics.errorCount() == errors ? std::optional(std::move(result)) : std::nullopt;
  }

private:
  using Names = std::map<std::string, unsigned>;

  template <class Line, class Visit> void each(Visit visit) {
    for (const auto &line : declaration.lines)
      if (const auto *one = std::get_if<Line>(&line))
        visit(*one);
  }

  bool fresh(const ast::Name &name, Names &among, std::size_t index) {
    if (among.emplace(name.text, index).second)
      return true;
    diagnostics.report(Diag::DuplicateName, name.span, name.text);
    return false;
  }

  std::optional<unsigned> named(const ast::Name &name, const Names &among, std::string_view what) {
    if (auto found = among.find(name.text); found != among.end())
      return found->second;
    auto report = diagnostics.report(Diag::UnknownGenerator, name.span, declaration.name.text, what, name.text);
    std::vector<std::string> candidates;
    for (const auto &[candidate, index] : among)
      candidates.push_back(candidate);
    if (auto near = nearest(name.text, candidates))
      report.help(fmt::format("did you mean '{}'?", *near));
    return std::nullopt;
  }
  std::optional<unsigned> sortNamed(const ast::Name &name) { return named(name, sorts, "sort"); }

  std::vector<unsigned> operationsNamed(const std::vector<ast::Name> &names) {
    std::vector<unsigned> found;
    for (const ast::Name &name : names)
      if (auto one = named(name, operations, "operation"))
        found.push_back(*one);
    return found;
  }

  void bound(std::size_t count, unsigned most, std::string_view what) {
    if (count > most)
      diagnostics.report(Diag::TooManyGenerators, declaration.name.span, declaration.name.text, count, what, most);
  }

  void sort(const Declaration::Sort &line) {
    if (!fresh(line.name, sorts, presentation.sorts.size()))
      return;
    presentation.sorts.push_back({line.name.text, false});
    Generators::Sort sort;
    for (const ast::TypeExpr &type : line.types) {
      sort.types.push_back(print(type));
      if (type.rest)
        diagnostics.report(Diag::RankVariableHere, type.rest->span, type.rest->text);
    }
    if (line.learner) {
      static constexpr const char *kinds[] = {"linear", "affine", "param", "universal"};
      if (line.types.size() != 1 || line.types[0].kind != Kind::Real || line.types[0].axes.empty())
        diagnostics.report(Diag::NoLearnerOnSort, line.span, line.name.text)
            .help("a sort with a learner is one array of reals with at least one axis; the learner acts on the last");
      else {
        sort.learner = kinds[std::size_t(*line.learner)];
        const std::string axis = print(ast::TypeExpr{Kind::Real, {line.types[0].axes.back()}, std::nullopt, {}});
        sort.learnerTypes = axis + " -> " + axis;
      }
    }
    result.sorts.push_back(std::move(sort));
  }

  void copy(const Declaration::Copy &line) {
    for (const ast::Name &name : line.names)
      if (auto input = inputs.find(name.text); input != inputs.end())
        presentation.inputs[input->second].copied = true;
      else if (auto sort = named(name, sorts, "input or sort"))
        presentation.sorts[*sort].copied = true;
  }

  void operation(const Declaration::Operation &line) {
    std::vector<unsigned> domain;
    for (const ast::Name &name : line.domain)
      domain.push_back(sortNamed(name).value_or(0));
    const unsigned codomain = sortNamed(line.codomain).value_or(0);
    bound(domain.size(), enumerate::mostOperands, fmt::format("operands of '{}'", line.name.text));
    if (!fresh(line.name, operations, presentation.operations.size()))
      return;
    presentation.operations.push_back({line.name.text, std::move(domain), codomain});
    result.meanings.push_back(line.meaning.text);
    result.resultNames.emplace_back();
    operationLines.push_back(&line);
  }

  void criterion(const Declaration::Criterion &line) {
    Presentation::Criterion criterion{line.name.text, static_cast<Presentation::Criterion::Kind>(line.kind), {}};
    if (!fresh(line.name, criteria, presentation.criteria.size()))
      return;
    if (line.kind == Declaration::Criterion::Kind::Using)
      criterion.of = operationsNamed(line.of);
    else
      for (const ast::Name &name : line.of)
        if (auto sort = sortNamed(name))
          criterion.of.push_back(*sort);
    presentation.criteria.push_back(std::move(criterion));
  }

  std::optional<Term> term(const ast::Expr &expr, Names &variables) {
    if (const auto *name = std::get_if<ast::NameExpr>(&expr.node)) {
      Term variable;
      variable.variable = variables.emplace(name->name, variables.size()).first->second;
      return variable;
    }
    const auto *call = std::get_if<ast::CallExpr>(&expr.node);
    if (!call || !call->keywords.empty()) {
      diagnostics.report(Diag::UnusableEquation, expr.span, "it is made of variables and operations alone");
      return std::nullopt;
    }
    auto operation = named(call->callee, operations, "operation");
    if (!operation)
      return std::nullopt;
    Term made{static_cast<int>(*operation), 0, {}};
    for (const ast::ExprRef &argument : call->arguments) {
      auto operand = term(*argument, variables);
      if (!operand)
        return std::nullopt;
      made.operands.push_back(std::move(*operand));
    }
    return made;
  }

  void equation(const Declaration::Equation &line) {
    if (!fresh(line.name, equations, presentation.equations.size()))
      return;
    Names variables;
    auto left = term(*line.left, variables), right = term(*line.right, variables);
    if (!left || !right)
      return;
    Presentation::Equation equation{line.name.text, std::move(*left), std::move(*right)};
    auto sorts = enumerate::variablesOf(presentation, equation);
    if (!sorts) {
      diagnostics.report(Diag::UnusableEquation, line.span, sorts.error());
      return;
    }
    presentation.equations.push_back(std::move(equation));
    result.variables.push_back(std::move(*sorts));
    result.equationSpans.push_back(line.span);
  }

  /// Each operation, as a diagram of its sorts' types around the diagram it means, elaborates.
  void fit() {
    for (unsigned i = 0; i < presentation.operations.size(); ++i) {
      const Presentation::Operation &operation = presentation.operations[i];
      enumerate::Graph graph{{{i, {}}}, {false, 0}};
      std::vector<Variable> inputs;
      for (unsigned j = 0; j < operation.domain.size(); ++j) {
        graph.nodes[0].operands.push_back({true, j});
        inputs.push_back({fmt::format("x{}", j), operation.domain[j]});
      }
      auto module = home.elaborate(diagramText(result, graph, inputs, "made", "", false));
      if (module) {
        if (auto meaning = module->find(result.meanings[i]))
          if (std::ranges::find(meaning->outputNames, "") == meaning->outputNames.end())
            result.resultNames[i] = meaning->outputNames;
        continue;
      }
      diagnostics.report(Diag::OperationMismatch, operationLines[i]->meaning.span, operationLines[i]->meaning.text,
                         operation.name, module.error());
    }
  }

  const Declaration &declaration;
  const Home &home;
  Diagnostics &diagnostics;
  Generators result;
  Presentation &presentation;
  Names sorts, inputs, operations, criteria, equations;
  std::vector<const Declaration::Operation *> operationLines;
};

} // namespace

std::optional<Generators> readGenerators(const ast::GeneratorsDecl &declaration, const Home &home,
                                         Diagnostics &diagnostics) {
  return Reader(declaration, home, diagnostics).run();
}

} // namespace attnc::recombine
