#pragma once
#include "Make.h"

#include "attnc/diagram/Parameters.h"

#include <random>

namespace attnc::make {

/// Random definitions that use every generator, in every nesting of boxes, scans and calls. With `smooth`,
/// only continuous functions act on reals, so that the result in f32 is near that in f64.
class RandomDefinition {
public:
  RandomDefinition(unsigned seed, bool smooth) : random(seed), smooth(smooth) {
    Type scalar{};
    learners = {
        {LearnerKind::Linear, "L", {realType({n})}, {realType({m})}, {}, 64, {}},
        {LearnerKind::Linear, "M", {realType({n, m}), scalar}, {realType({3})}, {}, 64, {}},
        {LearnerKind::Affine, "A", {scalar}, {realType({n})}, {n}, 64, {}},
        {LearnerKind::Affine, "B", {realType({m})}, {scalar}, {m, n}, 64, {}},
        {LearnerKind::Param, "u", {}, {realType({m})}, {}, 64, {}},
        {LearnerKind::Param, "w", {}, {scalar}, {n}, 64, {}},
        {LearnerKind::Param, "x", {}, {realType({3})}, {m, m}, 64, {}},
        {LearnerKind::Universal, "f", {scalar, realType({m})}, {realType({n})}, {}, 4, {}},
    };
  }

  Definition definition() {
    std::vector<Type> inputs;
    for (unsigned i = 0; i < 4; ++i)
      inputs.push_back(type(below(3), i == 0 ? Kind::Real : anyKind()));
    inputs.push_back(intType({anySize()}));
    return define(body(inputs, 3 + below(8), 1 + below(3), 0), learners);
  }

  Size::Values values() {
    constexpr std::int64_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 9};
    return {{"n", lengths[below(8)]}, {"m", lengths[below(8)]}};
  }

  /// Multiples of 1/4, so that sums and products are mostly exact; ints around the lengths of axes.
  Array array(const Type &type, const Size::Values &sizes) {
    std::vector<std::int64_t> shape;
    for (const Size &axis : type.axes)
      shape.push_back(*axis.evaluate(sizes));
    Array result = *Array::zeros(type.kind == Kind::Real  ? DType::F64
                                 : type.kind == Kind::Int ? DType::I64
                                                          : DType::Bool,
                                 shape);
    for (std::int64_t i = 0; i < result.elementCount(); ++i)
      if (type.kind == Kind::Real)
        result.mutableAs<double>()[i] = (int(below(17)) - 8) * 0.25;
      else if (type.kind == Kind::Int)
        result.mutableAs<std::int64_t>()[i] = int(below(9)) - 3;
      else
        result.mutableAs<std::uint8_t>()[i] = below(2);
    return result;
  }

private:
  std::mt19937 random;
  bool smooth;
  const Size n = Size::variable("n"), m = Size::variable("m");
  std::vector<Learner> learners;
  std::vector<Size> boxes; // around what is built, outermost first

  unsigned below(std::size_t bound) { return random() % bound; }
  Size anySize() { return std::array<Size, 4>{n, m, Size(3), n + Size(1)}[below(4)]; }
  Kind anyKind() { return std::array{Kind::Real, Kind::Real, Kind::Int, Kind::Bool}[below(4)]; }
  Type type(unsigned rank, Kind kind) {
    Type result{kind, {}};
    while (rank-- > 0)
      result = result.over(anySize());
    return result;
  }

  Diagram body(const std::vector<Type> &inputs, unsigned operations, unsigned outputs, unsigned depth) {
    return diagram(learners, inputs, [&](Draft &draft, std::vector<WireId> wires) {
      grow(draft, wires, operations, depth);
      std::vector<WireId> results;
      while (outputs-- > 0)
        results.push_back(wires[wires.size() - 1 - below(std::min<std::size_t>(wires.size(), 4))]);
      return results;
    });
  }
  void grow(Draft &draft, std::vector<WireId> &wires, unsigned operations, unsigned depth) {
    for (unsigned i = 0; i < operations; ++i)
      for (WireId wire : operation(draft, wires, depth))
        wires.push_back(wire);
  }

  /// A wire that `fits`, or what `otherwise` makes.
  template <class Fits, class Make>
  WireId some(Draft &draft, const std::vector<WireId> &wires, Fits &&fits, Make &&otherwise) {
    std::vector<WireId> list;
    for (WireId wire : wires)
      if (fits(draft.builder.type(wire)))
        list.push_back(wire);
    return list.empty() || below(8) == 0 ? otherwise() : list[below(list.size())];
  }
  WireId scalar(Draft &draft, const std::vector<WireId> &wires, Kind kind) {
    return some(
        draft, wires, [&](const Type &type) { return type == Type{kind, {}}; },
        [&] {
          if (kind == Kind::Int && below(2))
            return draft.one(SizeValue{anySize()}, {});
          std::variant<double, std::int64_t, bool> value = (int(below(9)) - 4) * 0.5;
          if (kind == Kind::Int)
            value = std::int64_t(below(5)) - 1;
          if (kind == Kind::Bool)
            value = bool(below(2));
          return draft.one(Const{value}, {});
        });
  }

