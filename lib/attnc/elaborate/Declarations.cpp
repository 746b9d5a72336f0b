#include "attnc/elaborate/Elaborator.h"

#include "attnc/diagram/Transform.h"
#include "attnc/syntax/Printer.h"

namespace attnc::elaboration {

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), noun, count == 1 ? "" : "s");
}

bool Elaborator::tooDeep(Span span) {
  if (loader.nesting < maxElaborationNesting)
    return false;
  diagnostics.report(Diag::SyntaxNestingTooDeep, span, maxElaborationNesting);
  return true;
}

bool Elaborator::tooLarge(std::size_t more, Span span) {
  operations += more;
  if (operations <= maxOperations)
    return false;
  diagnostics.report(Diag::DiagramTooLarge, span, maxOperations)
      .help("a repetition is written as a box or a scan along an axis, whose body is stored once");
  return true;
}

Elaborator::Result Elaborator::elaborate(const ast::DiagramDecl &declaration) {
  if (tooDeep(declaration.name.span))
    return {};
  Deeper deeper(loader);
  std::size_t errorsBefore = diagnostics.errorCount();
  definition.name = declaration.name.text;
  definition.doc = declaration.doc;
  definition.span = declaration.name.span;

  auto declareInput = [&](const ast::TypeExpr &type) {
    declareSizes(type);
    if (type.rest)
      rests.insert(type.rest->text);
  };
  bool ok = true;
  if (auto *form = std::get_if<ast::SpecialiseForm>(&declaration.form)) {
    ok = specialiseForm(*form, declaration);
  } else {
    if (auto *named = std::get_if<ast::NamedForm>(&declaration.form))
      for (const ast::Parameter &parameter : named->parameters)
        declareInput(parameter.type);
    if (auto *pointFree = std::get_if<ast::PointFreeForm>(&declaration.form))
      for (const ast::TypeExpr &type : pointFree->domain)
        declareInput(type);
    for (const ast::ResultType &result : declaration.results)
      declareSizes(result.type);
    for (const ast::LearnerDecl &box : declaration.boxes)
      declareSizes(box);
    for (const ast::Condition &condition : declaration.conditions)
      takeCondition(condition);
    for (const ast::LearnerDecl &box : declaration.boxes)
      ok &= declareLearner(box);
    Frame frame(definition.learners, nullptr, std::nullopt);
    std::optional<std::vector<WireId>> outputs;
    if (auto *named = std::get_if<ast::NamedForm>(&declaration.form))
      outputs = namedForm(*named, declaration, frame);
    else
      outputs = pointFreeForm(std::get<ast::PointFreeForm>(declaration.form), declaration, frame);
    for (const ast::ResultType &result : declaration.results)
      definition.outputNames.push_back(result.name ? result.name->text : "");
    if (outputs)
      definition.diagram = std::move(frame.builder).finish(*outputs);
    ok &= outputs.has_value();
  }
  auto clean = [&] { return ok && diagnostics.errorCount() == errorsBefore; };
  if (!clean())
    return {};
  auto open = std::make_shared<const Definition>(definition);
  ok = fillDefaults(declaration, scope);
  if (!clean())
    return {};
  return {std::make_shared<const Definition>(std::move(definition)), open};
}

std::optional<std::vector<WireId>> Elaborator::namedForm(const ast::NamedForm &form,
                                                         const ast::DiagramDecl &declaration, Frame &frame) {
  bool ok = true;
  for (const ast::Parameter &parameter : form.parameters) {
    auto parameterType = type(parameter.type);
    if (!parameterType) {
      ok = false;
      continue;
    }
    WireId wire = frame.builder.input(*parameterType, parameter.name.text);
    ok &= bind(parameter.name, {&frame, wire}, frame, false);
  }
  if (!ok)
    return std::nullopt;
  auto values = block(*form.body, frame, declaration.results.size());
  return values ? results(declaration, frame, std::move(*values), form.body->result->span) : std::nullopt;
}

