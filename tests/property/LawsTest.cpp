// The structural laws on random diagrams: both sides of each law have one canonical form; near misses do not.
#include "RandomDiagram.h"
#include "attnc/diagram/Equal.h"
#include "attnc/diagram/Signature.h"
#include "attnc/diagram/Transform.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

using namespace attnc;
using namespace attnc::make;
using Wires = std::vector<WireId>;

namespace {

constexpr unsigned rounds = 200;

/// A law: two ways to build a diagram on the same inputs.
void law(unsigned round, RandomDiagram &r, const std::vector<Type> &inputs, const Body &left, const Body &right) {
  Definition a = define(r.learners, inputs, left), b = define(r.learners, inputs, right);
  REQUIRE(validate(a.diagram, a.learners));
  REQUIRE(validate(b.diagram, b.learners));
  INFO("round " << round << "\n" << form(a) << "\n---\n" << form(b));
  REQUIRE(canonicalForm(a).complete);
  REQUIRE(form(a) == form(b));
  REQUIRE_FALSE(firstDifference(a, b));
}

Generator plainBox(Size size, std::string_view modes, Diagram body, bool indexed = false) {
  Box box{Cap::None, std::move(size), indexed, {}, std::make_shared<Diagram>(std::move(body))};
  for (char mode : modes)
    box.modes.push_back(mode == 'm' ? Mode::Map : Mode::Share);
  return box;
}

std::vector<Type> over(const Size &size, std::vector<Type> types) {
  for (Type &type : types)
    type = type.over(size);
  return types;
}

Wires concat(Wires a, const Wires &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The same diagram with operations in another topological order and commutative operands exchanged.
Diagram shuffled(const Diagram &diagram, RandomDiagram &r) {
  Draft draft(r.learners);
  std::vector<WireId> values(diagram.wires.size());
  for (WireId input : diagram.inputs)
    values[input.index()] = draft.input(diagram.type(input));
  std::vector<bool> done(diagram.ops.size());
  for (std::size_t left = diagram.ops.size(); left > 0;) {
    std::size_t i = r.below(diagram.ops.size());
    const Op &op = diagram.ops[i];
    if (done[i] || !std::ranges::all_of(op.operands, [&](WireId w) { return values[w.index()].valid(); }))
      continue;
    done[i] = true;
    --left;
    Wires operands;
    for (WireId wire : op.operands)
      operands.push_back(values[wire.index()]);
    Generator generator = op.generator;
    if (auto *function = std::get_if<Pointwise>(&generator); function && isCommutative(function->fn) && r.below(2))
      std::reverse(operands.begin(), operands.end());
    if (auto *box = std::get_if<Box>(&generator))
      box->body = std::make_shared<Diagram>(shuffled(*box->body, r));
    Wires results = draft.all(generator, operands);
    for (std::size_t j = 0; j < results.size(); ++j)
      values[op.results[j].index()] = results[j];
  }
  Wires outputs;
  for (WireId wire : diagram.outputs)
    outputs.push_back(values[wire.index()]);
  return draft.finish(outputs);
}

/// Which wires the chosen outputs read, also through bodies: a box need not read all that enters it.
std::vector<bool> read(const Diagram &diagram, const std::vector<bool> &outputs) {
  std::vector<bool> wires(diagram.wires.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i])
      wires[diagram.outputs[i].index()] = true;
  for (std::size_t i = diagram.ops.size(); i-- > 0;) {
    const Op &op = diagram.ops[i];
    std::vector<bool> results;
    for (WireId wire : op.results)
      results.push_back(wires[wire.index()]);
    if (std::ranges::find(results, true) == results.end())
      continue;
    auto *box = std::get_if<Box>(&op.generator);
    std::vector<bool> inside = box ? read(*box->body, results) : std::vector<bool>();
    for (std::size_t j = 0; j < op.operands.size(); ++j)
      if (!box || inside[box->body->inputs[j + box->indexed].index()])
        wires[op.operands[j].index()] = true;
  }
  return wires;
}

} // namespace

TEST_CASE("the order in which operations are written is nothing", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    std::vector<Type> inputs = r.types(3);
    Diagram f = r.diagram(inputs, 8, 2);
    law(
        i, r, inputs, [&](Draft &b, auto x) { return b.copy(f, x); },
        [&](Draft &b, auto x) { return b.copy(shuffled(f, r), x); });
  }
}

