#include "RandomDiagram.h"

#include "attnc/diagram/Parameters.h"

#include <algorithm>

namespace attnc::make {

namespace {

class Maker {
public:
  Maker(unsigned seed, bool special) : random(seed), special(special) {
    for (const char *name : {"a", "b", "c"})
      sample.sizes[name] = Ints{0, 1, 1, 2, 2, 3, 3, 5}[below(8)];
  }

  Sample make() {
    std::vector<Type> types;
    for (std::size_t k = 1 + below(4); k > 0; --k)
      types.push_back(type(3));
    types.push_back(realType({size()}));
    types.push_back(realType({size(), size()}));
    Draft draft(learners);
    std::vector<WireId> pool;
    for (const Type &t : types)
      pool.push_back(draft.builder.input(t, "x" + std::to_string(pool.size())));
    std::vector<WireId> outputs = grow(draft, pool, 8, 0);
    sample.definition = define(std::move(draft.builder).finish(outputs), learners);
    for (const Type &t : types)
      sample.inputs.push_back(values(t));
    for (const Parameter &parameter : parametersOf(sample.definition))
      sample.parameters.push_back(values(parameter.type));
    return std::move(sample);
  }

private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); }
  bool chance(double p) { return std::bernoulli_distribution(p)(random); }
  Size size() {
    const std::size_t k = below(8);
    return k < 6 ? Size::variable(std::string(1, char('a' + k % 3))) : k == 6 ? Size(2) : Size::variable("a") + Size(1);
  }
  Type type(std::size_t maxRank) {
    Type t{chance(0.6) ? Kind::Real : chance(0.6) ? Kind::Int : Kind::Bool, {}};
    for (std::size_t k = below(maxRank + 1); k > 0; --k)
      t.axes.push_back(size());
    return t;
  }

  Array values(const Type &t) {
    Ints shape;
    std::int64_t count = 1;
    for (const Size &axis : t.axes)
      count *= shape.emplace_back(*axis.evaluate(sample.sizes));
    if (t.kind == Kind::Int) {
      Ints cells;
      while (std::int64_t(cells.size()) < count)
        cells.push_back(std::int64_t(below(9)) - 3);
      return integers(shape, cells);
    }
    if (t.kind == Kind::Bool) {
      std::vector<bool> cells;
      while (std::int64_t(cells.size()) < count)
        cells.push_back(chance(0.5));
      return truths(shape, cells);
    }
    Reals cells;
    while (std::int64_t(cells.size()) < count)
      cells.push_back(special && chance(0.08) ? Reals{inf, -inf, NaN}[below(3)] : (double(below(17)) - 8) / 4);
    return reals(shape, cells);
  }

  /// A wire of the pool that the test admits, the later ones more often; none when there is none.
  template <class Test> std::optional<WireId> pick(Draft &d, const std::vector<WireId> &pool, Test &&test) {
    std::vector<WireId> fits;
    for (WireId wire : pool)
      if (test(d.builder.type(wire)))
        fits.push_back(wire);
    if (fits.empty())
      return std::nullopt;
    return fits[std::max(below(fits.size()), below(fits.size()))];
  }

  /// Adds operations to the pool, and returns some wires of it.
  std::vector<WireId> grow(Draft &d, std::vector<WireId> &pool, std::size_t count, std::size_t depth) {
    for (std::size_t k = 0; k < count; ++k)
      step(d, pool, depth);
    std::vector<WireId> outputs;
    for (std::size_t k = 1 + below(3); k > 0 && !pool.empty(); --k)
      outputs.push_back(pool[std::max(below(pool.size()), below(pool.size()))]);
    return outputs;
  }

