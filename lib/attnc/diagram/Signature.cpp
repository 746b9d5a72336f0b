#include "attnc/diagram/Signature.h"

#include <fmt/format.h>

namespace attnc {

namespace {

using Types = std::vector<Type>;
using Outcome = tl::expected<Types, std::string>;

/// One overload a generator: the typing rule of its comment in Generator.h.
struct Typing {
  std::span<const Type> operands;
  std::span<const Learner> learners;

  static tl::unexpected<std::string> broken(std::string law) { return tl::unexpected(std::move(law)); }

  tl::unexpected<std::string> wrongCount(std::size_t wanted) const {
    return broken(fmt::format("it takes {} operand{}, not {}", wanted, wanted == 1 ? "" : "s", operands.size()));
  }

  Outcome operator()(const Const &constant) const {
    if (!operands.empty())
      return wrongCount(0);
    constexpr Kind kinds[] = {Kind::Real, Kind::Int, Kind::Bool};
    return Types{{kinds[constant.value.index()], {}}};
  }

  Outcome operator()(const SizeValue &) const {
    if (!operands.empty())
      return wrongCount(0);
    return Types{{Kind::Int, {}}};
  }

  Outcome operator()(const Pointwise &pointwise) const {
    const PointwiseInfo &function = info(pointwise.fn);
    if (operands.size() != function.arity)
      return wrongCount(function.arity);
    std::vector<Kind> kinds;
    for (const Type &type : operands) {
      if (!type.isScalar())
        return broken(fmt::format("'{}' acts on scalars, not on {}", function.name, type.str()));
      kinds.push_back(type.kind);
    }
    if (auto kind = resultKind(pointwise.fn, kinds))
      return Types{{*kind, {}}};
    return broken(fmt::format("'{}' does not act on {}", function.name, str(Types(operands.begin(), operands.end()))));
  }

  Outcome operator()(const Gather &) const {
    if (operands.size() != 2)
      return wrongCount(2);
    if (operands[0].isScalar())
      return broken("a scalar has no axis to index");
    if (operands[1] != Type{Kind::Int, {}})
      return broken(fmt::format("an index is int[], not {}", operands[1].str()));
    return Types{operands[0].slice()};
  }

  Outcome operator()(const Scatter &scatter) const {
    if (operands.size() != 2)
      return wrongCount(2);
    if (operands[0].kind != Kind::Int || operands[0].rank() != 1)
      return broken(fmt::format("the indices are int[k], not {}", operands[0].str()));
    if (operands[1].isScalar() || operands[1].axes[0] != operands[0].axes[0])
      return broken(fmt::format("{} indices for an array of type {}", operands[0].axes[0].str(), operands[1].str()));
    if (operands[1].kind == Kind::Bool)
      return broken("it adds numbers, not bools");
    return Types{operands[1].slice().over(scatter.size)};
  }

  Outcome operator()(const TopK &topk) const {
    if (operands.size() != 1)
      return wrongCount(1);
    if (operands[0].rank() != 1 || operands[0].kind == Kind::Bool)
      return broken(fmt::format("it orders numbers along one axis, not {}", operands[0].str()));
    return Types{{operands[0].kind, {topk.count}}, {Kind::Int, {topk.count}}};
  }

  Outcome operator()(const Softmax &softmax) const {
    if (operands.size() != (softmax.sink ? 2 : 1))
      return wrongCount(softmax.sink ? 2 : 1);
    if (operands[0].kind != Kind::Real || operands[0].isScalar())
      return broken(fmt::format("it normalises reals over axes, not {}", operands[0].str()));
    if (softmax.sink && operands[1] != Type{})
      return broken(fmt::format("the sink is a logit [], not {}", operands[1].str()));
    return Types{operands[0]};
  }

  Outcome operator()(const Transpose &) const {
    if (operands.size() != 1)
      return wrongCount(1);
    if (operands[0].rank() < 2)
      return broken(fmt::format("it swaps two axes, and {} has fewer", operands[0].str()));
    Type result = operands[0];
    std::swap(result.axes[0], result.axes[1]);
    return Types{result};
  }

