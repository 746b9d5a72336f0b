#include "attnc/prove/Soundness.h"

#include "attnc/prove/Scores.h"

#include "attnc/bind/Random.h"
#include "attnc/eval/Eval.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace attnc {

namespace {

std::vector<std::string> sizeNames(const Definition &left, const Definition &right) {
  std::vector<std::string> names = left.sizeNames();
  for (const std::string &name : right.sizeNames())
    if (std::ranges::find(names, name) == names.end())
      names.push_back(name);
  return names;
}

bool holds(const Constraint &condition, const Size::Values &sizes) {
  auto left = condition.left.evaluate(sizes), right = condition.right.evaluate(sizes);
  if (!left || !right)
    return false;
  std::int64_t reached = *left;
  if (condition.modulus) {
    auto modulus = condition.modulus->evaluate(sizes);
    if (!modulus || *modulus <= 0)
      return false;
    reached = ((*left % *modulus) + *modulus) % *modulus;
  }
  return condition.holds(reached, *right);
}

/// The trial that has an empty axis where the conditions admit one.
constexpr std::int64_t emptyTrial = 5;

/// Small sizes that meet the conditions: the same for the same trial.
std::optional<Size::Values> drawSizes(const std::vector<std::string> &names, const std::vector<Constraint> &conditions,
                                      std::int64_t trial) {
  for (std::int64_t attempt = 0; attempt < 500; ++attempt) {
    Size::Values sizes;
    for (std::size_t i = 0; i < names.size(); ++i)
      // 1 to 4
      sizes[names[i]] = trial == emptyTrial && i == std::size_t(attempt) % names.size()
                            ? 0
                            : std::int64_t(uniform(trial * 1000 + attempt, i) * 4) + 1;
    if (std::ranges::all_of(conditions, [&](const Constraint &one) { return holds(one, sizes); }))
      return sizes;
  }
  return std::nullopt;
}

/// A hole is tried out as a universal learner where it can be one.
Definition withoutHoles(const Definition &definition) {
  Definition result = definition;
  for (Learner &learner : result.learners)
    if (learner.kind == LearnerKind::Hole)
      learner.kind = LearnerKind::Universal, learner.width = 5;
    else if (learner.kind == LearnerKind::Universal)
      learner.width = 5;
  return result;
}

std::string sizesText(const Size::Values &sizes) {
  std::string text;
  for (const auto &[name, value] : sizes)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text.empty() ? "all sizes" : text;
}

/// Of the arrays that a rule is tried on, at sizes of at most 4; more comes of an axis that is a large number.
constexpr std::int64_t mostElements = std::int64_t(1) << 26;

tl::expected<Array, std::string> trialArray(const Type &type, const Size::Values &sizes, std::string_view name,
                                            std::int64_t seed, double deviation) {
  std::vector<std::int64_t> shape;
  std::int64_t count = 1;
  for (const Size &axis : type.axes) {
    std::int64_t extent = axis.evaluate(sizes).value_or(-1);
    if (extent < 0)
      return tl::unexpected(fmt::format("at {} the size {} is no size", sizesText(sizes), axis.str()));
    if (extent > 0 && count > mostElements / extent)
      return tl::unexpected(
          fmt::format("at {} a wire of type {} is too large to be tried out", sizesText(sizes), type.str()));
    count *= extent;
    shape.push_back(extent);
  }
  auto array = randomArray(type.kind, std::move(shape), name, seed, deviation);
  if (!array)
    return tl::unexpected<std::string>("there is no memory to try it out");
  return std::move(*array);
}

/// What logits are tried with: beside ordinary ones some that are −∞, all −∞, large ones, and large ones and −∞.
enum class Logits : std::uint8_t { Ordinary, SomeMasked, AllMasked, Large, LargeAndMasked };
constexpr Logits extremes[] = {Logits::SomeMasked, Logits::AllMasked, Logits::Large, Logits::LargeAndMasked};

std::string_view text(Logits logits) {
  switch (logits) {
  case Logits::Ordinary:
    return "";
  case Logits::SomeMasked:
    return " where some logits are -inf";
  case Logits::AllMasked:
    return " where all logits are -inf";
  case Logits::Large:
    return " where logits are large";
  case Logits::LargeAndMasked:
    return " where logits are large or -inf";
  }
  return "";
}

/// As large as exponentials and products of two of them stay in float64.
constexpr double largeLogit = 300;

void makeLogits(Array &array, Logits logits, std::int64_t seed) {
  auto values = array.mutableAs<double>();
  for (std::int64_t i = 0; i < array.elementCount(); ++i) {
    double draw = uniform(seed, 7919 + i);
    if (logits == Logits::Large || logits == Logits::LargeAndMasked)
      values[i] = std::clamp(values[i] * 200, -largeLogit, largeLogit);
    if (logits == Logits::AllMasked || (logits == Logits::SomeMasked && draw < 0.4) ||
        (logits == Logits::LargeAndMasked && draw < 0.3))
      values[i] = -std::numeric_limits<double>::infinity();
  }
}

tl::expected<std::vector<Array>, std::string> run(const Definition &definition, const Size::Values &sizes,
                                                  std::int64_t seed, const std::set<std::size_t> &scores,
                                                  Logits logits) {
  std::vector<Array> inputs, parameters;
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i) {
    auto input =
        trialArray(definition.diagram.type(definition.diagram.inputs[i]), sizes, fmt::format("input {}", i), seed, 1);
    if (!input)
      return tl::unexpected(input.error());
    inputs.push_back(std::move(*input));
    if (scores.contains(i))
      makeLogits(inputs.back(), logits, seed * 31 + std::int64_t(i));
  }
  for (const Parameter &parameter : parametersOf(definition)) {
    auto array = trialArray(parameter.type, sizes, parameter.name, seed, 0.7);
    if (!array)
      return tl::unexpected(array.error());
    parameters.push_back(std::move(*array));
  }
  return evaluate(definition, sizes, inputs, parameters);
}

