// Every rule that is shipped, from its file: what breaks a side condition is refused, and what is a little wrong is
// caught. A rule that is added is tried too.
#include "Programs.h"
#include "attnc/diagram/Builder.h"
#include "attnc/diagram/Transform.h"
#include "attnc/prove/Replay.h"
#include "attnc/prove/Soundness.h"

using namespace attnc;

namespace {

/// The rules of the files themselves, not of what they import.
std::vector<RuleRef> shippedRules() {
  static std::vector<std::unique_ptr<Program>> files;
  static const std::vector<RuleRef> rules = [] {
    std::vector<RuleRef> all;
    std::set<std::string> names;
    for (const auto &entry :
         std::filesystem::directory_iterator(std::filesystem::path(ATTNC_SOURCE_DIR) / "taxonomy" / "rules")) {
      if (entry.path().extension() != ".attn")
        continue;
      files.push_back(std::make_unique<Program>(fileText(entry.path()), entry.path().string()));
      for (const RuleRef &rule : files.back()->module.rules)
        if (names.insert(rule->name).second)
          all.push_back(rule);
    }
    return all;
  }();
  return rules;
}

std::vector<std::string> sizesOf(const Rule &rule) {
  std::vector<std::string> names = rule.left.sizeNames();
  auto more = rule.right.sizeNames();
  names.insert(names.end(), more.begin(), more.end());
  for (const Constraint &condition : rule.conditions)
    for (const Size &side : {condition.left, condition.right, condition.modulus.value_or(0)})
      for (const std::string &name : side.names())
        names.push_back(name);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool holds(Constraint condition, const Size::Values &values) {
  std::int64_t reached = *condition.left.evaluate(values), bound = *condition.right.evaluate(values);
  if (condition.modulus) {
    std::int64_t modulus = *condition.modulus->evaluate(values);
    if (modulus <= 0)
      return false;
    reached %= modulus;
  }
  return condition.holds(reached, bound);
}

/// Small sizes at which the condition is as wanted, and the others hold.
std::optional<Size::Values> sizesWhere(const Rule &rule, std::size_t which, bool wanted) {
  const std::vector<std::string> names = sizesOf(rule);
  constexpr std::int64_t most = 4;
  std::int64_t count = 1;
  for (std::size_t i = 0; i < names.size(); ++i)
    count *= most;
  for (std::int64_t at = count; at-- > 0;) {
    Size::Values values;
    std::int64_t rest = at;
    for (const std::string &name : names)
      values[name] = rest % most, rest /= most;
    bool ok = true;
    for (std::size_t i = 0; i < rule.conditions.size(); ++i)
      ok &= holds(rule.conditions[i], values) == (i != which || wanted);
    if (ok)
      return values;
  }
  return std::nullopt;
}

/// Whether the rule's own left side, with numbers for sizes, is rewritten; else why not.
std::string rewriteAt(const RuleRef &rule, const Size::Values &values) {
  Size::Bindings sizes;
  for (const auto &[name, value] : values)
    sizes[name] = value;
  rewriting::Tables tables;
  Patterns patterns(tables);
  Step step;
  step.rule = rule;
  for (const auto &[name, size] : sizes)
    step.arguments.emplace_back(name, size);
  auto rewrite = makeStep(substitute(rule->left, sizes), step, tables, patterns);
  return rewrite ? "" : rewrite.error();
}

/// The same with something small added to each real number of the first result.
Definition disturbed(Definition definition) {
  Builder builder(definition.learners);
  std::vector<WireId> wires(definition.diagram.wires.size());
  for (WireId input : definition.diagram.inputs)
    wires[input.index()] = builder.input(definition.diagram.type(input), definition.diagram.wire(input).name);
  for (const Op &op : definition.diagram.ops) {
    std::vector<WireId> operands;
    for (WireId operand : op.operands)
      operands.push_back(wires[operand.index()]);
    auto results = builder.add(op.generator, operands);
    for (std::size_t i = 0; i < op.results.size(); ++i)
      wires[op.results[i].index()] = results->at(i);
  }
  std::vector<WireId> outputs;
  for (WireId output : definition.diagram.outputs)
    outputs.push_back(wires[output.index()]);
  // One box an axis around the addition.
  std::function<Diagram(const Type &)> nudge = [&](const Type &type) {
    Builder inner(definition.learners);
    WireId x = inner.input(type, "x");
    if (type.isScalar()) {
      WireId small = *inner.add1(Const{1e-3}, {});
      WireId sum = *inner.add1(Pointwise{PointwiseFn::Add}, {x, small});
      return std::move(inner).finish({sum});
    }
    Box box{Cap::None, type.axes[0], false, {Mode::Map}, std::make_shared<Diagram>(nudge(type.slice()))};
    WireId nudged = *inner.add1(box, {x});
    return std::move(inner).finish({nudged});
  };
  outputs[0] = *builder.add1(Call{"nudge", std::make_shared<Diagram>(nudge(builder.type(outputs[0])))}, {outputs[0]});
  definition.diagram = std::move(builder).finish(outputs);
  return definition;
}

} // namespace

TEST_CASE("what breaks a side condition of a shipped rule is refused") {
  std::size_t conditions = 0;
  for (const RuleRef &rule : shippedRules())
    for (std::size_t i = 0; i < rule->conditions.size(); ++i) {
      CAPTURE(rule->name, rule->conditions[i].str());
      auto broken = sizesWhere(*rule, i, false), kept = sizesWhere(*rule, i, true);
      REQUIRE(kept.has_value());
      CHECK(rewriteAt(rule, *kept) == "");
      if (!broken) { // what no sizes break says nothing
        CHECK(rewriting::judge(rule->conditions[i]) == rewriting::Verdict::Holds);
        continue;
      }
      CHECK(rewriteAt(rule, *broken) != "");
      // Of sizes that are not known yet, it becomes a condition of the result.
      rewriting::Tables tables;
      Patterns patterns(tables);
      Step step;
      step.rule = rule;
      auto rewrite = makeStep(rule->left, step, tables, patterns);
      INFO((rewrite ? "" : rewrite.error()));
      REQUIRE(rewrite.has_value());
      CHECK_FALSE(rewrite->after.constraints.empty());
      ++conditions;
    }
  CHECK(conditions >= 2);
}

TEST_CASE("a shipped rule that is a little wrong is caught") {
  std::map<RuleKind, std::size_t> caught;
  for (const RuleRef &rule : shippedRules()) {
    CAPTURE(rule->name);
    CHECK(!falseClaim(*rule));
    if (rule->kind != RuleKind::Equation && !rule->filledLeft)
      continue; // a bare learner may be filled by anything of its kind
    if (rule->right.diagram.type(rule->right.diagram.outputs[0]).kind != Kind::Real)
      continue;
    Rule wrong = *rule;
    wrong.right = disturbed(wrong.right);
    CHECK(falseClaim(wrong));
    ++caught[rule->kind];
  }
  CHECK(caught[RuleKind::Equation] > 10);
  CHECK(caught[RuleKind::Specialise] > 0);
}

TEST_CASE("a false rule of each kind is caught") {
  auto claim = [](const std::string &rule) {
    Program program(rule);
    return falseClaim(*program.module.rules.at(0)).value_or("");
  };
  // The same but for one thing, which makes it true.
  for (auto [wrong, right] : {
           std::pair("rule r : equation forall (x: [n], y: [n]) sum n (x, y) { x * y } == sum(x) * sum(y)",
                     "rule r : equation forall (x: [n], y: [m]) sum n (x) { sum m (y) { x * y } } == sum(x) * sum(y)"),
           std::pair("rule r : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => relu(x)",
                     "rule r : specialise forall (x: [a]) linear f : [a] -> [a] f(x) => 2.0 * x"),
           std::pair("rule r : specialise forall (x: [a]) linear f : [a] -> [a] linear g : [a] -> [a] "
                     "f(g(x)) => f(x) by { g(x) = x + 1.0 }",
                     "rule r : specialise forall (x: [a]) linear f : [a] -> [a] linear g : [a] -> [a] "
                     "f(g(x)) => f(x) by { g(x) = x }"),
           std::pair("rule r : express forall (x: [a]) universal f : [a] -> [a] universal g : [a] -> [a] "
                     "f(g(x)) => f(tanh(x)) by { g(x) = sin(x) }",
                     "rule r : express forall (x: [a]) universal f : [a] -> [a] universal g : [a] -> [a] "
                     "f(g(x)) => f(tanh(x)) by { g(x) = tanh(x) }"),
       }) {
    CAPTURE(wrong);
    CHECK(claim(wrong) != "");
    CHECK(claim(right) == "");
  }
}