  Outcome operator()(const Reshape &reshape) const {
    if (operands.size() != 1)
      return wrongCount(1);
    Size before = 1, after = 1;
    for (const Size &axis : operands[0].axes)
      before = before * axis;
    for (const Size &axis : reshape.axes)
      after = after * axis;
    Type result{operands[0].kind, reshape.axes};
    if (before != after || before.overflowed())
      return broken(fmt::format("{} has not as many elements as {}", operands[0].str(), result.str()));
    return Types{result};
  }

  /// The types with which operands enter a body, checked against its inputs from `first` on.
  tl::expected<void, std::string> enter(const Size &size, const std::vector<Mode> &modes,
                                        std::span<const Type> entering, const Diagram &body, std::size_t first) const {
    if (modes.size() != entering.size() || body.inputs.size() != first + entering.size())
      return broken(fmt::format("{} wires enter by {} modes into {} inputs", entering.size(), modes.size(),
                                body.inputs.size() - std::min(first, body.inputs.size())));
    for (std::size_t i = 0; i < entering.size(); ++i) {
      Type type = entering[i];
      if (modes[i] == Mode::Map) {
        if (type.isScalar() || type.axes[0] != size)
          return broken(fmt::format("it maps over {}, but a wire has type {}", size.str(), type.str()));
        type = type.slice();
      }
      if (type != body.type(body.inputs[first + i]))
        return broken(fmt::format("a wire of type {} enters an input of type {}", type.str(),
                                  body.type(body.inputs[first + i]).str()));
    }
    return {};
  }

  tl::expected<void, std::string> index(bool indexed, const Diagram &body) const {
    if (indexed && (body.inputs.empty() || body.type(body.inputs[0]) != Type{Kind::Int, {}}))
      return broken("the first input of an indexed body is its index, int[]");
    return {};
  }

  Outcome operator()(const Box &box) const {
    if (auto ok = index(box.indexed, *box.body); !ok)
      return broken(ok.error());
    if (auto ok = enter(box.size, box.modes, operands, *box.body, box.indexed); !ok)
      return broken(ok.error());
    Types results;
    for (const Type &type : box.body->outputTypes()) {
      bool logical = box.cap == Cap::Any || box.cap == Cap::All;
      if (box.cap != Cap::None && logical != (type.kind == Kind::Bool))
        return broken(fmt::format("'{}' does not fold {} values", name(box.cap), name(type.kind)));
      results.push_back(box.cap == Cap::None ? type.over(box.size) : type);
    }
    return results;
  }

  Outcome operator()(const Scan &scan) const {
    if (operands.size() < scan.states || scan.body->outputs.size() < scan.states)
      return broken("fewer wires than states");
    if (auto ok = index(scan.indexed, *scan.body); !ok)
      return broken(ok.error());
    std::size_t first = scan.indexed;
    if (scan.body->inputs.size() < first + scan.states)
      return broken("fewer inputs than states");
    if (auto ok = enter(scan.size, scan.modes, operands.subspan(scan.states), *scan.body, first + scan.states); !ok)
      return broken(ok.error());
    Types stacked, finals;
    for (std::size_t i = 0; i < scan.body->outputs.size(); ++i) {
      const Type &type = scan.body->type(scan.body->outputs[i]);
      if (i >= scan.states) {
        stacked.push_back(type.over(scan.size));
        continue;
      }
      const Type &inside = scan.body->type(scan.body->inputs[first + i]);
      if (type != operands[i] || type != inside)
        return broken(
            fmt::format("a state starts as {}, is {} and becomes {}", operands[i].str(), inside.str(), type.str()));
      finals.push_back(type);
    }
    stacked.insert(stacked.end(), finals.begin(), finals.end());
    return stacked;
  }

