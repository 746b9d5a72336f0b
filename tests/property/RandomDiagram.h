#pragma once
#include "Make.h"

namespace attnc::make {

/// Random diagrams over reals of rank 0 to 2, with boxes, folds, learners and the structural generators.
class RandomDiagram {
public:
  explicit RandomDiagram(unsigned seed) : random(seed) {
    learners = {universal("f"), universal("g"), universal("p", 2), {LearnerKind::Param, "u", {}, {scalar}, {}, 64, {}}};
  }

  std::mt19937 random;
  std::vector<Learner> learners;
  const std::vector<Size> sizes{Size::variable("n"), Size::variable("m"), Size(3)};

  unsigned below(std::size_t bound) { return random() % bound; }
  Size anySize() { return sizes[below(sizes.size())]; }
  Type type(unsigned rank) {
    Type result;
    while (rank-- > 0)
      result = result.over(anySize());
    return result;
  }
  std::vector<Type> types(std::size_t count) {
    std::vector<Type> result;
    while (count-- > 0)
      result.push_back(type(below(3)));
    return result;
  }

  /// Grows the wires by `count` operations.
  void grow(Draft &draft, std::vector<WireId> &wires, unsigned count, unsigned depth = 0) {
    for (unsigned i = 0; i < count; ++i)
      for (WireId wire : operation(draft, wires, depth))
        wires.push_back(wire);
  }

  Diagram diagram(const std::vector<Type> &inputs, unsigned operations, unsigned outputs, unsigned depth = 0,
                  bool indexed = false) {
    std::vector<Type> all = inputs;
    if (indexed)
      all.insert(all.begin(), Type{Kind::Int, {}});
    return make::diagram(learners, all, [&](Draft &draft, std::vector<WireId> wires) {
      if (indexed)
        wires[0] = draft.fn(PointwiseFn::ToReal, {wires[0]});
      grow(draft, wires, operations, depth);
      std::vector<WireId> results;
      for (unsigned i = 0; i < outputs; ++i) // mostly late wires, so that most of it is needed
        results.push_back(wires[wires.size() - 1 - below(std::min<std::size_t>(wires.size(), 3))]);
      return results;
    });
  }

  std::vector<WireId> operation(Draft &draft, const std::vector<WireId> &wires, unsigned depth) {
    WireId x = wires.empty() ? draft.add(Const{0.5}, {}) : wires[below(wires.size())];
    Type type = draft.type(x);
    if (type.isScalar())
      return scalarOperation(draft, wires, x);
    unsigned choice = below(8);
    if (choice == 0 && type.kind == Kind::Real)
      return draft.all(Softmax{}, {x});
    if (choice == 1 && type.rank() > 1)
      return draft.all(Transpose{}, {x});
    if (choice == 2 && type.rank() == 2)
      return draft.all(Reshape{{type.axes[0] * type.axes[1]}}, {x});
    if (choice == 3)
      return draft.all(Gather{}, {x, draft.add(Const{std::int64_t(below(3))}, {})});
    auto [box, operands] = boxOver(draft, wires, x, depth);
    return draft.all(box, operands);
  }

private:
  std::vector<WireId> scalarOperation(Draft &draft, const std::vector<WireId> &wires, WireId x) {
    std::vector<WireId> scalars;
    for (WireId wire : wires)
      if (draft.type(wire).isScalar())
        scalars.push_back(wire);
    WireId y = scalars.empty() ? x : scalars[below(scalars.size())];
    switch (below(8)) {
    case 0:
      return draft.all(Pointwise{PointwiseFn::Exp}, {x});
    case 1:
      return draft.all(Pointwise{PointwiseFn::Tanh}, {x});
    case 2:
    case 3:
      return draft.all(Pointwise{PointwiseFn::Add}, {x, y});
    case 4:
      return draft.all(Pointwise{PointwiseFn::Sub}, {x, y});
    case 5:
      return draft.all(Apply{LearnerId(2), {}}, {x, y});
    case 6:
      return draft.all(Pointwise{PointwiseFn::Mul}, {x, draft.add(Apply{LearnerId(3), {}}, {})});
    default:
      return draft.all(Apply{LearnerId(below(2)), {}}, {x});
    }
  }

  std::pair<Box, std::vector<WireId>> boxOver(Draft &draft, const std::vector<WireId> &wires, WireId x,
                                              unsigned depth) {
    Box box;
    box.size = draft.type(x).axes[0];
    box.cap = below(3) ? Cap::None : below(2) ? Cap::Sum : Cap::Max;
    box.indexed = below(3) == 0;
    std::vector<WireId> operands;
    std::vector<Type> inside;
    auto enter = [&](WireId wire, Mode mode) {
      operands.push_back(wire);
      box.modes.push_back(mode);
      inside.push_back(mode == Mode::Map ? draft.type(wire).slice() : draft.type(wire));
    };
    enter(x, Mode::Map);
    for (unsigned i = 0; i < 2; ++i) {
      WireId wire = wires[below(wires.size())];
      bool maps = !draft.type(wire).isScalar() && draft.type(wire).axes[0] == box.size;
      if (below(2))
        enter(wire, maps && below(3) ? Mode::Map : Mode::Share);
    }
    box.body = std::make_shared<Diagram>(diagram(inside, depth > 1 ? 1 : 1 + below(3), 1, depth + 1, box.indexed));
    return {box, operands};
  }
};

} // namespace attnc::make