  std::vector<WireId> operation(Draft &draft, const std::vector<WireId> &wires, unsigned depth) {
    if (below(6) == 0)
      if (auto results = learner(draft, wires); !results.empty())
        return results;
    WireId x = wires[below(wires.size())];
    const Type type = draft.builder.type(x);
    if (type.isScalar())
      return {pointwise(draft, wires, x, type.kind)};
    switch (below(12)) {
    case 0:
      if (type.kind == Kind::Real && below(2))
        return draft.all(Softmax{true}, {x, scalar(draft, wires, Kind::Real)});
      return type.kind == Kind::Real ? draft.all(Softmax{}, {x}) : loop(draft, wires, x, depth);
    case 1:
      return type.rank() > 1 ? draft.all(Transpose{}, {x}) : loop(draft, wires, x, depth);
    case 2:
      return draft.all(Reshape{axes(type)}, {x});
    case 3:
    case 4:
      return draft.all(Gather{}, {x, scalar(draft, wires, Kind::Int)});
    case 5:
      if (type.rank() == 1 && (type.kind == Kind::Int || (type.kind == Kind::Real && !smooth)))
        return draft.all(TopK{anySize()}, {x});
      return loop(draft, wires, x, depth);
    case 6:
    case 7: {
      auto indices = [&](const Type &other) { return other == intType({type.axes[0]}); };
      WireId at = some(draft, wires, indices, [&] {
        return draft.one(
            indexedBox(Cap::None, type.axes[0], {}, diagram({Type{Kind::Int, {}}}, [](Draft &, auto &w) { return w; })),
            {});
      });
      return type.kind == Kind::Bool ? loop(draft, wires, x, depth) : draft.all(Scatter{anySize()}, {at, x});
    }
    default:
      return loop(draft, wires, x, depth);
    }
  }

  std::vector<Size> axes(const Type &type) {
    Size product = 1;
    for (const Size &axis : type.axes)
      product = product * axis;
    switch (below(3)) {
    case 0:
      return {product};
    case 1:
      return {1, product, 1};
    default:
      return {type.axes.rbegin(), type.axes.rend()};
    }
  }

  /// Products and exponentials are held in bounds by tanh, so that errors do not grow without measure.
  WireId pointwise(Draft &draft, const std::vector<WireId> &wires, WireId x, Kind kind) {
    using F = PointwiseFn;
    auto other = [&](Kind wanted) { return scalar(draft, wires, wanted); };
    auto pick = [&](std::vector<F> list) { return list[below(list.size())]; };
    unsigned choice = below(10);
    if (choice == 0)
      return draft.fn(F::Where, {other(Kind::Bool), x, other(kind)});
    if (kind == Kind::Bool) {
      if (choice < 3)
        return draft.fn(F::BoolToInt, {x});
      return choice < 5 ? draft.fn(F::Not, {x})
                        : draft.fn(pick({F::And, F::Or, F::Equal, F::NotEqual}), {x, other(Kind::Bool)});
    }
    if (kind == Kind::Int) {
      if (choice < 3)
        return draft.fn(F::Tanh, {draft.fn(F::ToReal, {x})});
      if (choice == 3)
        return draft.fn(F::Uniform, {x, other(Kind::Int)});
      if (choice == 4)
        return draft.fn(pick({F::Neg, F::Abs}), {x});
      return draft.fn(
          pick({F::Add, F::Sub, F::Mul, F::FloorDiv, F::Mod, F::Min, F::Max, F::Less, F::LessEqual, F::Equal}),
          {x, other(Kind::Int)});
    }
    if (choice < 3)
      return draft.fn(F::Tanh, {draft.fn(F::Mul, {x, other(Kind::Real)})});
    if (choice < 5)
      return draft.fn(pick({F::Tanh, F::Sin, F::Cos, F::Erf, F::Abs, F::Neg}), {x});
    if (choice == 5)
      return draft.fn(F::Exp, {draft.fn(F::Tanh, {x})});
    if (choice == 6 && !smooth)
      return draft.fn(pick({F::ToInt, F::Floor}), {x});
    if (choice == 7 && !smooth)
      return draft.fn(pick({F::Less, F::LessEqual, F::Equal, F::NotEqual}), {x, other(Kind::Real)});
    return draft.fn(pick({F::Add, F::Sub, F::Min, F::Max}), {x, other(Kind::Real)});
  }