  void step(Draft &d, std::vector<WireId> &pool, std::size_t depth) {
    const std::size_t before = pool.size();
    auto put = [&](const std::vector<WireId> &wires) {
      for (WireId wire : wires)
        if (d.builder.type(wire).rank() <= 4)
          pool.push_back(wire);
    };
    auto ranked = [](std::size_t least, std::size_t most = 9) {
      return [=](const Type &t) { return t.rank() >= least && t.rank() <= most; };
    };
    switch (below(depth < 3 ? 20 : 12)) {
    case 0:
      return put({d.one(Const{double(below(9)) / 2 - 2}, {}), d.one(Const{std::int64_t(below(5))}, {}),
                  d.one(Const{chance(0.5)}, {})});
    case 1:
      return put({d.one(SizeValue{size()}, {})});
    case 2: {
      auto x = pick(d, pool, ranked(1));
      auto i = pick(d, pool, [](const Type &t) { return t == intType(); });
      if (x && i)
        put({d.one(Gather{}, {*x, *i})});
      return;
    }
    case 3: {
      auto i = pick(d, pool, [](const Type &t) { return t.kind == Kind::Int && t.rank() == 1; });
      if (!i)
        return;
      const Size length = d.builder.type(*i).axes[0];
      if (auto x =
              pick(d, pool, [&](const Type &t) { return t.kind != Kind::Bool && t.rank() > 0 && t.axes[0] == length; }))
        put({d.one(Scatter{size()}, {*i, *x})});
      return;
    }
    case 4:
      if (auto x = pick(d, pool, [](const Type &t) { return t.kind != Kind::Bool && t.rank() == 1; }))
        put(d.all(TopK{size()}, {*x}));
      return;
    case 5: {
      auto x = pick(d, pool, [](const Type &t) { return t.kind == Kind::Real && t.rank() > 0; });
      auto sink = pick(d, pool, [](const Type &t) { return t == realType(); });
      if (x)
        put({sink && chance(0.5) ? d.one(Softmax{true}, {*x, *sink}) : d.one(Softmax{}, {*x})});
      return;
    }
    case 6:
      if (auto x = pick(d, pool, ranked(2)))
        put({d.one(Transpose{}, {*x})});
      return;
    case 7:
      if (auto x = pick(d, pool, ranked(0, 3))) {
        std::vector<Size> axes = d.builder.type(*x).axes;
        if (axes.size() >= 2 && chance(0.6)) {
          axes[0] = axes[0] * axes[1];
          axes.erase(axes.begin() + 1);
        } else {
          axes.insert(axes.begin() + below(axes.size() + 1), Size(1));
        }
        put({d.one(Reshape{axes}, {*x})});
      }
      return;
    case 8:
    case 9:
    case 10:
    case 11:
      function(d, pool);
      if (pool.size() == before && depth < 3)
        box(d, pool, depth);
      return;
    case 12:
      return scan(d, pool, depth);
    case 13:
      return call(d, pool, depth);
    case 14:
    case 15:
      return learner(d, pool);
    default:
      return box(d, pool, depth);
    }
  }

  void function(Draft &d, std::vector<WireId> &pool) {
    const PointwiseFn fn = PointwiseFn(below(std::size_t(PointwiseFn::Uniform) + 1));
    for (int attempt = 0; attempt < 6; ++attempt) {
      std::vector<WireId> operands;
      std::vector<Kind> kinds;
      while (operands.size() < info(fn).arity) {
        auto x = pick(d, pool, [](const Type &t) { return t.isScalar(); });
        if (!x)
          return;
        operands.push_back(*x);
        kinds.push_back(d.builder.type(*x).kind);
      }
      if (resultKind(fn, kinds))
        return pool.push_back(d.fn(fn, operands));
    }
  }

  /// Wires that enter a body along `size`, with their modes and the types inside.
  struct Entry {
    std::vector<WireId> wires;
    std::vector<Mode> modes;
    std::vector<Type> inside;
  };
  Entry entry(Draft &d, const std::vector<WireId> &pool, const Size &size) {
    Entry e;
    for (std::size_t k = 1 + below(4); k > 0 && !pool.empty(); --k) {
      const WireId wire = pool[below(pool.size())];
      const Type &t = d.builder.type(wire);
      const bool map = t.rank() > 0 && t.axes[0] == size && chance(0.8);
      e.wires.push_back(wire);
      e.modes.push_back(map ? Mode::Map : Mode::Share);
      e.inside.push_back(map ? t.slice() : t);
    }
    return e;
  }
  Size lengthFrom(Draft &d, const std::vector<WireId> &pool) {
    auto x = pick(d, pool, [](const Type &t) { return t.rank() > 0; });
    return x && chance(0.9) ? d.builder.type(*x).axes[0] : size();
  }