TEST_CASE("copy is natural: f ; copy = copy ; (f @ f)", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    std::vector<Type> inputs = r.types(3);
    Diagram f = r.diagram(inputs, 6, 2);
    law(
        i, r, inputs,
        [&](Draft &b, auto x) {
          Wires y = b.copy(f, x);
          return concat(y, y);
        },
        [&](Draft &b, auto x) {
          Wires y = b.copy(f, x);
          return concat(y, b.copy(f, x));
        });
  }
}

TEST_CASE("a named box is what it holds", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    std::vector<Type> inputs = r.types(3);
    Diagram f = r.diagram(inputs, 6, 2);
    law(
        i, r, inputs, [&](Draft &b, auto x) { return b.copy(f, x); },
        [&](Draft &b, auto x) { return b.all(Call{"f", std::make_shared<Diagram>(f)}, x); });
  }
}

TEST_CASE("labels and numbers of learners are nothing", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    std::vector<Type> inputs = r.types(2);
    Diagram f = r.diagram(inputs, 10, 2);
    std::vector<Learner> table(r.learners.size());
    std::vector<LearnerId> order;
    for (std::size_t j = 0; j < table.size(); ++j)
      order.push_back(LearnerId(j));
    std::shuffle(order.begin(), order.end(), r.random);
    for (std::size_t j = 0; j < table.size(); ++j) {
      table[order[j].index()] = r.learners[j];
      table[order[j].index()].label = "z" + std::to_string(j);
    }
    REQUIRE(form(definition(f, r.learners)) == form(definition(renumberLearners(f, order), table)));
  }
}

TEST_CASE("a box of a composite is the composite of boxes", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    std::vector<Type> inputs{r.type(r.below(2)), r.type(r.below(2))};
    Diagram f = r.diagram(inputs, 4, 2), g = r.diagram(f.outputTypes(), 4, 2);
    law(
        i, r, over(n, inputs),
        [&](Draft &b, auto x) {
          return b.all(
              plainBox(n, "mm", diagram(r.learners, inputs, [&](Draft &c, auto y) { return c.copy(g, c.copy(f, y)); })),
              x);
        },
        [&](Draft &b, auto x) { return b.all(plainBox(n, "mm", g), b.all(plainBox(n, "mm", f), x)); });
  }
}

TEST_CASE("a box of a tensor is the tensor of boxes; of nothing, nothing", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    Type s = r.type(r.below(2)), t = r.type(r.below(2)), u = r.type(1);
    Diagram f = r.diagram({s}, 4, 1), g = r.diagram({t}, 4, 1);
    law(
        i, r, over(n, {s, t, u}),
        [&](Draft &b, auto x) {
          return b.all(plainBox(n, "mmm",
                                diagram(r.learners, {s, t, u},
                                        [&](Draft &c, auto y) {
                                          return Wires{c.copy(f, {y[0]})[0], c.copy(g, {y[1]})[0], y[2]};
                                        })),
                       x);
        },
        [&](Draft &b, auto x) {
          return Wires{b.all(plainBox(n, "m", f), {x[0]})[0], b.all(plainBox(n, "m", g), {x[1]})[0], x[2]};
        });
  }
}

TEST_CASE("what does not use the axis leaves the box", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    std::vector<Type> shared = r.types(2);
    Diagram f = r.diagram(shared, 4, 1);
    Type t = r.type(r.below(2));
    Diagram g = r.diagram({t, f.outputTypes()[0]}, 4, 2);
    std::vector<Type> outer{t.over(n), shared[0], shared[1]};
    law(
        i, r, outer,
        [&](Draft &b, auto x) {
          return b.all(
              plainBox(n, "mss",
                       diagram(r.learners, {t, shared[0], shared[1]},
                               [&](Draft &c, auto y) { return c.copy(g, {y[0], c.copy(f, {y[1], y[2]})[0]}); })),
              x);
        },
        [&](Draft &b, auto x) { return b.all(plainBox(n, "ms", g), {x[0], b.copy(f, {x[1], x[2]})[0]}); });
  }
}

TEST_CASE("sharing a wire is mapping its broadcast", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    Type s = r.type(r.below(2)), t = r.type(r.below(3));
    Diagram f = r.diagram({s, t}, 5, 1);
    Diagram id = diagram(r.learners, {t}, [](Draft &, auto x) { return x; });
    law(
        i, r, {s.over(n), t}, [&](Draft &b, auto x) { return b.all(plainBox(n, "ms", f), x); },
        [&](Draft &b, auto x) { return b.all(plainBox(n, "mm", f), {x[0], b.add(plainBox(n, "s", id), {x[1]})}); });
  }
}