  Outcome operator()(const Call &call) const {
    if (Types(operands.begin(), operands.end()) != call.body->inputTypes())
      return broken(fmt::format("'{}' takes {}, not {}", call.name, str(call.body->inputTypes()),
                                str(Types(operands.begin(), operands.end()))));
    return call.body->outputTypes();
  }

  Outcome operator()(const Apply &apply) const {
    if (!apply.learner.valid() || apply.learner.index() >= learners.size())
      return broken("there is no such learner");
    const Learner &learner = learners[apply.learner.index()];
    if (Types(operands.begin(), operands.end()) != learner.domain)
      return broken(fmt::format("'{}' takes {}, not {}", learner.label, str(learner.domain),
                                str(Types(operands.begin(), operands.end()))));
    if (apply.per.size() != learner.per.size())
      return broken(fmt::format("'{}' has parameters per {} axes, and {} boxes are named", learner.label,
                                learner.per.size(), apply.per.size()));
    return learner.codomain;
  }
};

tl::expected<void, std::string> validateIn(const Diagram &diagram, std::span<const Learner> learners,
                                           std::vector<Size> &boxes) {
  using Unexpected = tl::unexpected<std::string>;
  std::vector<bool> produced(diagram.wires.size());
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i) {
    const Wire &wire = diagram.wire(diagram.inputs[i]);
    if (wire.producer.valid() || wire.port != i)
      return Unexpected("an input wire has another producer");
    produced[diagram.inputs[i].index()] = true;
  }
  for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
    const Op &op = diagram.ops[i];
    Types operands;
    for (WireId wire : op.operands) {
      if (wire.index() >= diagram.wires.size() || !produced[wire.index()])
        return Unexpected(fmt::format("'{}' uses a wire before it is produced", describe(op.generator)));
      operands.push_back(diagram.type(wire));
    }
    Outcome results = resultTypes(op.generator, operands, learners);
    if (!results)
      return Unexpected(results.error());
    if (results->size() != op.results.size())
      return Unexpected(
          fmt::format("'{}' has {} results, not {}", describe(op.generator), results->size(), op.results.size()));
    for (std::size_t port = 0; port < op.results.size(); ++port) {
      const Wire &wire = diagram.wire(op.results[port]);
      if (produced[op.results[port].index()] || wire.producer != OpId(i) || wire.port != port)
        return Unexpected("a wire has two producers");
      if (wire.type != (*results)[port])
        return Unexpected(
            fmt::format("a wire has type {} where {} is produced", wire.type.str(), (*results)[port].str()));
      produced[op.results[port].index()] = true;
    }
    if (auto *apply = std::get_if<Apply>(&op.generator))
      for (std::size_t axis = 0; axis < apply->per.size(); ++axis)
        if (apply->per[axis] >= boxes.size() ||
            boxes[boxes.size() - 1 - apply->per[axis]] != learners[apply->learner.index()].per[axis])
          return Unexpected("a learner's parameters vary along no box around it");
    if (const DiagramRef &body = bodyOf(op.generator)) {
      auto *box = std::get_if<Box>(&op.generator);
      auto *scan = std::get_if<Scan>(&op.generator);
      if (box || scan)
        boxes.push_back(box ? box->size : scan->size);
      auto inner = validateIn(*body, learners, boxes);
      if (box || scan)
        boxes.pop_back();
      if (!inner)
        return inner;
    }
  }
  for (WireId wire : diagram.outputs)
    if (wire.index() >= diagram.wires.size() || !produced[wire.index()])
      return Unexpected("an output is not produced");
  return {};
}

} // namespace

tl::expected<std::vector<Type>, std::string> resultTypes(const Generator &generator, std::span<const Type> operands,
                                                         std::span<const Learner> learners) {
  return std::visit(Typing{operands, learners}, generator);
}

tl::expected<void, std::string> validate(const Diagram &diagram, std::span<const Learner> learners) {
  std::vector<Size> boxes;
  return validateIn(diagram, learners, boxes);
}

} // namespace attnc
