#include "attnc/cost/Cost.h"

#include "attnc/diagram/Functor.h"
#include "attnc/diagram/Parameters.h"

#include <algorithm>

namespace attnc {

namespace {

using Flags = std::vector<bool>;

/// The array on a wire, seen from inside the boxes around it.
struct Value {
  enum class Store : std::uint8_t { Known, Register, Array };
  std::vector<Size> axes;
  Flags varies; // for each axis: false when all slices along it are one (a broadcast)
  Flags frames; // for each box around, outermost first: does the value differ along it? Missing ones: no
  Store store = Store::Known;
  std::optional<std::size_t> written; // which of the arrays the diagram makes; none for inputs and parameters
};

struct Frame {
  enum class Way : std::uint8_t { Plain, Fold, Step } way;
  Size size;
};

bool isTranscendental(PointwiseFn fn) {
  using enum PointwiseFn;
  return fn == Exp || fn == Log || fn == Sqrt || fn == Sin || fn == Cos || fn == Tanh || fn == Erf || fn == Pow;
}

Size product(const std::vector<Size> &axes) {
  Size all = 1;
  for (const Size &axis : axes)
    all = all * axis;
  return all;
}

/// The functor: wires to Values, operations to what they add to the tallies.
class Tally {
public:
  using Values = std::vector<Value>;
  using Operands = std::span<const Value>;

  explicit Tally(const Definition &definition) : definition(definition) {}

  Size flops, transcendental, elements;
  std::vector<Size> arrays; // elements of each that was written
  std::optional<std::string> unknown;

  Values apply(const Const &, const Op &, Operands) { return {Value()}; }
  Values apply(const SizeValue &, const Op &, Operands) { return {Value()}; }

  Values apply(const Pointwise &pointwise, const Op &, Operands operands) {
    Value result = dependent({}, operands);
    if (std::ranges::all_of(operands, [](const Value &v) { return v.store == Value::Store::Known; }))
      return {result};
    const Size work = times(result.frames);
    flops = flops + work;
    if (isTranscendental(pointwise.fn))
      transcendental = transcendental + work;
    read(operands, result.frames);
    return {loopResult(std::move(result))};
  }

  Values apply(const Gather &, const Op &, Operands operands) {
    Value result = dependent({operands[0].axes.begin() + 1, operands[0].axes.end()}, operands);
    result.varies.assign(operands[0].varies.begin() + 1, operands[0].varies.end());
    if (operands[0].store == Value::Store::Array)
      elements = elements + count(result);
    read(operands.subspan(1), result.frames);
    return {loopResult(std::move(result))};
  }

  Values apply(const Scatter &scatter, const Op &, Operands operands) {
    std::vector<Size> axes = operands[1].axes;
    axes[0] = scatter.size;
    Value result = dependent(std::move(axes), operands);
    flops = flops + times(result.frames) * product(operands[1].axes);
    return {made(std::move(result), operands)};
  }

  Values apply(const TopK &topk, const Op &, Operands operands) {
    Value result = dependent({topk.count}, operands);
    flops = flops + times(result.frames) * operands[0].axes[0] * topk.count;
    Value index = made(result, {});
    return {made(std::move(result), operands), std::move(index)};
  }

  Values apply(const Softmax &softmax, const Op &, Operands operands) {
    Value result = dependent(operands[0].axes, operands);
    const Size all = product(operands[0].axes), runs = times(result.frames);
    flops = flops + runs * (5 * all + (softmax.sink ? 4 : 0));
    transcendental = transcendental + runs * (all + (softmax.sink ? 1 : 0));
    return {made(std::move(result), operands)};
  }

  Values apply(const Transpose &, const Op &, Operands operands) {
    Value view = operands[0];
    std::swap(view.axes[0], view.axes[1]);
    view.varies = operands[0].varies;
    const bool first = view.varies[0];
    view.varies[0] = view.varies[1];
    view.varies[1] = first;
    return {view};
  }

  Values apply(const Reshape &reshape, const Op &, Operands operands) {
    Value view = operands[0];
    view.axes = reshape.axes;
    view.varies.assign(reshape.axes.size(), true);
    return {view};
  }

  Values apply(const Box &box, const Op &, Operands operands) {
    frames.push_back({box.cap == Cap::None ? Frame::Way::Plain : Frame::Way::Fold, box.size});
    Values inside;
    if (box.indexed)
      inside.push_back(index());
    for (std::size_t i = 0; i < operands.size(); ++i)
      inside.push_back(entering(operands[i], box.modes[i]));
    Values results = mapDiagram<Value>(*this, *box.body, std::span<const Value>(inside));
    frames.pop_back();
    for (Value &result : results)
      result = box.cap == Cap::None ? stacked(std::move(result), box.size) : folded(std::move(result), box.size);
    return results;
  }