TEST_CASE("gathering at the index of a box of the same size is mapping", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    Type t = r.type(r.below(2));
    Diagram f = r.diagram({t}, 5, 1);
    law(
        i, r, {t.over(n)}, [&](Draft &b, auto x) { return b.all(plainBox(n, "m", f), x); },
        [&](Draft &b, auto x) {
          return b.all(plainBox(n, "s",
                                diagram(r.learners, {{Kind::Int, {}}, t.over(n)},
                                        [&](Draft &c, auto y) { return c.copy(f, {c.add(Gather{}, {y[1], y[0]})}); }),
                                true),
                       x);
        });
  }
}

TEST_CASE("transposing twice is nothing, and exchanges nested boxes", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize(), m = r.anySize();
    Type t = r.type(r.below(2));
    Diagram f = r.diagram({t}, 4, 1);
    auto twice = [&](Draft &b, Size outer, Size inner, WireId x) {
      Diagram nested =
          diagram(r.learners, {t.over(inner)}, [&](Draft &c, auto y) { return c.all(plainBox(inner, "m", f), y); });
      return b.add(plainBox(outer, "m", nested), {x});
    };
    law(
        i, r, {t.over(n).over(m)}, [&](Draft &b, auto x) { return Wires{twice(b, m, n, x[0])}; },
        [&](Draft &b, auto x) { return Wires{b.add(Transpose{}, {twice(b, n, m, b.add(Transpose{}, x))})}; });
  }
}

TEST_CASE("a capped box folds the plain one, result by result", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    std::vector<Type> inputs{r.type(r.below(2)), r.type(r.below(2))};
    Diagram f = r.diagram(inputs, 5, 2);
    Cap cap = r.below(2) ? Cap::Sum : Cap::Min;
    law(
        i, r, over(n, inputs),
        [&](Draft &b, auto x) {
          Box box = std::get<Box>(plainBox(n, "mm", f));
          box.cap = cap;
          return b.all(box, x);
        },
        [&](Draft &b, auto x) {
          Wires y = b.all(plainBox(n, "mm", f), x);
          for (WireId &wire : y) {
            Type t = b.type(wire).slice();
            Box fold = std::get<Box>(plainBox(n, "m", diagram(r.learners, {t}, [](Draft &, auto z) { return z; })));
            fold.cap = cap;
            wire = b.add(fold, {wire});
          }
          return y;
        });
  }
}

TEST_CASE("a reshape of a reshape is one, and back is none", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Type t = r.type(2);
    Size all = t.axes[0] * t.axes[1];
    law(
        i, r, {t},
        [&](Draft &b, auto x) {
          WireId flat = b.add(Reshape{{all}}, x);
          return Wires{b.add(Reshape{{t.axes[1], t.axes[0]}}, {flat}), b.add(Reshape{t.axes}, {flat})};
        },
        [&](Draft &b, auto x) { return Wires{b.add(Reshape{{t.axes[1], t.axes[0]}}, x), x[0]}; });
  }
}

TEST_CASE("a scan keeps what its results need", "[laws]") {
  for (unsigned i = 0; i < rounds; ++i) {
    RandomDiagram r(i);
    Size n = r.anySize();
    Diagram f = r.diagram({scalar, scalar}, 4, 1), g = r.diagram({scalar, scalar}, 4, 1),
            pre = r.diagram({scalar}, 3, 1);
    // Diagrams of scalars give scalars unless a box made an axis, and none of these can.
    auto scan = [&](bool extra, bool fused) {
      unsigned states = 1 + extra;
      std::vector<Type> inner(states + 1, scalar);
      Diagram body = diagram(r.learners, inner, [&](Draft &c, auto y) {
        WireId x = fused ? c.copy(pre, {y[states]})[0] : y[states];
        Wires out{c.copy(f, {y[0], x})[0]};
        if (extra)
          out.push_back(c.copy(g, {y[1], x})[0]);
        out.push_back(c.copy(g, {y[0], x})[0]);
        return out;
      });
      return Scan{n, false, states, {Mode::Map}, std::make_shared<Diagram>(std::move(body))};
    };
    law(
        i, r, {scalar, scalar.over(n)},
        [&](Draft &b, auto x) {
          Wires y = b.all(scan(true, true), {x[0], x[0], x[1]});
          return Wires{y[0], y[1]};
        },
        [&](Draft &b, auto x) { return b.all(scan(false, false), {x[0], b.add(plainBox(n, "m", pre), {x[1]})}); });
  }
}

