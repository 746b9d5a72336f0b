#include "attnc/elaborate/Elaborator.h"

namespace attnc::elaboration {

namespace {
/// The operands and modes with which a finished body is put into the frame around it: the mapped wires first,
/// then what was captured on the way, shared.
struct Entrance {
  std::vector<WireId> operands;
  std::vector<Mode> modes;

  Entrance(Frame &around, const Values &mapped, const Frame &body) {
    for (const Value &value : mapped)
      add(around, value, Mode::Map);
    for (const auto &[value, input] : body.captured)
      add(around, value, Mode::Share);
  }
  void add(Frame &around, const Value &value, Mode mode) {
    operands.push_back(around.import(value));
    modes.push_back(mode);
  }
};
} // namespace

std::optional<Values> Elaborator::inBox(Frame &frame, Cap cap, const Size &size, bool indexed, const Values &mapped,
                                        Span span,
                                        const std::function<std::optional<Values>(Frame &, const Values &)> &body) {
  Frame inside(definition.learners, &frame, size);
  Values inputs;
  if (indexed)
    inputs.push_back({&inside, inside.builder.input({Kind::Int, {}}, "")});
  for (const Value &value : mapped)
    inputs.push_back({&inside, inside.builder.input(value.type().slice(), value.frame->builder.name(value.wire))});
  auto results = body(inside, inputs);
  if (!results)
    return std::nullopt;
  std::vector<WireId> outputs;
  for (const Value &value : *results)
    outputs.push_back(inside.import(value));
  Entrance entrance(frame, mapped, inside);
  Box box{cap, size, indexed, std::move(entrance.modes),
          std::make_shared<Diagram>(std::move(inside.builder).finish(outputs))};
  auto wires = frame.builder.add(std::move(box), std::move(entrance.operands), span);
  if (!wires) {
    diagnostics.report(Diag::CapNeedsKind, span, name(cap), cap == Cap::Any || cap == Cap::All ? "bools" : "numbers",
                       wires.error());
    return std::nullopt;
  }
  Values values;
  for (WireId wire : *wires)
    values.push_back({&frame, wire});
  return values;
}

std::optional<Values> Elaborator::lift(Frame &frame, std::span<const Size> axes, const Values &operands,
                                       const std::vector<bool> &lifted, Span span,
                                       const std::function<std::optional<Values>(Frame &, const Values &)> &body) {
  if (axes.empty())
    return body(frame, operands);
  Values mapped;
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (lifted[i])
      mapped.push_back(operands[i]);
  return inBox(frame, Cap::None, axes[0], false, mapped, span, [&](Frame &inside, const Values &slices) {
    Values inner;
    std::size_t next = 0;
    for (std::size_t i = 0; i < operands.size(); ++i)
      inner.push_back(lifted[i] ? slices[next++] : operands[i]);
    return lift(inside, axes.subspan(1), inner, lifted, span, body);
  });
}

std::optional<std::vector<std::pair<const ast::Name *, Value>>>
Elaborator::headerWires(const std::vector<ast::HeaderWire> &wires, const Size &size, Frame &frame) {
  std::vector<std::pair<const ast::Name *, Value>> mapped;
  bool ok = true;
  for (const ast::HeaderWire &wire : wires) {
    std::optional<Value> value = wire.value ? one(*wire.value, frame) : nameExpr(wire.name.text, frame, wire.name.span);
    if (!value) {
      ok = false;
      continue;
    }
    const Type &type = value->type();
    if (type.isScalar()) {
      diagnostics.report(Diag::BoxOverNoAxis, wire.name.span, wire.name.text, type.str())
          .help("leave it out of the parentheses to share it");
      ok = false;
    } else if (type.axes[0] != size) {
      auto report =
          diagnostics.report(Diag::BoxSizeMismatch, wire.name.span, size.str(), wire.name.text, type.axes[0].str());
      for (const std::string &name : type.axes[0].names())
        if (auto first = sizeSpans.find(name); first != sizeSpans.end())
          report.note(first->second, fmt::format("'{}' is first named here", name));
      if (Frame::Bound *bound = frame.find(wire.name.text); bound && !wire.value)
        report.note(bound->span, fmt::format("'{}' has type {}", wire.name.text, type.str()));
      report.help("leave it out of the parentheses to share it, or run the box over its axis");
      ok = false;
    } else {
      mapped.emplace_back(&wire.name, *value);
    }
  }
  return ok ? std::optional(mapped) : std::nullopt;
}

std::optional<Values> Elaborator::box(const ast::BoxExpr &expr, Frame &frame, Span span, std::size_t wanted) {
  auto length = size(expr.size);
  auto mapped = length ? headerWires(expr.wires, *length, frame) : std::nullopt;
  if (!mapped)
    return std::nullopt;
  Values wires;
  for (const auto &[name, value] : *mapped)
    wires.push_back(value);
  return inBox(frame, expr.cap, *length, expr.index.has_value(), wires, span,
               [&](Frame &inside, const Values &inputs) -> std::optional<Values> {
                 bool ok = true;
                 if (expr.index)
                   ok &= bind(*expr.index, inputs[0], inside, false);
                 for (std::size_t i = 0; i < mapped->size(); ++i)
                   ok &= bind(*(*mapped)[i].first, inputs[i + expr.index.has_value()], inside, false);
                 auto results = ok ? block(*expr.body, inside, wanted) : std::nullopt;
                 if (results && expr.cap != Cap::None)
                   for (const Value &value : *results) {
                     bool logical = expr.cap == Cap::Any || expr.cap == Cap::All;
                     if (logical != (value.type().kind == Kind::Bool)) {
                       diagnostics.report(Diag::CapNeedsKind, expr.body->result->span, name(expr.cap),
                                          logical ? "bools" : "numbers", name(value.type().kind));
                       return std::nullopt;
                     }
                   }
                 return results;
               });
}

std::optional<Values> Elaborator::scan(const ast::ScanExpr &expr, Frame &frame, Span span, std::size_t wanted) {
  auto length = size(expr.size);
  auto mapped = length ? headerWires(expr.wires, *length, frame) : std::nullopt;
  bool ok = mapped.has_value();
  Values initial;
  for (const ast::StateDecl &state : expr.states) {
    auto stateType = type(state.type);
    auto value = one(*state.initial, frame);
    if (!stateType || !value) {
      ok = false;
      continue;
    }
    if (value->type().kind == Kind::Int && stateType->kind == Kind::Real)
      value = convert(*value, Kind::Real, frame, state.initial->span, "");
    if (value->type().isScalar() && value->type().kind == stateType->kind)
      for (std::size_t axis = stateType->axes.size(); axis-- > 0;)
        value = inBox(frame, Cap::None, stateType->axes[axis], false, {}, state.initial->span,
                      [&](Frame &, const Values &) { return std::optional(Values{*value}); })
                    ->front();
    if (value->type() != *stateType) {
      diagnostics.report(Diag::TypeMismatch, state.initial->span, fmt::format("the start of '{}'", state.name.text),
                         value->type().str(), stateType->str());
      ok = false;
      continue;
    }
    initial.push_back(*value);
  }
  if (!ok)
    return std::nullopt;

  Frame inside(definition.learners, &frame, length);
  if (expr.index)
    ok &= bind(*expr.index, {&inside, inside.builder.input({Kind::Int, {}}, "")}, inside, false);
  for (std::size_t i = 0; i < initial.size(); ++i)
    ok &= bind(expr.states[i].name, {&inside, inside.builder.input(initial[i].type(), "")}, inside, false);
  for (const auto &[name, value] : *mapped)
    ok &= bind(*name, {&inside, inside.builder.input(value.type().slice(), "")}, inside, false);
  if (!ok)
    return std::nullopt;
  // The body returns the states and then the results of a step; a tuple says how many, a call has what it has.
  std::size_t bodyResults = 1;
  if (auto *tuple = std::get_if<ast::TupleExpr>(&expr.body->result->node))
    bodyResults = tuple->elements.size();
  else if (std::holds_alternative<ast::CallExpr>(expr.body->result->node))
    bodyResults = anyCount;
  else if (std::size_t states = initial.size(); states > 1)
    bodyResults = wanted > states ? wanted : states;
  auto results = block(*expr.body, inside, bodyResults);
  if (!results)
    return std::nullopt;
  if (results->size() < initial.size()) {
    diagnostics.report(Diag::WrongResultCount, expr.body->result->span, initial.size(), results->size())
        .help("a scan's body returns the next states first, then the results of the step");
    return std::nullopt;
  }
  std::vector<WireId> outputs;
  for (std::size_t i = 0; i < results->size(); ++i) {
    Value value = (*results)[i];
    if (i < initial.size() && value.type() != initial[i].type()) {
      if (value.type().kind == Kind::Int && initial[i].type().kind == Kind::Real &&
          value.type().axes == initial[i].type().axes)
        value = *convert(value, Kind::Real, inside, expr.body->result->span, "");
      else {
        diagnostics
            .report(Diag::StateMismatch, expr.body->result->span, expr.states[i].name.text, initial[i].type().str(),
                    value.type().str())
            .note(expr.states[i].type.span, "the state is declared here");
        return std::nullopt;
      }
    }
    outputs.push_back(inside.import(value));
  }
  Values entering;
  for (const auto &[name, value] : *mapped)
    entering.push_back(value);
  Entrance entrance(frame, entering, inside);
  std::vector<WireId> operands;
  for (const Value &value : initial)
    operands.push_back(frame.import(value));
  operands.insert(operands.end(), entrance.operands.begin(), entrance.operands.end());
  std::size_t stacked = outputs.size() - initial.size();
  Scan scan{*length, expr.index.has_value(), static_cast<unsigned>(initial.size()), std::move(entrance.modes),
            std::make_shared<Diagram>(std::move(inside.builder).finish(outputs))};
  auto values = generator(std::move(scan), {}, frame, span, operands);
  if (values && stacked > 0 && wanted == stacked)
    values->resize(stacked); // the final states are not asked for
  return values;
}

} // namespace attnc::elaboration
