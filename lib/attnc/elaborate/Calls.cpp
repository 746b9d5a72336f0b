#include "attnc/elaborate/Elaborator.h"

#include "attnc/diagram/Transform.h"
#include "attnc/syntax/Parser.h"

#include <algorithm>

namespace attnc::elaboration {

bool Elaborator::wrongCount(const std::string &name, std::size_t wanted, std::size_t given, Span span) {
  diagnostics.report(Diag::WrongArgumentCount, span, name, counted(wanted, "argument"),
                     given == 0 ? "none" : std::to_string(given));
  return false;
}

std::optional<Entry *> Elaborator::entry(const ast::Name &name) {
  if (Entry *found = loader.find(scope, name.text, false))
    return found;
  auto report = diagnostics.report(Diag::UnknownDiagram, name.span, name.text);
  std::vector<std::string> candidates = loader.visibleNames(scope);
  for (const auto &[label, meaning] : labels)
    candidates.push_back(label);
  for (const char *builtin :
       {"softmax", "topk", "scatter", "transpose", "split", "merge", "exp", "log", "sqrt", "tanh", "where"})
    candidates.push_back(builtin);
  if (auto near = nearest(name.text, candidates))
    report.help(fmt::format("did you mean '{}'?", *near));
  return std::nullopt;
}

std::optional<Values> Elaborator::call(const ast::CallExpr &expr, Frame &frame, Span span, std::size_t) {
  Values arguments;
  bool ok = true;
  for (const ast::ExprRef &argument : expr.arguments) {
    // A call of several results may stand for several arguments only through a binding.
    auto value = one(*argument, frame);
    ok &= value.has_value();
    if (value)
      arguments.push_back(*value);
  }
  if (!ok)
    return std::nullopt;
  return apply(expr.callee, std::move(arguments), expr.keywords, frame, span);
}

std::optional<Values> Elaborator::apply(const ast::Name &name, Values arguments, const Keywords &keywords, Frame &frame,
                                        Span span) {
  if (auto label = labels.find(name.text); label != labels.end()) {
    if (!label->second.learner)
      return applyEntry(*label->second.entry, name.text, label->second.per, std::move(arguments), keywords, frame,
                        span);
    for (const ast::KeywordArgument &keyword : keywords) {
      diagnostics.report(Diag::UnknownKeyword, keyword.name.span, name.text, keyword.name.text);
      return std::nullopt;
    }
    return applyLearner(*label->second.learner, std::move(arguments), frame, span);
  }
  if (broken.count(name.text))
    return std::nullopt;
  if (Entry *own = loader.find(scope, name.text, true))
    return applyEntry(*own, name.text, {}, std::move(arguments), keywords, frame, span);
  if (auto generated = applyGenerator(name.text, arguments, keywords, frame, span))
    return *generated;
  auto found = entry(name);
  return found ? applyEntry(**found, name.text, {}, std::move(arguments), keywords, frame, span) : std::nullopt;
}

// ---- Learners

std::optional<std::vector<unsigned>> Elaborator::boxesFor(const std::vector<Size> &per, const std::string &label,
                                                          Frame &frame, Span span) {
  std::vector<unsigned> boxes;
  for (const Size &axis : per) {
    unsigned depth = 0;
    Frame *around = &frame;
    while (around && around->axis != axis) {
      depth += around->axis.has_value();
      around = around->parent;
    }
    if (!around) {
      diagnostics.report(Diag::LearnerOutsideBox, span, label, axis.str(), axis.str());
      return std::nullopt;
    }
    boxes.push_back(depth);
  }
  return boxes;
}

std::optional<Values> Elaborator::applyLearner(LearnerId id, Values arguments, Frame &frame, Span span) {
  Learner learner = definition.learner(id);
  if (arguments.size() != learner.domain.size()) {
    wrongCount(learner.label, learner.domain.size(), arguments.size(), span);
    return std::nullopt;
  }
  // Outer axes that all lifted arguments share are run over by boxes around the learner.
  std::vector<Size> outer;
  std::vector<bool> lifted(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].type().kind == Kind::Int && learner.domain[i].kind == Kind::Real)
      arguments[i] = *convert(arguments[i], Kind::Real, frame, span, "");
    Type given = arguments[i].type(), wanted = learner.domain[i];
    std::size_t extra = given.rank() >= wanted.rank() ? given.rank() - wanted.rank() : 0;
    std::vector<Size> prefix(given.axes.begin(), given.axes.begin() + extra);
    Type inner{given.kind, {given.axes.begin() + extra, given.axes.end()}};
    if (inner != wanted || (extra && !outer.empty() && prefix != outer)) {
      auto report =
          diagnostics.report(Diag::TypeMismatch, span, fmt::format("argument {} of '{}'", i + 1, learner.label),
                             given.str(), wanted.str());
      report.note(learner.span, fmt::format("'{}' is declared here", learner.label));
      return std::nullopt;
    }
    lifted[i] = extra > 0;
    if (extra)
      outer = prefix;
  }
  return lift(frame, outer, arguments, lifted, span, [&](Frame &inside, const Values &values) -> std::optional<Values> {
    auto boxes = boxesFor(learner.per, learner.label, inside, span);
    return boxes ? generator(Apply{id, *boxes}, values, inside, span) : std::nullopt;
  });
}