  void box(Draft &d, std::vector<WireId> &pool, std::size_t depth) {
    const Size length = lengthFrom(d, pool);
    Entry e = entry(d, pool, length);
    const bool indexed = chance(0.4);
    if (indexed)
      e.inside.insert(e.inside.begin(), intType());
    Cap cap = Cap::None;
    boxes.push_back(length);
    Diagram body = diagram(learners, e.inside, [&](Draft &in, std::vector<WireId> inner) {
      if (!indexed && e.inside.size() >= 2 && chance(0.3) && e.inside[0] == realType() && e.inside[1] == realType()) {
        cap = Cap::Sum;
        return std::vector{in.fn(PointwiseFn::Mul, {inner[0], inner[1]})};
      }
      std::vector<WireId> outputs = grow(in, inner, 1 + below(5), depth + 1);
      if (chance(0.6) && !outputs.empty()) {
        const bool logical = in.builder.type(outputs[0]).kind == Kind::Bool;
        cap = logical ? (chance(0.5) ? Cap::Any : Cap::All) : Cap(1 + below(4));
        std::erase_if(outputs, [&](WireId w) { return (in.builder.type(w).kind == Kind::Bool) != logical; });
      }
      return outputs;
    });
    boxes.pop_back();
    for (WireId wire : d.all(Box{cap, length, indexed, e.modes, share(std::move(body))}, e.wires))
      if (d.builder.type(wire).rank() <= 4)
        pool.push_back(wire);
  }

  void scan(Draft &d, std::vector<WireId> &pool, std::size_t depth) {
    const Size length = lengthFrom(d, pool);
    Entry e = entry(d, pool, length);
    std::vector<WireId> states;
    for (std::size_t k = 1 + below(2); k > 0; --k)
      if (auto state = pick(d, pool, [](const Type &t) { return t.rank() <= 1; }))
        states.push_back(*state);
    const bool indexed = chance(0.3);
    std::vector<Type> inside(indexed, intType());
    for (WireId state : states)
      inside.push_back(d.builder.type(state));
    inside.insert(inside.end(), e.inside.begin(), e.inside.end());
    boxes.push_back(length);
    Diagram body = diagram(learners, inside, [&](Draft &in, std::vector<WireId> inner) {
      std::vector<WireId> results = grow(in, inner, 2 + below(5), depth + 1), outputs;
      for (std::size_t k = 0; k < states.size(); ++k)
        outputs.push_back(*pick(in, inner, [&](const Type &t) { return t == inside[indexed + k]; }));
      outputs.insert(outputs.end(), results.begin(), results.end());
      return outputs;
    });
    boxes.pop_back();
    std::vector<WireId> operands = states;
    operands.insert(operands.end(), e.wires.begin(), e.wires.end());
    for (WireId wire : d.all(Scan{length, indexed, unsigned(states.size()), e.modes, share(std::move(body))}, operands))
      if (d.builder.type(wire).rank() <= 4)
        pool.push_back(wire);
  }

  void call(Draft &d, std::vector<WireId> &pool, std::size_t depth) {
    std::vector<WireId> wires;
    std::vector<Type> types;
    for (std::size_t k = 1 + below(3); k > 0 && !pool.empty(); --k) {
      wires.push_back(pool[below(pool.size())]);
      types.push_back(d.builder.type(wires.back()));
    }
    Diagram body =
        diagram(learners, types, [&](Draft &in, std::vector<WireId> inner) { return grow(in, inner, 3, depth + 1); });
    for (WireId wire : d.all(Call{"inner", share(std::move(body))}, wires))
      pool.push_back(wire);
  }

  void learner(Draft &d, std::vector<WireId> &pool) {
    Learner l;
    l.kind = LearnerKind(below(4));
    l.label = "L" + std::to_string(learners.size());
    l.width = Size(3);
    std::vector<WireId> operands;
    for (std::size_t k = l.kind == LearnerKind::Param ? 0 : below(4); k > 0; --k)
      if (auto x = pick(d, pool, [](const Type &t) { return t.kind == Kind::Real && t.rank() <= 2; })) {
        operands.push_back(*x);
        l.domain.push_back(d.builder.type(*x));
      }
    l.codomain.push_back(realType());
    for (std::size_t k = below(3); k > 0; --k)
      l.codomain[0].axes.push_back(size());
    std::vector<unsigned> per;
    for (unsigned k = 0; k < boxes.size(); ++k)
      if (chance(0.35)) {
        per.push_back(k);
        l.per.push_back(boxes[boxes.size() - 1 - k]);
      }
    learners.push_back(std::move(l));
    pool.push_back(d.one(Apply{LearnerId(learners.size() - 1), per}, operands));
  }

  std::mt19937 random;
  bool special;
  std::vector<Learner> learners;
  std::vector<Size> boxes;
  Sample sample;
};

} // namespace

Sample randomSample(unsigned seed, bool special) { return Maker(seed, special).make(); }

} // namespace attnc::make
