// The matcher against a deliberately naive one, on all small diagrams.
#include "../Cases.h"
#include "../diagram/Make.h"
#include "NaiveMatcher.h"
#include "Programs.h"

using namespace attnc;
using namespace attnc::make;
using namespace attnc::rewriting;

namespace {

const char *rulesOnNumbers = R"(
rule power : equation forall (x: [], y: []) exp(x + y) == exp(x) * exp(y)
rule associate : equation forall (x: [], y: [], z: []) x + y + z == x + (y + z)
rule cancel : equation forall (x: []) x - x == 0.0 * x
rule cancel_sums : equation forall (x: [], y: []) (x + y) - (y + x) == 0.0 * (x + y)
rule twice : equation forall (x: []) exp(x) + exp(x) == 2.0 * exp(x)
rule copied : equation forall (x: [], y: []) { p = exp(x)  p + (p - y) } == { p = exp(x)  2.0 * p - y }
rule two : equation forall (x: [], y: []) (exp(x), exp(y)) == (exp(x + 0.0), exp(y + 0.0))
rule two_kinds : equation forall (x: [], y: [], z: []) (exp(x), y - z) == (exp(x + 0.0), y - z + 0.0)
rule two_of_one : equation forall (x: [], y: []) { p = exp(x)  (p, p + y) } == (exp(x + 0.0), y + exp(x))
rule two_sums : equation forall (x: [], y: [], z: []) (x + y, x + z) == (y + x, z + x)

rule fuse : express forall (x: [])
  universal f : [] -> []  universal g : [] -> []  universal h : [] -> []
  f(g(x)) => h(x)
rule pair : express forall (x: [], y: [])
  universal f : [] -> []  universal g : [] -> []  box both : [] @ [] -> [] @ []
  (f(x), g(y)) => { (a, b) = both(x, y)  (a, b) }
rule boxed : equation forall (x: []) box f : [] -> [] exp(f(x)) == exp(f(x) + 0.0)
rule keep : express forall (x: [])
  universal f : [] -> []
  f(f(x)) => f(x)
rule fill : specialise forall (x: []) universal f : [] -> [] f(x) => exp(x)
rule absorb : express forall (x: []) universal f : [] -> [] universal g : [] -> [] f(exp(x)) => g(x)
)";

const char *rulesOnBoxes = R"(
rule distribute : equation forall (c: [], w: [m]) sum m (w) { c * w } == c * sum(w)
rule distribute_three : equation forall (c: [], w: [m], v: [m])
  sum m (w, v) { c * w * v } == c * sum m (w, v) { w * v }
rule exchange : equation forall (x: [m n]) sum m (x) { sum(x) } == sum n as j { sum m (x) { x[j] } }
rule slide : equation forall (x: [m a]) linear L : [a] -> [b] sum m (x) { L(x) } == L(sum(x))
rule scale : equation forall (c: [], x: [a])
  linear L : [a] -> [b]
  L(simd a (x) { c * x }) == { y = L(x)  simd b (y) { c * y } }
rule squares : equation forall (x: [m]) sum m (x) { x * x } == sum m (x) { x * x + 0.0 }
rule exponentials : equation forall (x: [m]) sum m (x) { exp(x) } == sum m (x) { exp(x + 0.0) }
rule elementwise : equation forall (x: [m]) simd m (x) { exp(x) } == simd m (x) { exp(x + 0.0) }
rule copied : equation forall (x: [m]) { y = simd m (x) { exp(x) }  sum m (y) { y * y } } == sum m (x) { exp(2.0 * x) }
rule shared : equation forall (x: [m], c: []) sum m (x) { exp(c) * x } == exp(c) * sum(x)
rule outer : equation forall (x: [m], y: [n]) sum m (x) { sum n (y) { x * y } } == sum(x) * sum(y)
rule two : equation forall (x: [m], y: [n]) (sum(x), sum(y)) == (sum(x) + 0.0, sum(y) + 0.0)
rule two_kinds : equation forall (x: [m], y: []) (sum(x), exp(y)) == (sum(x) + 0.0, exp(y + 0.0))
rule whole : equation forall (x: [m], y: [m])
  linear L : [m] -> [m]
  L(simd m (x, y) { x * y }) == L(simd m (x, y) { y * x })
)";

