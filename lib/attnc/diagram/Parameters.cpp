#include "attnc/diagram/Parameters.h"

#include <fmt/format.h>

namespace attnc {

namespace {

Type joined(const std::vector<Size> &per, const std::vector<Size> &first, const std::vector<Size> &second) {
  Type type{Kind::Real, per};
  type.axes.insert(type.axes.end(), first.begin(), first.end());
  type.axes.insert(type.axes.end(), second.begin(), second.end());
  return type;
}

} // namespace

std::vector<Parameter> parametersOf(const Learner &learner, LearnerId id) {
  std::vector<Parameter> parameters;
  auto add = [&](const std::string &suffix, const std::vector<Size> &first, const std::vector<Size> &second) {
    parameters.push_back({learner.label + suffix, id, joined(learner.per, first, second)});
  };
  auto addWeights = [&](const std::string &suffix, const std::vector<Size> &target) {
    for (std::size_t i = 0; i < learner.domain.size(); ++i)
      add(learner.domain.size() == 1 ? suffix : fmt::format("{}.{}", suffix, i), learner.domain[i].axes, target);
  };
  const std::vector<Size> &target = learner.codomain.front().axes;
  switch (learner.kind) {
  case LearnerKind::Linear:
    addWeights("", target);
    break;
  case LearnerKind::Affine:
    addWeights(".weight", target);
    add(".bias", target, {});
    break;
  case LearnerKind::Param:
    add("", target, {});
    break;
  case LearnerKind::Universal:
    addWeights(".hidden.weight", {learner.width});
    add(".hidden.bias", {learner.width}, {});
    add(".out.weight", {learner.width}, target);
    add(".out.bias", target, {});
    break;
  case LearnerKind::Hole:
    break;
  }
  return parameters;
}

std::vector<Parameter> parametersOf(const Definition &definition) {
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < definition.learners.size(); ++i)
    for (Parameter &parameter : parametersOf(definition.learners[i], LearnerId(i)))
      all.push_back(std::move(parameter));
  return all;
}

} // namespace attnc