  Values apply(const Scan &scan, const Op &, Operands operands) {
    // A state depends on whatever the scan's wires and the parameters of its body depend on.
    Value any = dependent({}, operands);
    frames.push_back({Frame::Way::Step, scan.size});
    any.frames.resize(frames.size(), false);
    any.frames.back() = true;
    addOuterBoxes(*scan.body, 0, any.frames);
    Values inside;
    if (scan.indexed)
      inside.push_back(index());
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (i >= scan.states) {
        inside.push_back(entering(operands[i], scan.modes[i - scan.states]));
        continue;
      }
      Value state{operands[i].axes, Flags(operands[i].axes.size(), true), any.frames, Value::Store::Array, {}};
      inside.push_back(std::move(state));
    }
    Values results = mapDiagram<Value>(*this, *scan.body, std::span<const Value>(inside));
    frames.pop_back();
    Values finals;
    for (unsigned i = 0; i < scan.states; ++i) {
      results[i].frames.resize(frames.size(), false);
      finals.push_back(std::move(results[i]));
    }
    Values all;
    for (std::size_t i = scan.states; i < results.size(); ++i) {
      all.push_back(stacked(std::move(results[i]), scan.size));
      if (all.back().written) // each step's slice is kept
        arrays[*all.back().written] = count(all.back());
    }
    all.insert(all.end(), std::make_move_iterator(finals.begin()), std::make_move_iterator(finals.end()));
    return all;
  }

  Values apply(const Call &call, const Op &, Operands operands) {
    return mapDiagram<Value>(*this, *call.body, operands);
  }

  Values apply(const Apply &apply, const Op &, Operands operands) {
    const Learner &learner = definition.learner(apply.learner);
    if (learner.kind == LearnerKind::Hole)
      unknown = learner.label;
    Flags picked(frames.size(), false); // the boxes whose indices pick its parameters
    for (unsigned box : apply.per)
      picked[frames.size() - 1 - box] = true;
    Values results;
    for (const Type &type : learner.codomain) {
      results.push_back(dependent(type.axes, operands));
      results.back().frames.resize(frames.size(), false);
      for (std::size_t i = 0; i < frames.size(); ++i)
        results.back().frames[i] = results.back().frames[i] || picked[i];
      results.back().store = Value::Store::Array;
    }
    if (learner.kind == LearnerKind::Param || learner.kind == LearnerKind::Hole)
      return results; // a parameter is an array that is there
    Value &result = results.front();
    const Size runs = times(result.frames), target = product(result.axes);
    Size domain;
    for (const Value &operand : operands)
      domain = domain + product(operand.axes);
    for (const Parameter &parameter : parametersOf(learner, apply.learner)) {
      const auto own = parameter.type.axes.begin() + static_cast<std::ptrdiff_t>(apply.per.size());
      elements =
          elements + times(picked) * product({own, parameter.type.axes.end()}) * stepsBeside(picked, result.frames);
    }
    if (learner.kind == LearnerKind::Universal) {
      flops = flops + runs * (2 * domain * learner.width + 2 * learner.width + 2 * learner.width * target + target);
      transcendental = transcendental + runs * learner.width;
      Value hidden = result;
      hidden.axes = {learner.width};
      hidden.varies = {true};
      hidden = made(std::move(hidden), {});
      read({&hidden, 1}, result.frames);
    } else {
      flops = flops + runs * (2 * domain * target + (learner.kind == LearnerKind::Affine ? target : Size(0)));
    }
    result = made(std::move(result), operands);
    return results;
  }

  /// The elements of the array, along every box it depends on.
  Size count(const Value &value) const {
    Size all = times(value.frames);
    for (std::size_t i = 0; i < value.axes.size(); ++i)
      if (value.varies[i])
        all = all * value.axes[i];
    return all;
  }

private:
  Size times(const Flags &which) const {
    Size all = 1;
    for (std::size_t i = 0; i < which.size(); ++i)
      if (which[i])
        all = all * frames[i].size;
    return all;
  }

  /// How often a scan's steps in `which` meet an array that depends on `own` only.
  Size stepsBeside(const Flags &own, const Flags &which) const {
    Size steps = 1;
    for (std::size_t i = 0; i < which.size(); ++i)
      if (which[i] && frames[i].way == Frame::Way::Step && (i >= own.size() || !own[i]))
        steps = steps * frames[i].size;
    return steps;
  }

  Value dependent(std::vector<Size> axes, Operands operands) const {
    Value value;
    value.varies.assign(axes.size(), true);
    value.axes = std::move(axes);
    for (const Value &operand : operands) {
      value.frames.resize(std::max(value.frames.size(), operand.frames.size()), false);
      for (std::size_t i = 0; i < operand.frames.size(); ++i)
        value.frames[i] = value.frames[i] || operand.frames[i];
    }
    return value;
  }