/// Both directions of each rule, ready to be compared on hosts.
class Comparison {
public:
  explicit Comparison(const char *rules) : program(rules) {
    for (const RuleRef &rule : program.module.rules)
      for (bool reversed : {false, true})
        if (auto pattern = Pattern::make(tables, rule, reversed))
          patterns.push_back(std::move(*pattern));
    matches.resize(patterns.size());
  }

  /// `reduced`: also with slices of stacks gone.
  void compare(const Definition &definition, bool reduced) {
    if (seen++ % everyNthCase != 0)
      return;
    compareHost(definition, false);
    if (reduced)
      compareHost(definition, true);
  }

  void conclude() {
    CHECK(wrong == 0);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      INFO(patterns[i].name());
      CHECK((patterns[i].reversed || everyNthCase > 1 || matches[i] > 0));
    }
  }

private:
  void compareHost(const Definition &definition, bool reduced) {
    Host host = load(tables, definition, reduced);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      std::set<std::string> expected = naiveMatches(host, patterns[i]);
      std::vector<Match> every = allMatches(host, patterns[i]);
      std::set<std::string> found = asText(host, patterns[i], every);
      matches[i] += expected.size();
      if ((found != expected || every.size() != found.size()) && wrong++ < 5) {
        std::string text = fmt::format("{}{}, {} matches\n{}\n", patterns[i].name(), reduced ? " (reduced)" : "",
                                       every.size(), canonicalForm(definition).text);
        for (const std::string &one : expected)
          text += (found.contains(one) ? "  both     " : "  missing  ") + one + "\n";
        for (const std::string &one : found)
          text += expected.contains(one) ? "" : "  too much " + one + "\n";
        UNSCOPED_INFO(text);
      }
    }
  }

  Program program;
  Tables tables;
  std::vector<Pattern> patterns;
  std::vector<std::size_t> matches;
  std::size_t seen = 0, wrong = 0;
};

/// Programs of `length` steps over the wires there are; each step is one of the makers.
struct Maker {
  std::vector<Type> domain;
  std::function<WireId(Draft &, const std::vector<WireId> &)> make;
};

class Programs {
public:
  Programs(std::vector<Learner> learners, std::vector<Type> inputs, std::vector<Maker> makers)
      : learners(std::move(learners)), inputs(std::move(inputs)), makers(std::move(makers)) {}

  /// With the last wire as output, and the one before it too.
  void each(std::size_t length, bool two, const std::function<void(const Definition &)> &visit) {
    std::vector<std::pair<std::size_t, std::vector<std::size_t>>> steps;
    extend(steps, length, two, visit);
  }

private:
  using Steps = std::vector<std::pair<std::size_t, std::vector<std::size_t>>>;

  Definition build(const Steps &steps, std::size_t outputs, std::vector<Type> *types) const {
    return define(learners, inputs, [&](Draft &draft, std::vector<WireId> wires) {
      for (const auto &[maker, operands] : steps) {
        std::vector<WireId> given;
        for (std::size_t one : operands)
          given.push_back(wires[one]);
        wires.push_back(makers[maker].make(draft, given));
      }
      if (types)
        for (WireId wire : wires)
          types->push_back(draft.type(wire));
      return std::vector<WireId>(wires.rbegin(), wires.rbegin() + outputs);
    });
  }

  void extend(Steps &steps, std::size_t length, bool two, const std::function<void(const Definition &)> &visit) {
    if (steps.size() == length)
      return visit(build(steps, two ? 2 : 1, nullptr));
    std::vector<Type> types;
    build(steps, 1, &types);
    for (std::size_t maker = 0; maker < makers.size(); ++maker) {
      std::vector<std::size_t> operands(makers[maker].domain.size());
      choose(steps, maker, operands, 0, types, [&] { extend(steps, length, two, visit); });
    }
  }

  void choose(Steps &steps, std::size_t maker, std::vector<std::size_t> &operands, std::size_t place,
              const std::vector<Type> &types, const std::function<void()> &then) {
    if (place == operands.size()) {
      steps.emplace_back(maker, operands);
      then();
      steps.pop_back();
      return;
    }
    for (operands[place] = 0; operands[place] < types.size(); ++operands[place])
      if (types[operands[place]] == makers[maker].domain[place])
        choose(steps, maker, operands, place + 1, types, then);
  }