double distance(const Array &a, const Array &b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype())
    return std::numeric_limits<double>::infinity();
  Array x = *a.converted(DType::F64), y = *b.converted(DType::F64);
  double difference = 0, largest = 1e-3;
  for (std::int64_t i = 0; i < x.elementCount(); ++i) {
    double u = x.as<double>()[i], v = y.as<double>()[i];
    if (!std::isfinite(u) || !std::isfinite(v)) {
      if (!(u == v || (std::isnan(u) && std::isnan(v))))
        return std::numeric_limits<double>::infinity();
      continue;
    }
    difference = std::max(difference, std::abs(u - v));
    largest = std::max(largest, std::abs(v));
  }
  return difference / largest;
}

/// Whether the outputs are an additive (with `offset`, an affine) function of the inputs at `positions`.
std::optional<std::string> notLinear(const Definition &definition, bool offset,
                                     const std::vector<Constraint> &conditions) {
  Definition ready = withoutHoles(definition);
  for (std::int64_t trial = 0; trial < 3; ++trial) {
    auto sizes = drawSizes(ready.sizeNames(), conditions, trial);
    if (!sizes)
      return "no small sizes meet its conditions";
    std::vector<Array> x, y, sum, zero, parameters;
    for (std::size_t i = 0; i < ready.diagram.inputs.size(); ++i) {
      const Type type{Kind::Real, ready.diagram.type(ready.diagram.inputs[i]).axes};
      for (auto [arrays, name] : {std::pair(&x, "x"), std::pair(&y, "y"), std::pair(&sum, ""), std::pair(&zero, "")}) {
        auto array = trialArray(type, *sizes, name, trial * 10 + std::int64_t(i), 1);
        if (!array)
          return array.error();
        arrays->push_back(std::move(*array));
      }
      std::ranges::fill(zero.back().mutableAs<double>(), 0.0);
      for (std::int64_t k = 0; k < sum.back().elementCount(); ++k)
        sum.back().mutableAs<double>()[k] = x.back().as<double>()[k] - 2 * y.back().as<double>()[k];
    }
    for (const Parameter &parameter : parametersOf(ready)) {
      auto array = trialArray(parameter.type, *sizes, parameter.name, trial, 0.7);
      if (!array)
        return array.error();
      parameters.push_back(std::move(*array));
    }
    std::vector<Array> values[4];
    const std::vector<Array> *arguments[4] = {&x, &y, &sum, &zero};
    for (int i = 0; i < 4; ++i) {
      auto result = evaluate(ready, *sizes, *arguments[i], parameters);
      if (!result)
        return result.error();
      values[i] = std::move(*result);
    }
    for (std::size_t output = 0; output < values[0].size(); ++output)
      for (std::int64_t k = 0; k < values[0][output].elementCount(); ++k) {
        auto at = [&](int i) { return values[i][output].as<double>()[k]; };
        double base = offset ? at(3) : 0;
        double error = (at(2) - base) - ((at(0) - base) - 2 * (at(1) - base));
        if (!(std::abs(error) <= 1e-8 * (1 + std::abs(at(0)) + std::abs(at(1)))) || (!offset && std::abs(at(3)) > 1e-9))
          return fmt::format("a{} learner is filled by a function that is none", offset ? "n affine" : " linear");
      }
  }
  return std::nullopt;
}

/// The learner whose bare application to the rule's wires the left side is.
std::optional<LearnerId> bareLearner(const Definition &left) {
  const Diagram *diagram = &left.diagram;
  // Through the boxes of `per`, which hold nothing else.
  while (diagram->ops.size() == 1 && std::holds_alternative<Box>(diagram->ops[0].generator))
    diagram = bodyOf(diagram->ops[0].generator).get();
  if (diagram->ops.size() != 1 || diagram->outputs != diagram->ops[0].results)
    return std::nullopt;
  auto *apply = std::get_if<Apply>(&diagram->ops[0].generator);
  if (!apply)
    return std::nullopt;
  std::set<std::size_t> distinct;
  for (WireId operand : diagram->ops[0].operands)
    if (diagram->wire(operand).producer.valid() || !distinct.insert(operand.index()).second)
      return std::nullopt;
  return apply->learner;
}