std::optional<std::vector<WireId>> Elaborator::pointFreeForm(const ast::PointFreeForm &form,
                                                             const ast::DiagramDecl &declaration, Frame &frame) {
  bool ok = true;
  for (const auto &learner : form.learners)
    ok &= std::visit(
        [&](const auto &one) {
          if constexpr (std::is_same_v<std::decay_t<decltype(one)>, ast::LearnerDecl>) {
            declareSizes(one);
            return declareLearner(one);
          } else {
            return declareInstance(one);
          }
        },
        learner);
  auto domain = types(form.domain);
  if (!domain || !ok)
    return std::nullopt;
  Values inputs;
  for (std::size_t i = 0; i < domain->size(); ++i)
    inputs.push_back({&frame, frame.builder.input((*domain)[i], fmt::format("x{}", i + 1))});
  auto values = term(*form.term, std::move(inputs), frame);
  return values ? results(declaration, frame, std::move(*values), form.term->span) : std::nullopt;
}

std::optional<std::vector<WireId>> Elaborator::results(const ast::DiagramDecl &declaration, Frame &frame, Values values,
                                                       Span span) {
  if (values.size() != declaration.results.size()) {
    diagnostics.report(Diag::WrongResultCount, span, declaration.results.size(), values.size());
    return std::nullopt;
  }
  std::vector<WireId> wires;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto wanted = type(declaration.results[i].type);
    if (!wanted)
      return std::nullopt;
    Value value = values[i];
    if (value.type().kind == Kind::Int && wanted->kind == Kind::Real && value.type().axes == wanted->axes)
      if (auto converted = convert(value, Kind::Real, frame, span, "the result"))
        value = *converted;
    if (value.type() != *wanted) {
      auto report =
          diagnostics.report(Diag::ResultMismatch, span, declaration.name.text, wanted->str(), value.type().str());
      report.note(declaration.results[i].type.span, "the result is declared here");
      if (value.type().axes.size() == wanted->axes.size())
        for (std::size_t axis = 0; axis < wanted->axes.size(); ++axis)
          if (value.type().axes[axis] != wanted->axes[axis])
            for (const std::string &name : value.type().axes[axis].names())
              if (auto first = sizeSpans.find(name); first != sizeSpans.end())
                report.note(first->second, fmt::format("'{}' is the size of this axis", name));
      return std::nullopt;
    }
    wires.push_back(frame.import(value));
  }
  return wires;
}

bool Elaborator::newLabel(const ast::Name &name) {
  auto known = labels.find(name.text);
  if (known == labels.end())
    return true;
  diagnostics.report(Diag::DuplicateName, name.span, name.text).note(known->second.span, "the first is here");
  return false;
}

bool Elaborator::declareLearner(const ast::LearnerDecl &declaration) {
  if (!newLabel(declaration.label))
    return false;
  auto domain = types(declaration.domain), codomain = types(declaration.codomain);
  Learner learner{static_cast<LearnerKind>(declaration.kind), declaration.label.text, {}, {}, {}, 64, declaration.span};
  bool ok = domain && codomain;
  for (const ast::SizeExpr &per : declaration.per) {
    auto axis = size(per);
    ok &= axis.has_value();
    if (axis)
      learner.per.push_back(*axis);
  }
  if (declaration.width) {
    auto width = size(*declaration.width);
    ok &= width.has_value();
    learner.width = width.value_or(0);
  }
  if (!ok) {
    broken.insert(declaration.label.text);
    return false;
  }
  learner.domain = *domain;
  learner.codomain = *codomain;
  if (learner.kind != LearnerKind::Hole) {
    if (learner.codomain.size() != 1) {
      diagnostics.report(Diag::WrongResultCount, declaration.span, 1, learner.codomain.size());
      return false;
    }
    for (const auto *side : {&learner.domain, &learner.codomain})
      for (const Type &one : *side)
        if (one.kind != Kind::Real) {
          diagnostics.report(Diag::KindMismatch, declaration.span, fmt::format("a wire of '{}'", learner.label),
                             name(one.kind), "real");
          return false;
        }
  }
  labels.emplace(learner.label, Label{declaration.label.span, LearnerId(definition.learners.size()), nullptr, {}});
  definition.learners.push_back(std::move(learner));
  return true;
}

bool Elaborator::declareInstance(const ast::InstanceDecl &declaration) {
  if (!newLabel(declaration.label))
    return false;
  auto found = entry(declaration.diagram);
  if (!found) {
    broken.insert(declaration.label.text);
    return false;
  }
  Label label{declaration.label.span, std::nullopt, *found, {}};
  for (const ast::SizeExpr &per : declaration.per) {
    declareSizes(per);
    auto axis = size(per);
    if (!axis)
      return false;
    label.per.push_back(*axis);
  }
  labels.emplace(declaration.label.text, std::move(label));
  return true;
}

} // namespace attnc::elaboration
