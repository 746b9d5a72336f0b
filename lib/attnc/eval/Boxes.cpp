#include "attnc/eval/Contraction.h"
#include "attnc/eval/Interpreter.h"
#include "attnc/eval/Kernels.h"

#include <algorithm>
#include <utility>

namespace attnc::eval {

View Interpreter::enter(Mode mode, const View &wire, Frame frame, std::size_t depth) {
  View view = wire;
  if (mode == Mode::Map) {
    advance(view, frame.start * view.strides[depth]);
    view.extents[depth] = frame.extent;
  } else {
    view.extents.insert(view.extents.begin() + depth, frame.extent);
    view.strides.insert(view.strides.begin() + depth, 0);
  }
  return view;
}

View Interpreter::iota(Frame frame, std::size_t depth) {
  Extents extents;
  for (std::size_t box = 0; box < depth; ++box)
    extents.push_back(frames[box].extent);
  extents.push_back(frame.extent);
  std::vector<bool> varies(depth + 1, false);
  varies[depth] = true;
  View index = memory.allocate(Kind::Int, extents, varies);
  if (memory.active())
    for (std::int64_t i = 0; i < frame.extent; ++i)
      index.as<std::int64_t>()[i] = frame.start + i;
  return index;
}

template <class Work> std::size_t Interpreter::rehearse(Work &&work) {
  const std::size_t peak = memory.peak;
  memory.rehearsing = true;
  memory.peak = memory.live();
  work();
  memory.rehearsing = false;
  return std::exchange(memory.peak, peak);
}

std::vector<View> Interpreter::on(const Box &box, const Op &, Operands operands) {
  const std::int64_t size = value(box.size);
  if (memory.failed())
    return {};
  if (size == 0)
    return emptyBox(box);
  if (auto product = contraction(box, operands))
    return *product;
  if (memory.rehearsing || planned)
    return iterate(box, operands, size, size);

  // A small working set is faster than one of GiB: it stays in caches, and in pages that are there already.
  constexpr std::size_t small = std::size_t(16) << 20;
  std::int64_t chunk = size;
  for (std::size_t target : {std::min(memory.live() + small, memory.limit / 2), memory.limit / 2, memory.limit}) {
    for (chunk = size;; chunk = (chunk + 1) / 2) {
      planned = rehearse([&] { iterate(box, operands, size, chunk); }) <= target;
      if (planned || chunk == 1)
        break;
    }
    if (planned)
      break;
  }
  std::vector<View> results = iterate(box, operands, size, chunk);
  planned = false;
  return results;
}

std::vector<View> Interpreter::emptyBox(const Box &box) {
  std::vector<View> results;
  for (const Type &type : box.body->outputTypes()) {
    Extents own = values(type.axes);
    if (box.cap == Cap::None)
      own.insert(own.begin(), 0);
    results.push_back(result(type.kind, {}, own));
    if (memory.active())
      fillWithUnit(box.cap, results.back());
  }
  return results;
}

std::vector<View> Interpreter::iterate(const Box &box, Operands operands, std::int64_t size, std::int64_t chunk) {
  const std::size_t depth = frames.size();
  std::vector<View> totals;
  for (std::int64_t start = 0; start < size; start += chunk) {
    const Frame frame{start, memory.rehearsing ? chunk : std::min(chunk, size - start)};
    std::vector<View> inputs;
    if (box.indexed)
      inputs.push_back(iota(frame, depth));
    for (std::size_t i = 0; i < operands.size(); ++i)
      inputs.push_back(enter(box.modes[i], operands[i], frame, depth));
    frames.push_back(frame);
    std::vector<View> results = memory.failed() ? std::vector<View>() : run(*box.body, inputs);
    frames.pop_back();
    if (memory.failed())
      return {};
    if (box.cap == Cap::None && chunk == size)
      return results;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const View &part = results[i];
      if (start == 0) {
        Extents own(part.extents.begin() + depth, part.extents.end());
        if (box.cap == Cap::None)
          own[0] = size;
        else
          own.erase(own.begin());
        if (box.cap == Cap::None && !part.varies(depth)) {
          totals.push_back(part);
          totals.back().extents[depth] = size;
        } else {
          totals.push_back(result(part.kind, std::span(&part, 1), own));
          if (memory.active())
            fillWithUnit(box.cap, totals.back());
        }
      }
      if (!memory.active())
        continue;
      if (box.cap != Cap::None)
        fold(box.cap, totals[i], part, depth);
      else if (part.varies(depth))
        copy(enter(Mode::Map, totals[i], frame, depth), part);
    }
    if (memory.rehearsing && start > 0) // the second chunk, beside the totals, stands for all
      break;
  }
  return totals;
}