std::optional<LearnerId> Elaborator::adoptLearner(const Learner &learner, const std::string &label, Span span) {
  if (auto known = adopted.find(label); known != adopted.end()) {
    const Learner &mine = definition.learner(known->second);
    if (mine.kind != learner.kind || mine.domain != learner.domain || mine.codomain != learner.codomain ||
        mine.per != learner.per) {
      diagnostics
          .report(Diag::TiedLearnerMismatch, span, label, fmt::format("{} -> {}", str(mine.domain), str(mine.codomain)),
                  fmt::format("{} -> {}", str(learner.domain), str(learner.codomain)))
          .help("all calls of one diagram share its learners; declare an instance with learners of its own: box NAME = "
                "DIAGRAM");
      return std::nullopt;
    }
    return known->second;
  }
  LearnerId id(definition.learners.size());
  definition.learners.push_back(learner);
  definition.learners.back().label = label;
  adopted.emplace(label, id);
  return id;
}

// ---- Diagrams

std::optional<Values> Elaborator::applyEntry(Entry &entry, const std::string &prefix, const std::vector<Size> &per,
                                             Values arguments, const Keywords &keywords, Frame &frame, Span span) {
  auto callee = loader.definition(entry, span);
  if (!callee)
    return std::nullopt;
  if (entry.generic) {
    // How many axes each `..t` stands for follows from the arguments' ranks.
    std::map<std::string, unsigned> counts;
    auto match = [&](const ast::TypeExpr &type, std::size_t rank) {
      if (type.rest && rank >= type.axes.size())
        counts.emplace(type.rest->text, rank - type.axes.size());
    };
    if (auto *named = std::get_if<ast::NamedForm>(&entry.declaration->form))
      for (std::size_t i = 0; i < named->parameters.size() && i < arguments.size(); ++i)
        match(named->parameters[i].type, arguments[i].type().rank());
    if (auto *pointFree = std::get_if<ast::PointFreeForm>(&entry.declaration->form))
      for (std::size_t i = 0; i < pointFree->domain.size() && i < arguments.size(); ++i)
        match(pointFree->domain[i], arguments[i].type().rank());
    callee = loader.instance(entry, counts);
    if (!callee)
      return std::nullopt;
  }
  // Keywords that name a box or learner of the callee plug it in; the others are its sizes.
  Keywords sizeKeywords;
  ast::SpecialiseForm plugged{{entry.declaration->name.text, span}, false, {}, {}};
  for (const ast::KeywordArgument &keyword : keywords) {
    bool isLearner = false;
    for (const Learner &learner : entry.open ? entry.open->learners : callee->learners)
      isLearner |= learner.label == keyword.name.text;
    if (isLearner)
      plugged.fillings.push_back({keyword.name, {}, keyword.value, keyword.name.span});
    else
      sizeKeywords.push_back(keyword);
  }
  if (!plugged.fillings.empty()) {
    ast::DiagramDecl declaration;
    declaration.name = {entry.declaration->name.text, span};
    declaration.form = plugged;
    callee = Elaborator(loader, scope, {}).elaborate(declaration).closed;
    if (!callee)
      return std::nullopt;
  }
  return callDefinition(std::move(callee), prefix, per, std::move(arguments), sizeKeywords, frame, span);
}

static bool isScalar(const Definition &definition) {
  auto scalars = [](const std::vector<Type> &types) {
    return std::all_of(types.begin(), types.end(), [](const Type &type) { return type.isScalar(); });
  };
  return scalars(definition.diagram.inputTypes()) && scalars(definition.diagram.outputTypes());
}

