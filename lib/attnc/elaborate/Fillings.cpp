#include "attnc/elaborate/Elaborator.h"

#include "attnc/diagram/Transform.h"

namespace attnc::elaboration {

/// Replaces applications of filled learners by named boxes, here and in all bodies.
static void plugInto(Diagram &diagram, const std::map<std::size_t, std::pair<std::string, DiagramRef>> &boxes) {
  for (Op &op : diagram.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator)) {
      if (auto box = boxes.find(apply->learner.index()); box != boxes.end()) {
        diagram.depth = std::max(diagram.depth, box->second.second->depth + 1);
        op.generator = Call{box->second.first, box->second.second};
      }
      continue;
    }
    std::visit(
        [&](auto &generator) {
          if constexpr (requires { generator.body; }) {
            auto body = std::make_shared<Diagram>(*generator.body);
            plugInto(*body, boxes);
            diagram.depth = std::max(diagram.depth, body->depth + 1);
            generator.body = std::move(body);
          }
        },
        op.generator);
  }
}

void Elaborator::plug(Diagram &diagram, const std::vector<Filled> &fillings) {
  std::map<std::size_t, std::pair<std::string, DiagramRef>> boxes;
  for (const Filled &filled : fillings)
    boxes.emplace(filled.learner.index(), std::make_pair(filled.name, filled.body));
  plugInto(diagram, boxes);
}

void markUsed(const Diagram &diagram, std::vector<bool> &used) {
  for (const Op &op : diagram.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator))
      used[apply->learner.index()] = true;
    if (const DiagramRef &body = bodyOf(op.generator))
      markUsed(*body, used);
  }
}

void Elaborator::compactLearners(Diagram &diagram) {
  std::vector<bool> used(definition.learners.size());
  markUsed(diagram, used);
  std::vector<LearnerId> map(definition.learners.size());
  std::vector<Learner> kept;
  for (std::size_t i = 0; i < used.size(); ++i)
    if (used[i]) {
      map[i] = LearnerId(kept.size());
      kept.push_back(std::move(definition.learners[i]));
    }
  definition.learners = std::move(kept);
  diagram = renumberLearners(diagram, map);
}

/// A body that consists of one named box alone is that box.
static std::pair<std::string, DiagramRef> asBox(const std::string &name, Diagram body) {
  if (body.ops.size() == 1 && body.outputs == body.ops[0].results && body.ops[0].operands == body.inputs)
    if (auto *call = std::get_if<Call>(&body.ops[0].generator))
      return {call->name, call->body};
  return {name, std::make_shared<Diagram>(std::move(body))};
}

std::optional<Elaborator::Filled> Elaborator::fill(LearnerId learner, const std::string &name, Span span,
                                                   const std::vector<std::string> &parameters,
                                                   const std::function<std::optional<Values>(Frame &, Values)> &body) {
  Learner target = definition.learner(learner); // a copy: the table may grow below
  Frame frame(definition.learners, nullptr, std::nullopt);
  Values inputs;
  for (std::size_t i = 0; i < target.domain.size(); ++i)
    inputs.push_back({&frame, frame.builder.input(target.domain[i],
                                                  i < parameters.size() ? parameters[i] : fmt::format("x{}", i + 1))});
  auto outputs = body(frame, inputs);
  if (!outputs)
    return std::nullopt;
  std::vector<Type> given;
  std::vector<WireId> wires;
  for (Value &value : *outputs) {
    given.push_back(value.type());
    wires.push_back(frame.import(value));
  }
  if (given != target.codomain) {
    diagnostics
        .report(Diag::FillingMismatch, span, name, fmt::format("{} -> {}", str(target.domain), str(given)),
                target.label, fmt::format("{} -> {}", str(target.domain), str(target.codomain)))
        .note(target.span, fmt::format("'{}' is declared here", target.label));
    return std::nullopt;
  }
  auto [boxName, diagram] = asBox(name, std::move(frame.builder).finish(wires));
  return Filled{learner, boxName, diagram};
}

std::optional<Elaborator::Filled> Elaborator::fillByName(LearnerId learner, const ast::Name &name) {
  std::string prefix = definition.learner(learner).label;
  return fill(learner, name.text, name.span, {}, [&](Frame &frame, const Values &inputs) -> std::optional<Values> {
    if (labels.count(name.text) || !loader.find(scope, name.text, false))
      return apply(name, inputs, {}, frame, name.span);
    return applyEntry(*loader.find(scope, name.text, false), prefix, {}, inputs, {}, frame, name.span);
  });
}