std::optional<std::vector<View>> Interpreter::contraction(const Box &box, Operands operands) {
  if (box.cap != Cap::Sum)
    return std::nullopt;
  std::vector<bool> folded(frames.size(), false);
  std::vector<View> wires(operands.begin(), operands.end());
  for (const Box *level = &box; level;) {
    if ((level->cap != Cap::None && level->cap != Cap::Sum) || level->indexed)
      return std::nullopt;
    const Diagram &body = *level->body;
    if (body.ops.size() != 1 || body.outputs.size() != 1 || body.outputs[0] != body.ops[0].results[0])
      return std::nullopt;
    const std::int64_t size = value(level->size);
    if (size == 0)
      return std::nullopt;
    std::vector<View> inner;
    for (WireId wire : body.ops[0].operands) {
      const unsigned port = body.wire(wire).port;
      inner.push_back(enter(level->modes[port], wires[port], {0, size}, folded.size()));
    }
    folded.push_back(level->cap == Cap::Sum);
    wires = std::move(inner);
    const Generator &generator = body.ops[0].generator;
    if (auto *function = std::get_if<Pointwise>(&generator)) {
      if (function->fn != PointwiseFn::Mul || wires[0].kind != Kind::Real)
        return std::nullopt;
      return std::vector<View>{contract(memory, wires[0], wires[1], folded)};
    }
    level = std::get_if<Box>(&generator);
  }
  return std::nullopt;
}

std::vector<View> Interpreter::on(const Scan &scan, const Op &, Operands operands) {
  const std::int64_t size = value(scan.size);
  if (memory.failed() || memory.rehearsing || planned)
    return steps(scan, operands, size);
  planned = rehearse([&] { steps(scan, operands, size); }) <= memory.limit;
  std::vector<View> results = steps(scan, operands, size);
  planned = false;
  return results;
}

std::vector<View> Interpreter::steps(const Scan &scan, Operands operands, std::int64_t size) {
  const std::size_t depth = frames.size();
  std::vector<View> states(operands.begin(), operands.begin() + scan.states), stacked;
  // A result may vary along a box in a later step only, so room is made along all that can matter.
  std::vector<bool> varies(depth, false);
  collectPer(*scan.body, depth + 1, varies);
  for (std::size_t box = 0; box < depth; ++box)
    for (const View &operand : operands)
      varies[box] = varies[box] || operand.varies(box);
  auto room = [&](Kind kind, const Extents &own) {
    Extents extents;
    for (std::size_t box = 0; box < depth; ++box)
      extents.push_back(frames[box].extent);
    extents.insert(extents.end(), own.begin(), own.end());
    std::vector<bool> all = varies;
    all.resize(extents.size(), true);
    return memory.allocate(kind, extents, all);
  };

  for (std::size_t i = scan.states; i < scan.body->outputs.size(); ++i) {
    const Type &type = scan.body->type(scan.body->outputs[i]);
    Extents own = values(type.axes);
    own.insert(own.begin(), size);
    stacked.push_back(room(type.kind, own));
  }
  if (memory.rehearsing) // one step then stands for all
    for (View &state : states)
      state = room(state.kind, Extents(state.extents.begin() + depth, state.extents.end()));

  for (std::int64_t i = 0; i < size && !memory.failed(); ++i) {
    const Frame frame{i, 1};
    std::vector<View> inputs;
    if (scan.indexed)
      inputs.push_back(iota(frame, depth));
    for (const View &state : states)
      inputs.push_back(enter(Mode::Share, state, frame, depth));
    for (std::size_t w = scan.states; w < operands.size(); ++w)
      inputs.push_back(enter(scan.modes[w - scan.states], operands[w], frame, depth));
    if (memory.failed())
      break;
    frames.push_back(frame);
    std::vector<View> results = run(*scan.body, inputs);
    frames.pop_back();
    if (memory.failed())
      break;
    for (std::size_t r = 0; r < results.size(); ++r) {
      if (r < scan.states) {
        results[r].extents.erase(results[r].extents.begin() + depth);
        results[r].strides.erase(results[r].strides.begin() + depth);
        states[r] = std::move(results[r]);
      } else if (memory.active()) {
        copy(enter(Mode::Map, stacked[r - scan.states], frame, depth), results[r]);
      }
    }
    if (memory.rehearsing)
      break;
  }
  stacked.insert(stacked.end(), states.begin(), states.end());
  return stacked;
}

void Interpreter::collectPer(const Diagram &body, std::size_t depth, std::vector<bool> &named) const {
  for (const Op &op : body.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator)) {
      for (unsigned per : apply->per)
        if (depth - 1 - per < named.size())
          named[depth - 1 - per] = true;
    } else if (const DiagramRef &inner = bodyOf(op.generator)) {
      collectPer(*inner, depth + !std::holds_alternative<Call>(op.generator), named);
    }
  }
}

} // namespace attnc::eval