  std::vector<WireId> loop(Draft &draft, const std::vector<WireId> &wires, WireId x, unsigned depth) {
    const Size size = draft.builder.type(x).axes[0];
    std::vector<WireId> operands;
    std::vector<Mode> modes;
    std::vector<Type> inside;
    auto enter = [&](WireId wire, Mode mode) {
      const Type type = draft.builder.type(wire);
      operands.push_back(wire);
      modes.push_back(mode);
      inside.push_back(mode == Mode::Map ? type.slice() : type);
    };
    bool indexed = below(3) == 0;
    if (indexed)
      inside.push_back(intType());
    unsigned choice = below(8), states = choice == 0 ? 1 + below(2) : 0;
    for (unsigned i = 0; i < states; ++i) {
      operands.push_back(wires[below(wires.size())]);
      inside.push_back(draft.builder.type(operands.back()));
    }
    const std::vector<Type> stateTypes(inside.end() - states, inside.end());
    enter(x, Mode::Map);
    for (unsigned i = below(3); i > 0; --i) {
      WireId wire = wires[below(wires.size())];
      const Type type = draft.builder.type(wire);
      enter(wire, !type.isScalar() && type.axes[0] == size && below(3) ? Mode::Map : Mode::Share);
    }
    unsigned operations = depth > 2 ? 1 : 1 + below(4);
    if (choice == 1) {
      for (std::size_t i = 0; i < operands.size(); ++i)
        inside[indexed + i] = draft.builder.type(operands[i]);
      inside.erase(inside.begin(), inside.begin() + indexed);
      return draft.all(Call{"named", share(body(inside, operations, 1 + below(2), depth + 1))}, operands);
    }
    boxes.push_back(size);
    Diagram content = choice == 0 ? scanBody(inside, stateTypes, indexed, operations, depth)
                                  : body(inside, operations, 1 + below(2), depth + 1);
    boxes.pop_back();
    if (choice == 0)
      return draft.all(Scan{size, indexed, states, modes, share(std::move(content))}, operands);
    bool logical = true, numeric = true;
    for (const Type &type : content.outputTypes())
      (type.kind == Kind::Bool ? numeric : logical) = false;
    Cap cap = Cap::None;
    if (choice > 4 && numeric)
      cap = std::array{Cap::Sum, Cap::Sum, Cap::Prod, Cap::Max, Cap::Min}[below(5)];
    if (choice > 4 && logical)
      cap = below(2) ? Cap::Any : Cap::All;
    return draft.all(Box{cap, size, indexed, modes, share(std::move(content))}, operands);
  }

  /// The next of each state is any wire of its type, after a few operations.
  Diagram scanBody(const std::vector<Type> &inputs, const std::vector<Type> &states, bool indexed, unsigned operations,
                   unsigned depth) {
    return diagram(learners, inputs, [&](Draft &draft, std::vector<WireId> wires) {
      const std::vector<WireId> given = wires;
      grow(draft, wires, operations, depth + 1);
      std::vector<WireId> results;
      for (std::size_t i = 0; i < states.size(); ++i)
        results.push_back(some(
            draft, {wires.begin() + given.size(), wires.end()}, [&](const Type &type) { return type == states[i]; },
            [&] { return given[indexed + i]; }));
      for (unsigned i = below(3); i > 0; --i)
        results.push_back(wires[wires.size() - 1 - below(std::min<std::size_t>(wires.size(), 3))]);
      return results;
    });
  }

  std::vector<WireId> learner(Draft &draft, const std::vector<WireId> &wires) {
    LearnerId id(below(learners.size()));
    const Learner &chosen = learners[id.index()];
    Apply apply{id, {}};
    for (const Size &axis : chosen.per) {
      std::vector<unsigned> around;
      for (unsigned i = 0; i < boxes.size(); ++i)
        if (boxes[boxes.size() - 1 - i] == axis)
          around.push_back(i);
      if (around.empty())
        return {};
      apply.per.push_back(around[below(around.size())]);
    }
    std::vector<WireId> operands;
    for (const Type &type : chosen.domain) {
      std::vector<WireId> fitting;
      for (WireId wire : wires)
        if (draft.builder.type(wire) == type)
          fitting.push_back(wire);
      if (fitting.empty())
        return {};
      operands.push_back(fitting[below(fitting.size())]);
    }
    return draft.all(apply, operands);
  }
};

} // namespace attnc::make