std::optional<Elaborator::Filled> Elaborator::fillByExpression(LearnerId learner, const ast::Filling &filling) {
  const Learner &target = definition.learner(learner);
  if (filling.parameters.size() != target.domain.size()) {
    wrongCount(target.label, target.domain.size(), filling.parameters.size(), filling.learner.span);
    return std::nullopt;
  }
  std::vector<std::string> parameters;
  for (const ast::Name &parameter : filling.parameters)
    parameters.push_back(parameter.text);
  std::size_t wanted = target.codomain.size();
  return fill(learner, target.label, filling.value->span, parameters,
              [&](Frame &frame, const Values &inputs) -> std::optional<Values> {
                for (std::size_t i = 0; i < inputs.size(); ++i)
                  if (!bind(filling.parameters[i], inputs[i], frame, false))
                    return std::nullopt;
                return many(*filling.value, frame, wanted);
              });
}

bool Elaborator::specialiseForm(const ast::SpecialiseForm &form, const ast::DiagramDecl &) {
  auto baseEntry = entry(form.base);
  if (!baseEntry)
    return false;
  if (!loader.definition(**baseEntry, form.base.span))
    return false;
  auto base = (*baseEntry)->open;
  std::string name = definition.name, doc = definition.doc;
  Span span = definition.span;
  definition = *base;
  definition.name = name;
  definition.doc = doc.empty() ? base->doc : doc;
  definition.span = span;
  for (const std::string &sizeName : base->sizeNames())
    sizes.insert(sizeName);
  for (std::size_t i = 0; i < definition.learners.size(); ++i)
    labels.emplace(definition.learners[i].label, Label{definition.learners[i].span, LearnerId(i), nullptr, {}});
  operations = definition.diagram.opCount();
  bool ok = true;
  for (const ast::LearnerDecl &learner : form.learners) {
    declareSizes(learner);
    ok &= declareLearner(learner);
  }
  std::vector<Filled> fillings;
  for (const ast::Filling &filling : form.fillings) {
    auto target = labels.find(filling.learner.text);
    if (target == labels.end() || !target->second.learner || target->second.learner->index() >= base->learners.size()) {
      std::vector<std::string> names;
      for (const Learner &learner : base->learners)
        names.push_back(learner.label);
      auto report = diagnostics.report(Diag::NotFillable, filling.learner.span, form.base.text, filling.learner.text);
      if (auto near = nearest(filling.learner.text, names))
        report.help(fmt::format("did you mean '{}'?", *near));
      else if (!names.empty())
        report.help(fmt::format("it has {}", fmt::join(names, ", ")));
      ok = false;
      continue;
    }
    LearnerId learner = *target->second.learner;
    std::optional<Filled> filled;
    auto *byName = std::get_if<ast::NameExpr>(&filling.value->node);
    if (byName && filling.parameters.empty())
      filled = fillByName(learner, {byName->name, filling.value->span});
    else
      filled = fillByExpression(learner, filling);
    if (filled)
      fillings.push_back(std::move(*filled));
    ok &= filled.has_value();
  }
  if (!ok)
    return false;
  plug(definition.diagram, fillings);
  compactLearners(definition.diagram);
  return fillDefaults(*(*baseEntry)->declaration, *(*baseEntry)->scope);
}

bool Elaborator::fillDefaults(const ast::DiagramDecl &declaration, const FileScope &home) {
  std::vector<Filled> fillings;
  for (const ast::LearnerDecl &box : declaration.boxes) {
    if (!box.defaultBox)
      continue;
    for (std::size_t i = 0; i < definition.learners.size(); ++i) {
      if (definition.learners[i].label != box.label.text || definition.learners[i].kind != LearnerKind::Hole)
        continue;
      Entry *filler = loader.find(home, box.defaultBox->text, false);
      if (!filler) {
        diagnostics.report(Diag::UnknownDiagram, box.defaultBox->span, box.defaultBox->text);
        return false;
      }
      auto filled =
          fill(LearnerId(i), box.defaultBox->text, box.defaultBox->span, {}, [&](Frame &frame, const Values &inputs) {
            return applyEntry(*filler, box.label.text, {}, inputs, {}, frame, box.defaultBox->span);
          });
      if (!filled)
        return false;
      fillings.push_back(std::move(*filled));
    }
  }
  if (!fillings.empty()) {
    plug(definition.diagram, fillings);
    compactLearners(definition.diagram);
  }
  return true;
}

} // namespace attnc::elaboration
