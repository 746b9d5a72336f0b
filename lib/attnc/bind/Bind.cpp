#include "attnc/bind/Bind.h"

#include "attnc/arrays/Bytes.h"
#include "attnc/bind/Fit.h"
#include "attnc/bind/Random.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace attnc {

namespace {

class Binder {
public:
  Binder(const Definition &definition, const Given &given, Diagnostics &diagnostics)
      : definition(definition), given(given), diagnostics(diagnostics), room(given.maxMemory) {}

  std::optional<Bound> run() {
    std::size_t before = diagnostics.errorCount();
    collectInputs();
    collectParameters();
    solveSizes();
    checkConstraints(definition, solver, diagnostics);
    values = solver.values();
    checkInside(definition, values, given.maxMemory, diagnostics);
    if (diagnostics.errorCount() > before)
      return std::nullopt;
    Bound bound{values, {}, {}};
    makeInputs(bound.inputs);
    makeParameters(bound.parameters);
    if (diagnostics.errorCount() > before)
      return std::nullopt;
    return bound;
  }

private:
  void collectInputs() {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i) {
      Slot slot{inputName(definition, i), definition.diagram.type(definition.diagram.inputs[i]), definition.span};
      names.push_back(slot.name);
      if (auto found = given.inputs.find(slot.name); found != given.inputs.end())
        slot.array = &found->second;
      else if (!given.randomInputs.contains(slot.name))
        missing(diagnostics.report(Diag::MissingInput, slot.span, slot.name, slot.type.str()), slot.type,
                fmt::format("give it with --in {}=FILE", slot.name));
      inputs.push_back(std::move(slot));
    }
    std::set<std::string_view> all;
    for (const auto &[name, array] : given.inputs)
      all.insert(name);
    for (const auto &[name, seed] : given.randomInputs)
      all.insert(name);
    for (std::string_view name : all)
      if (std::find(names.begin(), names.end(), name) == names.end())
        suggest(diagnostics.report(Diag::UnknownInput, definition.span, definition.name, name), name, names);
  }

  void collectParameters() {
    for (const Learner &learner : definition.learners)
      if (learner.kind == LearnerKind::Hole)
        diagnostics.report(Diag::UnfilledHole, learner.span, definition.name, learner.label);
    for (const Parameter &parameter : parametersOf(definition)) {
      Slot slot{parameter.name, parameter.type, definition.learner(parameter.learner).span};
      if (auto found = given.parameters.find(slot.name); found != given.parameters.end())
        slot.array = &found->second;
      else if (!given.parameterSeed)
        missing(diagnostics.report(Diag::MissingParameter, slot.span, slot.name, slot.type.str()), slot.type,
                parameterHelp(slot.name));
      parameters.push_back(std::move(slot));
    }
  }

  std::string parameterHelp(const std::string &name) const {
    if (given.parameters.empty())
      return "give a file of parameters with --params FILE, or draw them with --params random:SEED";
    std::vector<std::string> keys;
    for (const auto &[key, array] : given.parameters)
      keys.push_back(key);
    if (auto near = nearest(name, keys))
      return fmt::format("did you mean the array '{}' that is given?", *near);
    return fmt::format("{} arrays are given, but none of that name", keys.size());
  }

  void missing(Diagnostics::Report report, const Type &type, std::string help) {
    report.help(std::move(help));
    excuse(type);
  }

  /// Sizes in the type of an array that is absent or unusable may follow from it; that they do not is no news.
  void excuse(const Type &type) {
    for (const Size &axis : type.axes)
      for (const std::string &name : axis.names())
        excused.insert(name);
  }

  static void suggest(Diagnostics::Report report, std::string_view name, const std::vector<std::string> &candidates) {
    if (auto near = nearest(name, candidates))
      report.help(fmt::format("did you mean '{}'?", *near));
    else if (!candidates.empty())
      report.help(fmt::format("there is {}", fmt::join(candidates, ", ")));
  }