  void read(Operands operands, const Flags &by) {
    for (const Value &operand : operands)
      if (operand.store == Value::Store::Array)
        elements = elements + count(operand) * stepsBeside(operand.frames, by);
  }

  Value written(Value value) {
    value.store = Value::Store::Array;
    elements = elements + count(value);
    Value step = value; // the steps of a scan use the same memory
    for (std::size_t i = 0; i < step.frames.size(); ++i)
      if (frames[i].way == Frame::Way::Step)
        step.frames[i] = false;
    value.written = arrays.size();
    arrays.push_back(count(step));
    return value;
  }

  Value made(Value value, Operands operands) {
    read(operands, value.frames);
    return written(std::move(value));
  }

  /// In a register when the innermost fold or scan it depends on is a fold, else an array.
  Value loopResult(Value value) {
    for (std::size_t i = value.frames.size(); i-- > 0;)
      if (value.frames[i] && frames[i].way != Frame::Way::Plain) {
        if (frames[i].way == Frame::Way::Step)
          break;
        value.store = Value::Store::Register;
        return value;
      }
    return written(std::move(value));
  }

  Value index() const {
    Value value;
    value.frames.assign(frames.size(), false);
    value.frames.back() = true;
    value.store = Value::Store::Register;
    return value;
  }

  Value entering(const Value &operand, Mode mode) const {
    Value value = operand;
    if (mode == Mode::Share)
      return value;
    value.frames.resize(frames.size(), false);
    value.frames.back() = value.varies[0];
    value.axes.erase(value.axes.begin());
    value.varies.erase(value.varies.begin());
    return value;
  }

  Value stacked(Value value, const Size &size) const {
    value.axes.insert(value.axes.begin(), size);
    value.varies.insert(value.varies.begin(), value.frames.size() > frames.size() && value.frames.back());
    value.frames.resize(frames.size(), false);
    return value;
  }

  Value folded(Value value, const Size &size) {
    if (value.store == Value::Store::Known) {
      value.frames.resize(frames.size(), false);
      return value;
    }
    const bool own = value.frames.size() > frames.size() && value.frames.back();
    Value result = value;
    result.frames.resize(frames.size(), false);
    const Size all = count(result);
    flops = flops + all * size;
    if (value.store == Value::Store::Array)
      elements = elements + all * (own ? size : Size(1)) * stepsBeside(value.frames, result.frames);
    result.written.reset();
    return loopResult(std::move(result));
  }

  /// Marks the boxes around, whose indices pick parameters inside the body.
  void addOuterBoxes(const Diagram &body, unsigned inner, Flags &which) const {
    for (const Op &op : body.ops) {
      if (const auto *apply = std::get_if<Apply>(&op.generator))
        for (unsigned box : apply->per)
          if (box >= inner)
            which[which.size() - 1 - (box - inner)] = true;
      if (const DiagramRef &held = bodyOf(op.generator))
        addOuterBoxes(*held, inner + !std::holds_alternative<Call>(op.generator), which);
    }
  }

  const Definition &definition;
  std::vector<Frame> frames;
};

} // namespace

tl::expected<Cost, std::string> costOf(const Definition &definition, std::int64_t elementBytes) {
  Tally tally(definition);
  std::vector<Value> inputs;
  for (WireId input : definition.diagram.inputs) {
    const Type &type = definition.diagram.type(input);
    inputs.push_back({type.axes, Flags(type.rank(), true), {}, Value::Store::Array, {}});
  }
  std::vector<Value> outputs = mapDiagram<Value>(tally, definition.diagram, std::span<const Value>(inputs));
  if (tally.unknown)
    return tl::unexpected("the box '" + *tally.unknown + "' is not given, so its cost is not known");
  for (const Value &output : outputs) {
    const bool whole = std::ranges::all_of(output.varies, [](bool varies) { return varies; });
    if (output.written && whole) {
      tally.arrays[*output.written] = 0; // it is an output, not between
      continue;
    }
    if (output.store == Value::Store::Array)
      tally.elements = tally.elements + tally.count(output);
    tally.elements = tally.elements + product(output.axes);
  }
  Cost cost;
  cost.flops = tally.flops;
  cost.transcendental = tally.transcendental;
  cost.bytes = elementBytes * tally.elements;
  for (const Size &array : tally.arrays)
    cost.memory = cost.memory + elementBytes * array;
  for (const Parameter &parameter : parametersOf(definition))
    cost.parameters = cost.parameters + product(parameter.type.axes);
  cost.ops = static_cast<std::int64_t>(definition.diagram.opCount());
  return cost;
}

} // namespace attnc
