#include "attnc/eval/Contraction.h"
#include "attnc/eval/Interpreter.h"
#include "attnc/eval/Kernels.h"

#include <fmt/format.h>

namespace attnc::eval {

View Interpreter::parameter(const View &parameter, const Apply &apply) {
  const std::size_t boxes = frames.size(), pers = apply.per.size();
  View view = parameter;
  view.extents.assign(boxes, 0);
  view.strides.assign(boxes, 0);
  for (std::size_t box = 0; box < boxes; ++box)
    view.extents[box] = frames[box].extent;
  view.extents.insert(view.extents.end(), parameter.extents.begin() + pers, parameter.extents.end());
  view.strides.insert(view.strides.end(), parameter.strides.begin() + pers, parameter.strides.end());
  for (std::size_t axis = 0; axis < pers; ++axis) {
    const std::size_t box = boxes - 1 - apply.per[axis];
    view.strides[box] += parameter.strides[axis]; // one box may pick along two axes: their diagonal
    advance(view, frames[box].start * parameter.strides[axis]);
  }
  return view;
}

View Interpreter::linear(const View &operand, const View &weight) {
  View left = operand;
  std::vector<bool> folded(left.rank(), true);
  std::fill_n(folded.begin(), frames.size(), false);
  left.extents.insert(left.extents.end(), weight.extents.begin() + left.rank(), weight.extents.end());
  left.strides.resize(left.extents.size(), 0);
  folded.resize(left.extents.size(), false);
  return contract(memory, left, weight, folded);
}

std::vector<View> Interpreter::on(const Apply &apply, const Op &, Operands operands) {
  const Learner &learner = definition.learner(apply.learner);
  std::vector<View> filling;
  for (const View &array : parameters[apply.learner.index()])
    filling.push_back(parameter(array, apply));

  auto plus = [&](const View &a, const View &b) {
    const View both[] = {a, b};
    return memory.failed() ? View() : elementwise(PointwiseFn::Add, both);
  };
  auto weighted = [&](const Extents &target) {
    View total;
    for (std::size_t i = 0; i < operands.size() && !memory.failed(); ++i) {
      View term = linear(operands[i], filling[i]);
      total = i == 0 ? term : plus(total, term);
    }
    if (operands.empty()) { // the empty sum
      total = result(Kind::Real, {}, target);
      if (memory.active())
        fillWithZeros(total);
    }
    return total;
  };

  const Extents codomain = values(learner.codomain.front().axes);
  switch (learner.kind) {
  case LearnerKind::Linear:
    return {weighted(codomain)};
  case LearnerKind::Affine:
    return {plus(weighted(codomain), filling.back())};
  case LearnerKind::Param:
    return {filling.front()};
  case LearnerKind::Universal: {
    const std::size_t first = operands.size(); // hidden bias, out weight, out bias
    View hidden = plus(weighted({value(learner.width)}), filling[first]);
    if (memory.failed())
      return {};
    hidden = elementwise(PointwiseFn::Tanh, std::span(&hidden, 1));
    if (memory.failed())
      return {};
    return {plus(linear(hidden, filling[first + 1]), filling[first + 2])};
  }
  case LearnerKind::Hole:
    break;
  }
  memory.error = fmt::format("the box '{}' is a hole: it must be given before it can be run", learner.label);
  return {};
}

} // namespace attnc::eval