  void solveSizes() {
    std::vector<std::string> names = definition.sizeNames();
    for (const auto &[name, value] : given.sizes) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        suggest(diagnostics.report(Diag::UnknownSize, definition.span, name), name, names);
      solver.give(name, {value, fmt::format("given by --size {}={}", name, value), {}});
    }
    forEachSlot([&](Slot &slot) {
      if (!slot.array)
        return;
      if (!checkKindAndRank(slot, diagnostics))
        return excuse(slot.type);
      for (std::size_t i = 0; i < slot.type.rank(); ++i)
        solver.equate(slot.type.axes[i], Size(slot.array->shape()[i]), axisText(slot, i), slot.span);
    });
    for (const Constraint &constraint : definition.constraints)
      if (constraint.isEquation() || constraint.isPower())
        solver.equate(constraint.left, constraint.right, fmt::format("by the condition '{}'", constraint.str()),
                      constraint.span, constraint.exponent.value_or(Size(1)));
    solver.solve();
    forEachSlot([&](const Slot &slot) {
      if (slot.array && slot.array->shape().size() == slot.type.rank() && !checkAxes(slot, solver, diagnostics))
        excuse(slot.type);
    });
    for (const std::string &name : names) {
      const SizeSolver::Origin *origin = solver.origin(name);
      if (!origin && !excused.contains(name))
        diagnostics.report(Diag::UnsolvedSize, definition.span, name)
            .help(fmt::format("give it with --size {}=…", name));
      if (origin && origin->value < 0)
        diagnostics.report(Diag::NegativeSize, definition.span, name, origin->value)
            .note(origin->span, fmt::format("it follows from this: {}", origin->reason));
    }
  }

  template <class F> void forEachSlot(F &&f) {
    std::for_each(inputs.begin(), inputs.end(), f);
    std::for_each(parameters.begin(), parameters.end(), f);
  }

  DType target(Kind kind) const {
    return kind == Kind::Real ? given.real : kind == Kind::Int ? DType::I64 : DType::Bool;
  }

  std::vector<std::int64_t> shapeOf(const Type &type) const {
    std::vector<std::int64_t> shape;
    for (const Size &axis : type.axes)
      shape.push_back(*axis.evaluate(values));
    return shape;
  }

  /// Whether an array that must be made has room; reports it once when not.
  bool reserve(DType dtype, const std::vector<std::int64_t> &shape) {
    std::size_t bytes = *byteSize(dtype, shape);
    if (bytes <= room) {
      room -= bytes;
      return true;
    }
    if (!full)
      diagnostics.report(Diag::MemoryLimit, definition.span, definition.name, sizeText(given.maxMemory - room + bytes),
                         sizeText(given.maxMemory));
    full = true;
    return false;
  }

  std::optional<Array> converted(const Array &array, DType dtype) {
    if (array.dtype() == dtype)
      return array;
    if (!reserve(dtype, array.shape()))
      return std::nullopt;
    return array.converted(dtype);
  }

  std::optional<Array> drawn(const Slot &slot, std::int64_t seed, double deviation) {
    std::vector<std::int64_t> shape = shapeOf(slot.type);
    if (!reserve(DType::F64, shape))
      return std::nullopt;
    auto array = randomArray(slot.type.kind, std::move(shape), slot.name, seed, deviation);
    return array ? converted(*array, target(slot.type.kind)) : std::nullopt;
  }

  void put(std::vector<Array> &into, std::optional<Array> array) {
    if (!array && !full)
      diagnostics.report(Diag::CannotRun, definition.span, definition.name, "there is no memory for its arrays");
    full |= !array;
    into.push_back(array ? std::move(*array) : Array());
  }

  void makeInputs(std::vector<Array> &into) {
    for (const Slot &slot : inputs)
      put(into, slot.array ? converted(*slot.array, target(slot.type.kind))
                           : drawn(slot, given.randomInputs.find(slot.name)->second, 1.0));
  }

  void makeParameters(std::vector<Array> &into) {
    std::size_t next = 0;
    for (const Learner &learner : definition.learners)
      for (double deviation : parameterDeviations(learner, values)) {
        const Slot &slot = parameters[next++];
        put(into,
            slot.array ? converted(*slot.array, target(slot.type.kind)) : drawn(slot, *given.parameterSeed, deviation));
      }
  }

  const Definition &definition;
  const Given &given;
  Diagnostics &diagnostics;
  std::vector<Slot> inputs, parameters;
  SizeSolver solver;
  std::set<std::string> excused;
  Size::Values values;
  std::size_t room;
  bool full = false;
};

} // namespace

std::string inputName(const Definition &definition, std::size_t index) {
  const std::string &name = definition.diagram.wire(definition.diagram.inputs[index]).name;
  return name.empty() ? std::to_string(index + 1) : name;
}

std::optional<Bound> bindArrays(const Definition &definition, const Given &given, Diagnostics &diagnostics) {
  return Binder(definition, given, diagnostics).run();
}

} // namespace attnc
