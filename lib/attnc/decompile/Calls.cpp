#include "attnc/decompile/Parts.h"
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Transform.h"

#include <algorithm>

namespace attnc::decompilation {

void markLearners(const Diagram &diagram, const std::function<bool(const Call &)> &skip, std::vector<bool> &marks) {
  for (const Op &op : diagram.ops) {
    if (auto *apply = std::get_if<Apply>(&op.generator))
      marks[apply->learner.index()] = true;
    auto *call = std::get_if<Call>(&op.generator);
    if (const DiagramRef &body = bodyOf(op.generator); body && !(call && skip(*call)))
      markLearners(*body, skip, marks);
  }
}

/// Binds what follows from patterns[i] == actual[i]; the patterns' names are not the actual ones'.
static void solve(const std::vector<Type> &patterns, const std::vector<Type> &actual, Size::Bindings &bindings,
                  const std::set<std::string> &unknowns) {
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < patterns.size(); ++i)
      for (std::size_t axis = 0; axis < patterns[i].rank() && axis < actual[i].rank(); ++axis) {
        Size pattern = patterns[i].axes[axis].substitute(bindings);
        std::optional<std::string> only;
        std::size_t count = 0;
        for (const std::string &name : pattern.names())
          if (unknowns.contains(name) && !bindings.contains(name)) {
            only = name;
            ++count;
          }
        if (count != 1)
          continue;
        if (auto value = pattern.solveFor(*only, actual[i].axes[axis])) {
          bindings.emplace(*only, *value);
          more = true;
        }
      }
  }
}

std::optional<KeptCall> matchCall(const Call &call, const Definition &callee, const Definition &caller) {
  const Diagram &body = *call.body;
  if (callee.diagram.inputs.size() != body.inputs.size() || callee.diagram.outputs.size() != body.outputs.size())
    return std::nullopt;
  // The callee's size names must not meet the caller's, however they are spelled.
  Size::Bindings apart;
  std::set<std::string> unknowns;
  for (const std::string &name : callee.sizeNames()) {
    apart.emplace(name, Size::variable("callee:" + name));
    unknowns.insert("callee:" + name);
  }
  Definition own = substitute(callee, apart);
  Size::Bindings bindings;
  solve(own.diagram.inputTypes(), body.inputTypes(), bindings, unknowns);
  Size::Bindings byArguments = bindings;
  solve(own.diagram.outputTypes(), body.outputTypes(), bindings, unknowns);
  KeptCall kept;
  for (const std::string &name : callee.sizeNames()) {
    std::string unknown = "callee:" + name;
    if (!bindings.contains(unknown)) // of learners alone: free, under the callee's name
      bindings.emplace(unknown, Size::variable(call.name + "." + name));
    else if (!byArguments.contains(unknown))
      kept.keywords.emplace_back(name, bindings.at(unknown));
  }
  own = substitute(own, bindings);
  if (own.diagram.inputTypes() != body.inputTypes() || own.diagram.outputTypes() != body.outputTypes())
    return std::nullopt;

  std::vector<bool> here(caller.learners.size());
  markLearners(body, [](const Call &) { return false; }, here);
  std::size_t count = 0;
  for (std::size_t i = 0; i < here.size(); ++i)
    if (here[i]) {
      ++count;
      bool same = false;
      for (const Learner &learner : own.learners)
        same |= call.name + "." + learner.label == caller.learners[i].label;
      if (!same)
        return std::nullopt;
    }
  std::vector<bool> there(own.learners.size());
  markLearners(own.diagram, [](const Call &) { return false; }, there);
  if (count != std::size_t(std::count(there.begin(), there.end(), true)))
    return std::nullopt;
  for (const Learner &learner : own.learners)
    if (learner.kind == LearnerKind::Hole)
      return std::nullopt;
  Definition inner;
  inner.diagram = body;
  inner.learners = caller.learners;
  CanonicalForm left = canonicalForm(inner), right = canonicalForm(own);
  return left == right ? std::optional(kept) : std::nullopt;
}

} // namespace attnc::decompilation