/// Makes the learners of an instance `per` axes: their applications name the boxes around the call.
static void addPer(Diagram &diagram, unsigned depth, const std::vector<unsigned> &boxes) {
  for (Op &op : diagram.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator)) {
      std::vector<unsigned> all;
      for (unsigned box : boxes)
        all.push_back(box + depth);
      all.insert(all.end(), apply->per.begin(), apply->per.end());
      apply->per = std::move(all);
      continue;
    }
    bool isBox = std::holds_alternative<Box>(op.generator) || std::holds_alternative<Scan>(op.generator);
    std::visit(
        [&](auto &generator) {
          if constexpr (requires { generator.body; }) {
            auto body = std::make_shared<Diagram>(*generator.body);
            addPer(*body, depth + isBox, boxes);
            generator.body = std::move(body);
          }
        },
        op.generator);
  }
}

std::string Elaborator::freeSize(const std::string &prefix, const std::string &name, const Definition &callee,
                                 const Size::Bindings &bindings) const {
  std::string free = prefix + "." + name;
  for (const Constraint &constraint : callee.constraints) {
    if (!constraint.isPower() || constraint.left.asVariable() != name)
      continue;
    Constraint mine = constraint.substitute(bindings);
    auto taken = [&](const Constraint &known) {
      return known.left.asVariable() == free && (known.right != mine.right || known.exponent != mine.exponent);
    };
    while (std::any_of(definition.constraints.begin(), definition.constraints.end(), taken))
      free += "'";
  }
  return free;
}

