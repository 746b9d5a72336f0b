#include "Mechanisms.h"

#include "attnc/diagram/Builder.h"

#include <functional>
#include <random>
#include <stdexcept>

namespace attnc::test {

namespace {

const Size n = Size::variable("n"), m = Size::variable("m"), d = Size::variable("d"), e = Size::variable("e");
const Size p = Size::variable("p"), c = Size::variable("c"), r = Size::variable("r"), h = Size::variable("h");
const Type scalar{}, intScalar{Kind::Int, {}};
Type reals(std::vector<Size> axes) { return {Kind::Real, std::move(axes)}; }

/// Writing diagrams in C++ with names: a wire, or the failure of the test.
struct Scope {
  const std::vector<Learner> &learners;
  Builder b{learners};
  explicit Scope(const std::vector<Learner> &learners) : learners(learners) {}

  WireId in(Type type, std::string name) { return b.input(std::move(type), std::move(name)); }
  std::vector<WireId> all(Generator g, std::vector<WireId> operands) {
    auto result = b.add(std::move(g), std::move(operands));
    if (!result)
      throw std::logic_error(result.error());
    return *result;
  }
  WireId one(Generator g, std::vector<WireId> operands, const std::string &name = "") {
    WireId wire = all(std::move(g), std::move(operands)).front();
    if (!name.empty())
      b.suggestName(wire, name);
    return wire;
  }
  WireId fn(PointwiseFn f, std::vector<WireId> operands) { return one(Pointwise{f}, std::move(operands)); }
  WireId number(double value) { return one(Const{value}, {}); }