TEST_CASE("one operation changed is another diagram", "[near-miss]") {
  unsigned changed = 0;
  for (unsigned i = 0; i < 8 * rounds; ++i) {
    RandomDiagram r(i);
    std::vector<Type> inputs = r.types(3);
    Diagram f = r.diagram(inputs, 8, 2);
    Diagram g = f;
    if (g.ops.empty())
      continue;
    Op &op = g.ops[r.below(g.ops.size())];
    std::vector<bool> needed = read(f, std::vector<bool>(f.outputs.size(), true));
    if (std::ranges::none_of(op.results, [&](WireId wire) { return needed[wire.index()]; }))
      continue;
    if (auto *fn = std::get_if<Pointwise>(&op.generator); fn && op.operands.size() == 1)
      fn->fn = fn->fn == PointwiseFn::Exp ? PointwiseFn::Tanh : PointwiseFn::Sqrt;
    else if (fn && fn->fn == PointwiseFn::Sub && op.operands[0] != op.operands[1])
      std::swap(op.operands[0], op.operands[1]);
    else if (auto *box = std::get_if<Box>(&op.generator); box && box->cap == Cap::Max)
      box->cap = Cap::Min;
    else if (auto *apply = std::get_if<Apply>(&op.generator); apply && apply->learner.index() < 2)
      op.generator = Pointwise{PointwiseFn::Cos};
    else
      continue;
    Definition a = definition(f, r.learners), b = definition(g, r.learners);
    // x - y and y - x are one when x and y are.
    if (std::holds_alternative<Pointwise>(op.generator) && op.operands.size() == 2 && form(a) == form(b)) {
      auto only = [&](WireId wire) {
        Definition c = a;
        c.diagram.outputs = {wire};
        return form(c);
      };
      REQUIRE(only(op.operands[0]) == only(op.operands[1]));
      continue;
    }
    ++changed;
    INFO("round " << i << "\n" << form(a) << "\n---\n" << form(b));
    REQUIRE(form(a) != form(b));
    auto difference = firstDifference(a, b);
    REQUIRE(difference);
    REQUIRE(difference->message.find("entangled") == std::string::npos);
  }
  REQUIRE(changed > rounds);
}

TEST_CASE("scans, slices and sizes that differ are told apart", "[near-miss]") {
  const Size n = size("n"), m = size("m");
  const std::vector<Learner> none;
  auto different = [&](const std::vector<Type> &inputs, const Body &left, const Body &right) {
    return form(define(none, inputs, left)) != form(define(none, inputs, right));
  };
  Diagram id = diagram(none, {scalar}, [](Draft &, auto x) { return x; });
  CHECK(different(
      {real({n, n})}, [](Draft &, auto x) { return x; }, [](Draft &b, auto x) { return b.all(Transpose{}, x); }));
  // gathering at the index of a box of another size drops or pads
  CHECK(different(
      {real({n})},
      [&](Draft &b, auto x) {
        Diagram at = diagram(none, {{Kind::Int, {}}, real({n})},
                             [](Draft &c, auto y) { return Wires{c.add(Gather{}, {y[1], y[0]})}; });
        return Wires{b.add(Reshape{{Size(1), m}}, {b.add(plainBox(m, "s", at, true), x)})};
      },
      [&](Draft &b, auto x) {
        Diagram at = diagram(none, {{Kind::Int, {}}, real({n})}, [](Draft &c, auto y) {
          return Wires{c.add(Gather{}, {y[1], c.add(Const{std::int64_t(0)}, {})})};
        });
        return Wires{b.add(Reshape{{Size(1), m}}, {b.add(plainBox(m, "s", at, true), x)})};
      }));
  // x[i][j] and x[j][i] inside the same two boxes
  auto twice = [&](bool exchanged) {
    return [&, exchanged](Draft &b, Wires x) {
      Diagram inner = diagram(none, {{Kind::Int, {}}, {Kind::Int, {}}, real({n, n})}, [&](Draft &c, auto y) {
        return Wires{c.add(Gather{}, {c.add(Gather{}, {y[2], y[exchanged]}), y[!exchanged]})};
      });
      Diagram outer = diagram(none, {{Kind::Int, {}}, real({n, n})},
                              [&](Draft &c, auto y) { return Wires{c.add(plainBox(n, "ss", inner, true), y)}; });
      return Wires{b.add(plainBox(n, "s", outer, true), x)};
    };
  };
  CHECK(different({real({n, n})}, twice(false), twice(true)));
  CHECK_FALSE(different({real({n, n})}, twice(false), [](Draft &b, auto x) { return b.all(Transpose{}, x); }));
  CHECK_FALSE(different({real({n, n})}, twice(true), [](Draft &, auto x) { return x; }));
}