std::optional<Values> Elaborator::callDefinition(std::shared_ptr<const Definition> callee, const std::string &prefix,
                                                 const std::vector<Size> &per, Values arguments,
                                                 const Keywords &keywords, Frame &frame, Span span) {
  const Diagram &body = callee->diagram;
  if (arguments.size() != body.inputs.size()) {
    auto report =
        diagnostics.report(Diag::WrongArgumentCount, span, callee->name, counted(body.inputs.size(), "argument"),
                           arguments.empty() ? "none" : std::to_string(arguments.size()));
    report.note(callee->span, fmt::format("it is {}", callee->signature()));
    return std::nullopt;
  }
  for (const Learner &learner : callee->learners)
    if (learner.kind == LearnerKind::Hole) {
      diagnostics.report(Diag::UnfilledHole, span, callee->name, learner.label)
          .note(learner.span, "it is declared here")
          .help(fmt::format("give one: {}(…, {} = DIAGRAM)", callee->name, learner.label));
      return std::nullopt;
    }
  if (tooLarge(body.opCount(), span))
    return std::nullopt;

  // A diagram of scalars is a pointwise function: it lifts over the axes of its arguments.
  if (isScalar(*callee) && !arguments.empty()) {
    std::vector<Size> axes;
    std::vector<bool> lifted(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      lifted[i] = !arguments[i].type().isScalar();
      if (lifted[i] && axes.empty())
        axes = arguments[i].type().axes;
    }
    if (!axes.empty()) {
      for (std::size_t i = 0; i < arguments.size(); ++i)
        if (lifted[i] && arguments[i].type().axes != axes) {
          diagnostics.report(Diag::TypeMismatch, span, fmt::format("argument {} of '{}'", i + 1, callee->name),
                             arguments[i].type().str(), Type{arguments[i].type().kind, axes}.str());
          return std::nullopt;
        }
      return lift(frame, axes, arguments, lifted, span, [&](Frame &inside, const Values &values) {
        return callDefinition(callee, prefix, per, values, keywords, inside, span);
      });
    }
  }

  SizeSolver solver(callee->sizeNames());
  bool ok = true;
  std::vector<std::string> sizeNames = callee->sizeNames();
  for (const ast::KeywordArgument &keyword : keywords) {
    if (std::find(sizeNames.begin(), sizeNames.end(), keyword.name.text) == sizeNames.end()) {
      auto report = diagnostics.report(Diag::UnknownKeyword, keyword.name.span, callee->name, keyword.name.text);
      if (auto near = nearest(keyword.name.text, sizeNames))
        report.help(fmt::format("did you mean '{}'?", *near));
      ok = false;
      continue;
    }
    auto value = sizeOf(*keyword.value);
    ok &= value.has_value();
    if (value)
      solver.bind(keyword.name.text, *value);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Type &wanted = body.type(body.inputs[i]);
    if (arguments[i].type().kind == Kind::Int && wanted.kind == Kind::Real)
      arguments[i] = *convert(arguments[i], Kind::Real, frame, span, "");
    const Type &given = arguments[i].type();
    const std::string &inputName = body.wire(body.inputs[i]).name;
    if (given.kind != wanted.kind) {
      diagnostics
          .report(Diag::KindMismatch, span, fmt::format("the argument '{}' of '{}'", inputName, callee->name),
                  name(given.kind), name(wanted.kind))
          .note(callee->span, fmt::format("it is {}", callee->signature()));
      ok = false;
    } else if (given.rank() != wanted.rank()) {
      auto report = diagnostics.report(Diag::RankMismatch, span,
                                       fmt::format("the argument '{}' of '{}'", inputName, callee->name), given.str(),
                                       wanted.str());
      report.note(callee->span, fmt::format("it is {}", callee->signature()));
      if (given.rank() > wanted.rank())
        report.help("to map over an axis, put the call into a box: simd n (x) { … }");
      ok = false;
    } else {
      solver.equate(wanted, given);
    }
  }
  if (!ok)
    return std::nullopt;
  // The callee's conditions help to solve but are checked below, as constraints. A power does once its exponent is
  // known.
  std::set<Size> own;
  auto condition = [&](const Size &left, const Size &right) {
    own.insert(left - right);
    solver.equate({Kind::Int, {left - right}}, {Kind::Int, {Size(0)}});
  };
  for (const Constraint &constraint : callee->constraints)
    if (constraint.isEquation())
      condition(constraint.left, constraint.right);
  solver.solve();
  for (const Constraint &constraint : callee->constraints)
    if (constraint.isPower())
      if (auto exponent = solver.apply(*constraint.exponent).constant())
        condition(constraint.left, constraint.right.power(*exponent));
  auto clashes = solver.solve();
  for (const auto &[pattern, actual] : clashes) {
    if (own.contains(pattern))
      continue;
    auto report = diagnostics.report(Diag::SizeMismatch, span, actual.str(), solver.apply(pattern).str());
    report.note(callee->span, fmt::format("'{}' is {}, and here {}", callee->name, callee->signature(),
                                          pattern.asVariable() ? fmt::format("{} is both", pattern.str())
                                                               : fmt::format("{} should be {}", pattern.str(),
                                                                             solver.apply(pattern).str())));
    for (std::size_t i = 0; i < arguments.size(); ++i)
      report.note({}, fmt::format("the argument '{}' has type {} for {}", body.wire(body.inputs[i]).name,
                                  arguments[i].type().str(), body.type(body.inputs[i]).str()));
    for (const std::string &name : actual.names())
      if (auto first = sizeSpans.find(name); first != sizeSpans.end())
        report.note(first->second, fmt::format("'{}' is first named here", name));
    ok = false;
  }
  if (!ok)
    return std::nullopt;

  // Sizes that occur in the interface must follow; those of learners alone stay free, under the callee's name.
  Size::Bindings bindings = solver.solution();
  std::set<std::string> interface;
  auto note = [&](const Type &type) {
    for (const Size &axis : type.axes)
      for (const std::string &name : axis.names())
        interface.insert(name);
  };
  for (const Type &type : body.outputTypes())
    note(type);
  for (const Type &type : body.inputTypes())
    note(type);
  for (const std::string &name : sizeNames) {
    if (bindings.count(name))
      continue;
    if (interface.count(name)) {
      diagnostics.report(Diag::UndeterminedSize, span, name, callee->name)
          .note(callee->span, fmt::format("it is {}", callee->signature()))
          .help(fmt::format("give it: {}(…, {} = SIZE)", callee->name, name));
      ok = false;
      continue;
    }
    std::string free = freeSize(prefix, name, *callee, bindings);
    sizes.insert(free);
    sizeSpans.emplace(free, span);
    bindings.emplace(name, Size::variable(free));
  }
  if (!ok)
    return std::nullopt;
  for (const Constraint &constraint : callee->constraints)
    addConstraint(constraint.substitute(bindings), span);

  auto instance = std::make_shared<Diagram>(substitute(body, bindings));
  if (!callee->learners.empty()) {
    auto boxes = boxesFor(per, prefix, frame, span);
    if (!boxes)
      return std::nullopt;
    if (!boxes->empty())
      addPer(*instance, 0, *boxes);
    std::vector<LearnerId> map;
    Definition bound;
    bound.learners = callee->learners;
    bound = substitute(bound, bindings);
    for (Learner &learner : bound.learners) {
      learner.per.insert(learner.per.begin(), per.begin(), per.end());
      auto id = adoptLearner(learner, prefix + "." + learner.label, span);
      if (!id)
        return std::nullopt;
      map.push_back(*id);
    }
    *instance = renumberLearners(*instance, map);
  }
  return generator(Call{callee->name, std::move(instance)}, arguments, frame, span);
}

} // namespace attnc::elaboration