  std::vector<Learner> learners;
  std::vector<Type> inputs;
  std::vector<Maker> makers;
};

Maker pointwise(PointwiseFn fn) {
  return {std::vector<Type>(info(fn).arity, scalar),
          [fn](Draft &draft, const std::vector<WireId> &operands) { return draft.fn(fn, operands); }};
}

Maker applied(std::size_t learner, const Type &domain) {
  return {{domain},
          [learner](Draft &draft, const std::vector<WireId> &operands) { return draft.apply(learner, operands); }};
}

const Type vectors = real({size("m")}), matrices = real({size("m"), size("m")});

/// A box over the axis m around a function of one operation.
Maker boxed(const std::vector<Learner> &learners, Cap cap, const char *modes, const std::vector<Type> &domain,
            const Body &body) {
  return {domain, [=, &learners](Draft &draft, const std::vector<WireId> &operands) {
            return draft.add(box(learners, cap, size("m"), modes, domain, body), operands);
          }};
}

} // namespace

TEST_CASE("every match that a naive matcher finds is found, and no other: numbers, learners, copies") {
  const std::vector<Learner> learners{universal("f"), universal("g")};
  Comparison comparison(rulesOnNumbers);
  const std::vector<Maker> all{pointwise(PointwiseFn::Exp), applied(0, scalar), applied(1, scalar),
                               pointwise(PointwiseFn::Add), pointwise(PointwiseFn::Sub)};
  auto compare = [&](const Definition &definition) { comparison.compare(definition, false); };
  for (bool two : {false, true})
    for (std::size_t length = 2; length <= 3; ++length)
      Programs(learners, {scalar, scalar}, all).each(length, two, compare);
  const std::vector<Maker> some{all[0], all[1], all[3]};
  Programs(learners, {scalar}, some).each(4, true, compare);
  comparison.conclude();
}

TEST_CASE("every match that a naive matcher finds is found, and no other: boxes") {
  const std::vector<Learner> learners{{LearnerKind::Linear, "L", {vectors}, {vectors}, {}, 64, {}}};
  Comparison comparison(rulesOnBoxes);
  auto one = [](Draft &, const std::vector<WireId> &in) { return in; };
  auto exp = [](Draft &d, const std::vector<WireId> &in) { return std::vector{d.fn(PointwiseFn::Exp, in)}; };
  auto mul = [](Draft &d, const std::vector<WireId> &in) { return std::vector{d.fn(PointwiseFn::Mul, in)}; };
  auto square = [](Draft &d, const std::vector<WireId> &in) {
    return std::vector{d.fn(PointwiseFn::Mul, {in[0], in[0]})};
  };
  const std::vector<Maker> makers{
      pointwise(PointwiseFn::Exp),
      pointwise(PointwiseFn::Mul),
      applied(0, vectors),
      boxed(learners, Cap::Sum, "m", {vectors}, one),
      boxed(learners, Cap::Sum, "m", {vectors}, square),
      boxed(learners, Cap::Sum, "sm", {scalar, vectors}, mul),
      boxed(learners, Cap::Sum, "m", {matrices}, one),
      boxed(learners, Cap::None, "m", {vectors}, exp),
      boxed(learners, Cap::None, "mm", {vectors, vectors}, mul),
      boxed(learners, Cap::None, "sm", {scalar, vectors}, mul),
      boxed(learners, Cap::None, "s", {scalar}, one),
      boxed(learners, Cap::None, "ms", {vectors, vectors},
            [&](Draft &d, const std::vector<WireId> &in) {
              return std::vector{d.add(box(learners, Cap::None, size("m"), "sm", {scalar, vectors},
                                           [](Draft &inner, const std::vector<WireId> &w) {
                                             return std::vector{inner.fn(PointwiseFn::Mul, w)};
                                           }),
                                       in)};
            }),
      boxed(learners, Cap::None, "m", {matrices},
            [&](Draft &d, const std::vector<WireId> &in) { return std::vector{d.apply(0, in)}; }),
  };
  auto compare = [&](const Definition &definition) { comparison.compare(definition, true); };
  for (bool two : {false, true})
    for (std::size_t length = 1; length <= 3; ++length)
      Programs(learners, {scalar, vectors}, makers).each(length, two && length > 1, compare);
  comparison.conclude();
}
