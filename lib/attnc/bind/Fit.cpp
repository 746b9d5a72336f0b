#include "attnc/bind/Fit.h"

#include "attnc/arrays/Bytes.h"
#include "attnc/diagram/Parameters.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace attnc {

namespace {

bool isFloat(DType dtype) { return dtype >= DType::F16; }
bool isInteger(DType dtype) { return dtype != DType::Bool && !isFloat(dtype); }

bool fits(DType dtype, Kind kind) {
  switch (kind) {
  case Kind::Real:
    return dtype != DType::Bool;
  case Kind::Int:
    return isInteger(dtype);
  case Kind::Bool:
    return dtype == DType::Bool;
  }
  return false;
}

bool beyondInt(const Array &array) {
  if (array.dtype() != DType::U64)
    return false;
  auto values = array.as<std::uint64_t>();
  return std::any_of(values.begin(), values.end(), [](std::uint64_t value) { return value > INT64_MAX; });
}

std::string conversionHelp(DType held, Kind needed) {
  if (needed == Kind::Bool)
    return "save it as booleans, in NumPy `x != 0`";
  if (needed == Kind::Int)
    return held == DType::Bool ? "save it as integers, in NumPy `x.astype('int64')`"
                               : "if every number in it is whole, save it as integers, in NumPy `x.astype('int64')`";
  return "save it as numbers, in NumPy `x.astype('float32')`";
}

/// As theory's `mod`: the sign of the divisor; by 0 gives 0.
std::int64_t modulo(std::int64_t value, std::int64_t divisor) {
  if (divisor == 0 || divisor == -1)
    return 0;
  std::int64_t rest = value % divisor;
  return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest;
}

/// Adds where the value of each size in the polynomials comes from.
void noteOrigins(Diagnostics::Report &report, const std::vector<Size> &polynomials, const SizeSolver &sizes) {
  std::set<std::string> names;
  for (const Size &size : polynomials)
    for (const std::string &name : size.names())
      names.insert(name);
  for (const std::string &name : names)
    if (const SizeSolver::Origin *origin = sizes.origin(name))
      report.note(origin->span, fmt::format("{} is {}: {}", name, origin->value, origin->reason));
}

/// Gathers what has a length inside a definition, each length once with the place it was first met.
struct Lengths {
  std::map<Size, Span> axes;
  std::map<std::vector<Size>, Span> shapes;

  void add(const Size &size, Span span) {
    if (!size.asVariable() &&
        size.constant().value_or(-1) < 0) // the names by themselves are checked as they are solved
      axes.try_emplace(size, span);
  }
  void add(const Type &type, Span span) {
    for (const Size &axis : type.axes)
      add(axis, span);
    shapes.try_emplace(type.axes, span);
  }
  void add(const Diagram &diagram, Span outer) {
    for (const Wire &wire : diagram.wires)
      add(wire.type,
          wire.producer.valid() && diagram.op(wire.producer).span.valid() ? diagram.op(wire.producer).span : outer);
    for (const Op &op : diagram.ops) {
      Span span = op.span.valid() ? op.span : outer;
      if (auto *box = std::get_if<Box>(&op.generator))
        add(box->size, span);
      if (auto *scan = std::get_if<Scan>(&op.generator))
        add(scan->size, span);
      if (const DiagramRef &body = bodyOf(op.generator))
        if (seen.insert(body.get()).second)
          add(*body, span);
    }
  }

private:
  std::set<const Diagram *> seen;
};

} // namespace

std::string axisText(const Slot &slot, std::size_t axis) {
  return fmt::format("axis {} of '{}', whose array has shape {}", axis + 1, slot.name, shapeText(slot.array->shape()));
}

bool checkKindAndRank(const Slot &slot, Diagnostics &diagnostics) {
  const Array &array = *slot.array;
  if (!fits(array.dtype(), slot.type.kind))
    diagnostics.report(Diag::ArrayKindMismatch, slot.span, slot.name, name(array.dtype()), name(slot.type.kind))
        .help(conversionHelp(array.dtype(), slot.type.kind));
  else if (slot.type.kind == Kind::Int && beyondInt(array))
    diagnostics.report(Diag::ArrayKindMismatch, slot.span, slot.name, "numbers of 2^63 and more", name(slot.type.kind));
  if (array.shape().size() == slot.type.rank())
    return true;
  auto axes = [](std::size_t count) { return fmt::format("{} {}", count, count == 1 ? "axis" : "axes"); };
  diagnostics.report(Diag::ArrayMismatch, slot.span, slot.name, shapeText(array.shape()), slot.type.str(),
                     fmt::format("it has {}, not {}", axes(array.shape().size()), axes(slot.type.rank())));
  return false;
}