bool hasLearners(const Diagram &diagram) {
  return std::ranges::any_of(diagram.ops, [](const Op &op) {
    const DiagramRef &body = bodyOf(op.generator);
    return std::holds_alternative<Apply>(op.generator) || (body && hasLearners(*body));
  });
}

const char *const oneWay =
    "that the right side can do whatever the left can needs its fillings, or a citation: @cite KEY";

} // namespace

namespace {

/// Two definitions of the same inputs, side by side.
class Trials {
public:
  Trials(const Definition &left, const Definition &right, const std::vector<Constraint> &conditions)
      : first(withoutHoles(left)), second(withoutHoles(right)), conditions(conditions),
        names(sizeNames(first, second)) {}

  std::set<std::size_t> scores() const {
    std::set<std::size_t> result = scoresOf(first);
    result.merge(scoresOf(second));
    return result;
  }

  std::optional<std::string> differ(std::int64_t trial, const std::set<std::size_t> &masked, Logits logits) const {
    auto sizes = drawSizes(names, conditions, trial);
    if (!sizes) {
      if (trial == emptyTrial)
        return std::nullopt; // no empty axis meets the conditions
      return "no small sizes meet its conditions";
    }
    auto a = run(first, *sizes, trial, masked, logits), b = run(second, *sizes, trial, masked, logits);
    if (!a || !b)
      return (a ? b : a).error();
    for (std::size_t i = 0; i < a->size(); ++i)
      if (double error = distance((*a)[i], (*b)[i]); !(error <= 1e-9))
        return fmt::format("at {}{} the two differ by {:.2g} of their size", sizesText(*sizes), text(logits), error);
    return std::nullopt;
  }

private:
  Definition first, second;
  const std::vector<Constraint> &conditions;
  std::vector<std::string> names;
};

} // namespace

std::optional<std::string> differAnywhere(const Definition &left, const Definition &right,
                                          const std::vector<Constraint> &conditions, unsigned trials) {
  Trials both(left, right, conditions);
  for (std::int64_t trial = 0; trial < std::int64_t(trials); ++trial)
    if (auto wrong = both.differ(trial, {}, Logits::Ordinary))
      return wrong;
  if (std::set<std::size_t> scores = both.scores(); !scores.empty())
    for (std::int64_t trial = 0; trial < 3; ++trial)
      for (Logits logits : extremes)
        if (auto wrong = both.differ(trial, scores, logits))
          return wrong;
  return std::nullopt;
}

std::set<std::size_t> finiteInputs(const Rule &rule) {
  std::set<std::size_t> finite;
  if (rule.kind != RuleKind::Equation)
    return finite;
  Trials both(rule.left, rule.right, rule.conditions);
  const Diagram &diagram = rule.left.diagram;
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i)
    for (std::int64_t trial = 0; diagram.type(diagram.inputs[i]).kind == Kind::Real && trial <= emptyTrial; ++trial)
      for (Logits logits : {Logits::SomeMasked, Logits::AllMasked})
        if (both.differ(trial, {i}, logits))
          finite.insert(i);
  return finite;
}

std::optional<std::string> falseClaim(const Rule &rule) {
  if (rule.kind == RuleKind::Equation)
    return differAnywhere(rule.left, rule.right, rule.conditions);
  bool cited = rule.doc.find("@cite") != std::string::npos;
  for (const auto &[target, filling] : rule.fillings)
    if (LearnerKind kind = rule.left.learner(target).kind; kind == LearnerKind::Linear || kind == LearnerKind::Affine)
      if (auto wrong = notLinear(filling, kind == LearnerKind::Affine, rule.conditions))
        return wrong;
  if (rule.filledRight)
    if (auto wrong = differAnywhere(rule.left, *rule.filledRight, rule.conditions))
      return wrong;
  if (rule.filledLeft) {
    if (auto wrong = differAnywhere(*rule.filledLeft, rule.right, rule.conditions))
      return wrong;
    if (rule.bothWays && !rule.filledRight && !cited)
      return oneWay;
    return std::nullopt;
  }
  if (rule.kind == RuleKind::Specialise && !hasLearners(rule.left.diagram))
    return differAnywhere(rule.left, rule.right, rule.conditions); // it narrows sizes, no more
  if (auto bare = bareLearner(rule.left)) {
    LearnerKind kind = rule.left.learner(*bare).kind;
    if (kind == LearnerKind::Linear || kind == LearnerKind::Affine)
      if (auto wrong = notLinear(rule.right, kind == LearnerKind::Affine, rule.conditions))
        return wrong;
    if (rule.bothWays && !rule.filledRight && !cited)
      return oneWay;
    return std::nullopt;
  }
  if (rule.kind == RuleKind::Specialise)
    return "it does not say how the left side's learners are filled: by { a(x, y) = … }";
  if (!cited)
    return "it needs fillings, by { … }, or a citation, @cite KEY";
  return std::nullopt;
}

} // namespace attnc