  using Body = std::function<std::vector<WireId>(Scope &, const std::vector<WireId> &)>;
  /// The wires enter under their own names; `index` names the index wire.
  std::vector<WireId> box(Cap cap, Size size, std::vector<WireId> mapped, std::vector<WireId> shared, const Body &body,
                          const std::string &index = "") {
    Scope inner(learners);
    Box result{cap, size, !index.empty(), {}, nullptr};
    if (result.indexed)
      inner.in(intScalar, index);
    std::vector<WireId> operands, inputs;
    for (bool map : {true, false})
      for (WireId wire : map ? mapped : shared) {
        inputs.push_back(inner.in(map ? b.type(wire).slice() : b.type(wire), b.name(wire)));
        result.modes.push_back(map ? Mode::Map : Mode::Share);
        operands.push_back(wire);
      }
    if (result.indexed)
      inputs.push_back(WireId(0));
    std::vector<WireId> outputs = body(inner, inputs);
    result.body = std::make_shared<Diagram>(std::move(inner.b).finish(outputs));
    return all(std::move(result), operands);
  }
  WireId simd(Size size, std::vector<WireId> mapped, std::vector<WireId> shared, const Body &body,
              const std::string &name = "", const std::string &index = "") {
    WireId wire = box(Cap::None, size, mapped, shared, body, index).front();
    if (!name.empty())
      b.suggestName(wire, name);
    return wire;
  }
  WireId lift(PointwiseFn f, Size size, std::vector<WireId> mapped, std::vector<WireId> shared = {}) {
    return simd(size, mapped, shared, [&](Scope &s, auto &w) { return std::vector{s.fn(f, w)}; });
  }
  WireId call(const std::string &name, std::vector<WireId> operands, const Body &body) {
    Scope inner(learners);
    std::vector<WireId> inputs;
    for (WireId wire : operands)
      inputs.push_back(inner.in(b.type(wire), b.name(wire)));
    std::vector<WireId> outputs = body(inner, inputs);
    return one(Call{name, std::make_shared<Diagram>(std::move(inner.b).finish(outputs))}, operands);
  }
  WireId dot(WireId x, WireId y) {
    return call("dot", {x, y}, [&](Scope &s, auto &w) {
      return s.box(Cap::Sum, s.b.type(w[0]).axes[0], w, {},
                   [](Scope &t, auto &v) { return std::vector{t.fn(PointwiseFn::Mul, v)}; });
    });
  }
  WireId outer(WireId x, WireId y) {
    return call("outer", {x, y}, [&](Scope &s, auto &w) {
      return std::vector{s.simd(s.b.type(w[0]).axes[0], {w[0]}, {w[1]}, [](Scope &t, auto &v) {
        return std::vector{t.lift(PointwiseFn::Mul, t.b.type(v[1]).axes[0], {v[1]}, {v[0]})};
      })};
    });
  }
  WireId sqrtOf(Size size) { return fn(PointwiseFn::Sqrt, {fn(PointwiseFn::ToReal, {one(SizeValue{size}, {})})}); }
};

Definition definition(std::string name, std::vector<Learner> learners,
                      const std::function<std::vector<WireId>(Scope &)> &build, std::vector<std::string> outputs = {}) {
  Definition result;
  result.name = std::move(name);
  result.learners = std::move(learners);
  Scope scope(result.learners);
  std::vector<WireId> wires = build(scope);
  result.outputNames = outputs.empty() ? std::vector<std::string>(wires.size()) : std::move(outputs);
  result.diagram = std::move(scope.b).finish(wires);
  return result;
}

WireId attention(Scope &s, WireId q, WireId k, WireId v, bool causal = false) {
  Size queries = s.b.type(q).axes[0], keys = s.b.type(k).axes[0], depth = s.b.type(q).axes[1],
       width = s.b.type(v).axes[1];
  return s.simd(
      queries, {q}, {k, v},
      [&](Scope &t, auto &w) {
        WireId scores = t.simd(
            keys, {w[1]}, causal ? std::vector{w[0], w[3]} : std::vector{w[0]},
            [&](Scope &u, auto &x) {
              WireId score = u.fn(PointwiseFn::Div, {u.dot(x[1], x[0]), u.sqrtOf(depth)});
              if (causal)
                score =
                    u.fn(PointwiseFn::Where, {u.fn(PointwiseFn::LessEqual, {x[3], x[2]}), score, u.number(-INFINITY)});
              return std::vector{score};
            },
            "s", causal ? "j" : "");
        WireId a = t.one(Softmax{}, {scores}, "a");
        return t.box(Cap::Sum, keys, {a, w[2]}, {},
                     [&](Scope &u, auto &x) { return std::vector{u.lift(PointwiseFn::Mul, width, {x[1]}, {x[0]})}; });
      },
      "", causal ? "i" : "");
}

} // namespace

Definition sdpa() {
  return definition("sdpa", {}, [](Scope &s) {
    WireId q = s.in(reals({n, d}), "q"), k = s.in(reals({m, d}), "k"), v = s.in(reals({m, e}), "v");
    return std::vector{attention(s, q, k, v)};
  });
}

Definition causal() {
  return definition("causal", {},
                    [](Scope &s) {
                      WireId q = s.in(reals({n, d}), "q"), k = s.in(reals({n, d}), "k"), v = s.in(reals({n, e}), "v");
                      return std::vector{attention(s, q, k, v, true)};
                    },
                    {"y"});
}

Definition linearAttention() {
  return definition("linear_attention", {}, [](Scope &s) {
    WireId q = s.in(reals({n, d}), "q"), k = s.in(reals({m, d}), "k"), v = s.in(reals({m, e}), "v");
    auto phi = [](Scope &t, WireId x) {
      return t.call("phi", {x}, [](Scope &u, auto &w) { return std::vector{u.lift(PointwiseFn::Exp, d, w)}; });
    };
    WireId S = s.box(Cap::Sum, m, {k, v}, {}, [&](Scope &t, auto &w) {
                  return std::vector{t.outer(phi(t, w[0]), w[1])};
                }).front();
    s.b.suggestName(S, "S");
    WireId z = s.box(Cap::Sum, m, {k}, {}, [&](Scope &t, auto &w) { return std::vector{phi(t, w[0])}; }).front();
    s.b.suggestName(z, "z");
    return s.box(Cap::None, n, {q}, {S, z}, [&](Scope &t, auto &w) {
      WireId f = phi(t, w[0]);
      WireId up = t.call("vecmat", {f, w[1]}, [](Scope &u, auto &x) {
        return u.box(Cap::Sum, d, x, {},
                     [](Scope &o, auto &y) { return std::vector{o.lift(PointwiseFn::Mul, e, {y[1]}, {y[0]})}; });
      });
      return std::vector{t.lift(PointwiseFn::Div, e, {up}, {t.dot(f, w[2])})};
    });
  });
}

Definition bahdanau() {
  std::vector<Learner> learners = {{LearnerKind::Linear, "W", {reals({p})}, {reals({r})}, {}},
                                   {LearnerKind::Linear, "U", {reals({c})}, {reals({r})}, {}},
                                   {LearnerKind::Linear, "v", {reals({r})}, {reals({})}, {}}};
  return definition("bahdanau", learners, [](Scope &s) {
    WireId state = s.in(reals({n, p}), "s"), hidden = s.in(reals({m, c}), "h");
    return s.box(Cap::None, n, {state}, {hidden}, [](Scope &t, auto &w) {
      WireId energy = t.simd(
          m, {w[1]}, {w[0]},
          [](Scope &u, auto &x) {
            WireId sum = u.lift(PointwiseFn::Add, r,
                                {u.one(Apply{LearnerId(0), {}}, {x[1]}), u.one(Apply{LearnerId(1), {}}, {x[0]})});
            return std::vector{u.one(Apply{LearnerId(2), {}}, {u.lift(PointwiseFn::Tanh, r, {sum})})};
          },
          "e");
      WireId a = t.one(Softmax{}, {energy}, "a");
      return t.box(Cap::Sum, m, {a, w[1]}, {},
                   [](Scope &u, auto &x) { return std::vector{u.lift(PointwiseFn::Mul, c, {x[1]}, {x[0]})}; });
    });
  });
}

Definition retention() {
  return definition("retention", {},
                    [](Scope &s) {
                      WireId q = s.in(reals({n, d}), "q"), k = s.in(reals({n, d}), "k"), v = s.in(reals({n, e}), "v"),
                             g = s.in(scalar, "g");
                      WireId zero = s.number(0);
                      WireId start = s.simd(d, {}, {zero}, [](Scope &t, auto &w) {
                        return std::vector{t.simd(e, {}, w, [](Scope &, auto &x) { return x; })};
                      });
                      Scope body(s.learners);
                      WireId S = body.in(reals({d, e}), "S"), qi = body.in(reals({d}), "q"),
                             ki = body.in(reals({d}), "k"), vi = body.in(reals({e}), "v"), gi = body.in(scalar, "g");
                      WireId decayed = body.simd(d, {S}, {gi}, [](Scope &t, auto &w) {
                        return std::vector{t.lift(PointwiseFn::Mul, e, {w[0]}, {w[1]})};
                      });
                      WireId outer = body.outer(ki, vi);
                      WireId next = body.simd(
                          d, {decayed, outer}, {},
                          [](Scope &t, auto &w) { return std::vector{t.lift(PointwiseFn::Add, e, w)}; }, "S'");
                      WireId y = body.call("vecmat", {qi, next}, [](Scope &u, auto &x) {
                        return u.box(Cap::Sum, d, x, {}, [](Scope &o, auto &z) {
                          return std::vector{o.lift(PointwiseFn::Mul, e, {z[1]}, {z[0]})};
                        });
                      });
                      Scan scan{n,
                                false,
                                1,
                                {Mode::Map, Mode::Map, Mode::Map, Mode::Share},
                                std::make_shared<Diagram>(std::move(body.b).finish({next, y}))};
                      return std::vector{s.all(scan, {start, q, k, v, g})[0]};
                    },
                    {"y"});
}

Definition twoSimplicial() {
  return definition("two_simplicial", {}, [](Scope &s) {
    WireId q = s.in(reals({n, d}), "q"), k1 = s.in(reals({n, d}), "k1"), k2 = s.in(reals({n, d}), "k2");
    WireId v1 = s.in(reals({n, e}), "v1"), v2 = s.in(reals({n, e}), "v2");
    return s.box(Cap::None, n, {q}, {k1, k2, v1, v2}, [](Scope &t, auto &w) {
      WireId scores = t.simd(n, {w[1]}, {w[0], w[2]}, [](Scope &u, auto &x) {
        return std::vector{u.simd(n, {x[2]}, {x[0], x[1]}, [](Scope &o, auto &y) {
          WireId product = o.lift(PointwiseFn::Mul, d, {o.lift(PointwiseFn::Mul, d, {y[2], y[1]}), y[0]});
          WireId sum = o.box(Cap::Sum, d, {product}, {}, [](Scope &, auto &z) { return z; }).front();
          return std::vector{o.fn(PointwiseFn::Div, {sum, o.sqrtOf(d)})};
        })};
      });
      WireId a = t.one(Softmax{}, {scores}, "a");
      return t.box(Cap::Sum, n, {a, w[3]}, {w[4]}, [](Scope &u, auto &x) {
        return u.box(Cap::Sum, n, {x[0], x[2]}, {x[1]}, [](Scope &o, auto &y) {
          return std::vector{o.lift(PointwiseFn::Mul, e, {o.lift(PointwiseFn::Mul, e, {y[2], y[1]})}, {y[0]})};
        });
      });
    });
  });
}

namespace {
std::vector<Learner> headLearners() {
  std::vector<Learner> learners;
  for (const char *label : {"Q", "K", "V"})
    learners.push_back({LearnerKind::Linear, label, {reals({c})}, {reals({d})}, {h}});
  learners.push_back({LearnerKind::Affine, "O", {reals({d})}, {reals({c})}, {h}});
  return learners;
}

WireId heads(Scope &s, WireId x) {
  return s
      .box(Cap::Sum, h, {}, {x},
           [](Scope &t, auto &w) {
             auto project = [&](unsigned learner) {
               return t.simd(n, {w[0]}, {}, [&](Scope &u, auto &y) {
                 return std::vector{u.one(Apply{LearnerId(learner), {1}}, {y[0]})};
               });
             };
             WireId y = t.call("sdpa", {project(0), project(1), project(2)},
                               [](Scope &u, auto &z) { return std::vector{attention(u, z[0], z[1], z[2])}; });
             return std::vector{t.simd(
                 n, {y}, {}, [](Scope &u, auto &z) { return std::vector{u.one(Apply{LearnerId(3), {1}}, {z[0]})}; })};
           })
      .front();
}
} // namespace

Definition multihead() {
  return definition("multihead", headLearners(),
                    [](Scope &s) { return std::vector{heads(s, s.in(reals({n, c}), "x"))}; }, {"y"});
}

Definition twoLayers() {
  return definition(
      "two_layers", headLearners(),
      [](Scope &s) {
        WireId x = s.in(reals({n, c}), "x");
        for (const char *layer : {"x1", "x2"}) {
          WireId y = s.call("multihead", {x}, [](Scope &t, auto &w) { return std::vector{heads(t, w[0])}; });
          x = s.simd(
              n, {x, y}, {}, [](Scope &t, auto &w) { return std::vector{t.lift(PointwiseFn::Add, c, w)}; }, layer);
        }
        return std::vector{x};
      },
      {"y"});
}

Definition zoo() {
  std::vector<Learner> learners = {{LearnerKind::Universal, "f", {reals({d}), reals({d})}, {scalar}, {}},
                                   {LearnerKind::Hole, "core", {reals({n, d})}, {reals({n, d})}, {}},
                                   {LearnerKind::Param, "beta", {}, {reals({d})}, {}},
                                   {LearnerKind::Affine, "B", {reals({d})}, {reals({d})}, {}},
                                   {LearnerKind::Param, "u", {}, {reals({d})}, {h}}};
  return definition(
      "zoo", learners,
      [](Scope &s) {
        WireId x = s.in(reals({n, d}), "x"), unused = s.in(reals({m}), "unused"), i = s.in({Kind::Int, {n}}, "i");
        (void)unused;
        WireId hole = s.one(Apply{LearnerId(1), {}}, {x}, "filled");
        WireId transposed = s.one(Transpose{}, {hole});
        WireId flat = s.one(Reshape{{n * d}}, {transposed});
        std::vector<WireId> top = s.all(TopK{4}, {flat});
        WireId scattered = s.one(Scatter{m}, {i, hole}, "placed");
        WireId row = s.one(Gather{}, {hole, s.one(Const{std::int64_t(2)}, {})});
        WireId beta = s.one(Apply{LearnerId(2), {}}, {});
        WireId affine = s.one(Apply{LearnerId(3), {}}, {row});
        WireId score = s.one(Apply{LearnerId(0), {}}, {affine, beta});
        WireId largest = s.box(Cap::Max, Size(4), {top[0]}, {}, [](Scope &, auto &w) { return w; }).front();
        WireId halved = s.simd(m, {scattered}, {}, [](Scope &t, auto &w) {
          return std::vector{t.simd(
              d, w, {}, [](Scope &u, auto &y) { return std::vector{u.fn(PointwiseFn::Mul, {y[0], u.number(0.5)})}; })};
        });
        WireId anyLarge = s.box(Cap::Any, n, {i}, {}, [](Scope &t, auto &w) {
                             return std::vector{t.fn(PointwiseFn::Less, {w[0], t.one(Const{std::int64_t(-1)}, {})})};
                           }).front();
        WireId heads = s.simd(h, {}, {beta}, [](Scope &t, auto &w) {
          return std::vector{t.lift(PointwiseFn::Add, d, {t.one(Apply{LearnerId(4), {0}}, {}), w[0]})};
        });
        return std::vector{s.fn(PointwiseFn::Max, {score, largest}), halved, anyLarge, heads};
      },
      {"best", "half", "any", "heads"});
}

std::vector<Definition> mechanisms() {
  return {sdpa(),          linearAttention(), bahdanau(),  causal(), retention(),
          twoSimplicial(), multihead(),       twoLayers(), zoo()};
}

Definition chain(std::size_t count) {
  return definition("chain", {}, [&](Scope &s) {
    WireId x = s.in(scalar, "x");
    for (std::size_t i = 0; i < count; ++i)
      x = i % 3 ? s.fn(PointwiseFn::Tanh, {x}) : s.fn(PointwiseFn::Add, {x, x});
    return std::vector{x};
  });
}

Definition nest(std::size_t depth) {
  return definition("nest", {}, [&](Scope &s) {
    Type type = reals(std::vector<Size>(depth, n));
    std::function<WireId(Scope &, WireId, std::size_t)> build = [&](Scope &t, WireId x, std::size_t left) -> WireId {
      if (left == 0)
        return t.fn(PointwiseFn::Exp, {t.fn(PointwiseFn::Tanh, {x})});
      return t.simd(n, {x}, {}, [&](Scope &u, auto &w) { return std::vector{build(u, w[0], left - 1)}; });
    };
    return std::vector{build(s, s.in(type, "x"), depth)};
  });
}

Definition random(unsigned seed) {
  std::mt19937 rng(seed);
  auto pick = [&](std::size_t count) { return std::size_t(rng() % count); };
  std::function<std::vector<WireId>(Scope &, std::vector<WireId>, int)> grow = [&](Scope &s, std::vector<WireId> wires,
                                                                                   int depth) {
    for (std::size_t step = 0, steps = 1 + pick(7); step < steps; ++step) {
      WireId x = wires[pick(wires.size())], y = wires[pick(wires.size())];
      const Type &type = s.b.type(x);
      if (!type.isScalar() && depth < 3) {
        Cap caps[] = {Cap::None, Cap::Sum, Cap::Max, Cap::None};
        std::vector<WireId> shared = pick(2) ? std::vector{y} : std::vector<WireId>{};
        std::vector<WireId> results = s.box(
            caps[pick(4)], type.axes[0], {x}, shared,
            [&](Scope &t, auto &w) {
              std::vector<WireId> inner = w;
              if (t.b.type(inner.back()) == intScalar)
                inner.back() = t.fn(PointwiseFn::ToReal, {inner.back()});
              return grow(t, inner, depth + 1);
            },
            pick(3) ? "" : "i");
        for (WireId wire : results)
          s.b.suggestName(wire, "w" + std::to_string(pick(90)));
        wires.insert(wires.end(), results.begin(), results.end());
      } else if (type.isScalar() && s.b.type(y).isScalar()) {
        wires.push_back(pick(2) ? s.fn(PointwiseFn::Mul, {x, y}) : s.fn(PointwiseFn::Exp, {x}));
      } else if (!type.isScalar()) {
        wires.push_back(s.one(Softmax{}, {x}, pick(2) ? "a" : ""));
      } else {
        wires.push_back(s.number(double(pick(1000)) / 8));
      }
    }
    std::vector<WireId> outputs{wires.back()};
    if (pick(3) == 0)
      outputs.push_back(wires[pick(wires.size())]);
    return outputs;
  };
  return definition("random", {}, [&](Scope &s) {
    std::vector<WireId> inputs{s.in(reals({n, d}), "x"), s.in(reals({m}), "y"), s.in(scalar, "t")};
    inputs.resize(1 + pick(3));
    return grow(s, inputs, 0);
  });
}

} // namespace attnc::test