/// What is wrong with the length of an axis, empty when nothing is.
static std::string axisFault(const Size &axis, std::int64_t held, const SizeSolver &sizes) {
  Size rest = sizes.reduced(axis);
  std::vector<std::string> unknown = rest.names();
  if (unknown.size() == 1 && !solveInOneName(rest, unknown[0], held))
    return fmt::format("{}, and no {} makes {} that", held, unknown[0], axis.str());
  if (!unknown.empty())
    return "";
  std::optional<std::int64_t> value = rest.constant();
  if (!value)
    return fmt::format("{}, but {} is beyond 64 bits", held, axis.str());
  if (*value == held)
    return "";
  return axis.isConstant() ? fmt::format("{}, not {}", held, *value)
                           : fmt::format("{}, but {} is {}", held, axis.str(), *value);
}

bool checkAxes(const Slot &slot, const SizeSolver &sizes, Diagnostics &diagnostics) {
  std::vector<std::string> faults;
  Type wrong; // the axes at fault
  for (std::size_t i = 0; i < slot.type.rank(); ++i)
    if (std::string fault = axisFault(slot.type.axes[i], slot.array->shape()[i], sizes); !fault.empty()) {
      faults.push_back(fmt::format("axis {} is {}", i + 1, fault));
      wrong.axes.push_back(slot.type.axes[i]);
    }
  if (faults.empty())
    return true;
  auto report = diagnostics.report(Diag::ArrayMismatch, slot.span, slot.name, shapeText(slot.array->shape()),
                                   slot.type.str(), fmt::format("{}", fmt::join(faults, "; ")));
  noteOrigins(report, wrong.axes, sizes);
  return false;
}

void checkConstraints(const Definition &definition, const SizeSolver &sizes, Diagnostics &diagnostics) {
  Size::Values values = sizes.values();
  for (const Constraint &constraint : definition.constraints) {
    std::optional<std::int64_t> left = constraint.left.evaluate(values), right = constraint.right.evaluate(values);
    auto modulus = constraint.modulus ? constraint.modulus->evaluate(values) : std::optional<std::int64_t>(0);
    auto exponent = constraint.exponent ? constraint.exponent->evaluate(values) : std::optional<std::int64_t>(1);
    if (!left || !right || !modulus || !exponent)
      continue; // an unsolved size is reported as that
    std::int64_t reached = constraint.modulus ? modulo(*left, *modulus) : *left;
    std::int64_t bound = power(*right, *exponent).value_or(INT64_MAX);
    if (constraint.holds(reached, bound))
      continue;
    std::string why = constraint.modulus ? fmt::format("{} % {} is {}, not {}", *left, *modulus, reached, bound)
                                         : fmt::format("{} is {}", constraint.left.str(), *left);
    if (!constraint.modulus && constraint.exponent)
      why += fmt::format(", and {} ^ {} is {}", *right, *exponent, bound);
    else if (!constraint.modulus && !constraint.right.isConstant())
      why += fmt::format(", and {} is {}", constraint.right.str(), *right);
    auto report = diagnostics.report(
        Diag::ConstraintViolated, constraint.span.valid() ? constraint.span : definition.span, constraint.str(), why);
    noteOrigins(
        report,
        {constraint.left, constraint.right, constraint.modulus.value_or(Size()), constraint.exponent.value_or(Size())},
        sizes);
  }
}

void checkInside(const Definition &definition, const Size::Values &values, std::size_t maxMemory,
                 Diagnostics &diagnostics) {
  Lengths lengths;
  for (WireId input : definition.diagram.inputs)
    lengths.add(definition.diagram.type(input), definition.span);
  for (const Parameter &parameter : parametersOf(definition))
    lengths.add(parameter.type, definition.learner(parameter.learner).span);
  lengths.add(definition.diagram, definition.span);
  for (const auto &[size, span] : lengths.axes) {
    auto value = size.evaluate(values);
    std::vector<std::string> names = size.names();
    bool known = std::all_of(names.begin(), names.end(), [&](auto &name) { return values.contains(name); });
    if (value && *value < 0)
      diagnostics.report(Diag::NegativeSize, span, size.str(), *value);
    else if (!value && known)
      diagnostics.report(Diag::NegativeSize, span, size.str(), "beyond 64 bits");
  }
  for (const auto &[axes, span] : lengths.shapes) {
    std::vector<std::int64_t> shape;
    for (const Size &axis : axes)
      shape.push_back(axis.evaluate(values).value_or(0));
    bool negative = std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; });
    if (!negative && !byteSize(DType::F64, shape))
      diagnostics.report(Diag::MemoryLimit, span, definition.name, "more than any machine's", sizeText(maxMemory));
  }
}

} // namespace attnc
