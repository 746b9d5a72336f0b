#include "attnc/rewrite/Apply.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace attnc::rewriting {

namespace {

class Replacement {
public:
  Replacement(Host &host, const Pattern &pattern, const Match &match,
              const std::vector<std::pair<std::string, Size>> &arguments)
      : host(host), pattern(pattern), right(pattern.right), match(match), sizes(match.sizes) {
    takeSizes(arguments);
  }

  tl::expected<Applied, std::string> run() {
    if (!problem.empty())
      return tl::unexpected(problem);
    if (!isConvex(host, match))
      return tl::unexpected<std::string>("what it matched is not there any more, or feeds itself");
    Applied applied;
    if (!match.equated.empty())
      host.substitute(match.equated);
    if (auto wrong = checkConditions(applied); !wrong.empty())
      return tl::unexpected(wrong);
    makeLearners();
    if (!pattern.wholeLearner || pattern.rightLearners == pattern.leftLearners)
      one(match, applied);
    else
      everyUse(applied);
    if (!problem.empty())
      return tl::unexpected(problem);
    return applied;
  }

private:
  void takeSizes(const std::vector<std::pair<std::string, Size>> &arguments) {
    for (const auto &[name, size] : arguments) {
      if (std::ranges::find(pattern.sizes, name) == pattern.sizes.end())
        problem = fmt::format("the rule has no size '{}'", name);
      else if (auto known = sizes.find(name); known != sizes.end() && known->second != size)
        problem = fmt::format("its size '{}' is {} here, not {}", name, known->second.str(), size.str());
      else
        sizes[name] = size;
    }
    std::set<std::string> taken;
    auto take = [&](const Type &type) {
      for (const Size &axis : type.axes)
        for (const std::string &name : axis.names())
          taken.insert(name);
    };
    for (NodeId input : host.inputs)
      take(host.type(Wire{input}));
    for (const Learner &learner : host.learners)
      for (const auto *side : {&learner.domain, &learner.codomain})
        for (const Type &type : *side)
          take(type);
    for (const std::string &name : pattern.sizes) {
      if (sizes.contains(name))
        continue;
      std::string fresh = name;
      for (unsigned i = 2; taken.contains(fresh); ++i)
        fresh = name + std::to_string(i);
      sizes[name] = Size::variable(fresh);
    }
  }

  std::string checkConditions(Applied &applied) {
    for (Constraint condition : pattern.rule->conditions) {
      condition.left = condition.left.substitute(sizes);
      condition.right = condition.right.substitute(sizes);
      if (condition.modulus)
        condition.modulus = condition.modulus->substitute(sizes);
      switch (judge(condition)) {
      case Verdict::Holds:
        break;
      case Verdict::Fails:
        return fmt::format("its side condition '{}' does not hold", condition.str());
      case Verdict::Assumed:
        applied.assumed.push_back(condition);
      }
    }
    for (const Constraint &condition : applied.assumed)
      host.constraints.push_back(condition);
    return "";
  }

  /// Learners of the right side alone are new; those without `per` of their own have that of the learners they replace.
  void makeLearners() {
    learners.resize(right.learners.size());
    std::vector<Size> per;
    for (std::size_t i = 0; i < right.learners.size(); ++i)
      if (match.learners[i].learner.valid() && !pattern.rightLearners[i]) {
        inherited = outerOnly(match.learners[i].pers, i);
        per = outerOnly(host.learners[match.learners[i].learner.index()].per, i);
      }
    for (std::size_t i = 0; i < right.learners.size(); ++i) {
      if (match.learners[i].learner.valid())
        learners[i] = match.learners[i].learner;
      if (learners[i].valid() || !pattern.rightLearners[i])
        continue;
      Learner fresh = right.learners[i];
      for (auto *side : {&fresh.domain, &fresh.codomain})
        for (Type &type : *side)
          type = type.substitute(sizes);
      for (Size &one : fresh.per)
        one = one.substitute(sizes);
      fresh.width = fresh.width.substitute(sizes);
      fresh.per.insert(fresh.per.begin(), per.begin(), per.end());
      learners[i] = LearnerId(host.learners.size());
      host.learners.push_back(std::move(fresh));
    }
  }

  /// Without those that the rule's learner has itself, the innermost.
  template <class T> std::vector<T> outerOnly(const std::vector<T> &pers, std::size_t learner) const {
    return {pers.begin(), pers.end() - pattern.left.learners[learner].per.size()};
  }

  void everyUse(Applied &applied) {
    // A bare learner: each of its uses matches by itself, with the same sizes.
    LearnerId replaced =
        host.node(match.roots[0]).kind == NodeKind::Apply ? LearnerId(host.node(match.roots[0]).slot) : LearnerId();
    std::vector<Match> uses;
    for (std::size_t i = 0; i < host.nodeCount(); ++i) {
      const Node &node = host.node(NodeId(i));
      if (node.alive && node.kind == NodeKind::Apply && node.slot == replaced.index() &&
          host.find(Wire{NodeId(i)}).node == NodeId(i))
        uses.push_back(useAt(NodeId(i)));
    }
    for (const Match &use : uses)
      one(use, applied);
  }

  Match useAt(NodeId id) {
    Match use = match;
    const Node &node = host.node(id), &wanted = pattern.left.node(pattern.leftRoots[0]);
    use.roots = {Wire{id}};
    for (std::size_t i = 0; i + node.pers < node.operands.size(); ++i) {
      auto spine = pattern.spine(pattern.left, true, wanted.operands[wanted.pers + i]);
      use.images[spine->input] = {{}, host.operand(node, node.pers + i), {}};
    }
    std::vector<BinderId> pers;
    for (std::size_t i = 0; i < node.pers; ++i)
      pers.push_back(host.node(host.operand(node, i)).binder);
    use.learners[wanted.slot].pers = pers;
    for (std::size_t i = 0; i < wanted.pers; ++i)
      for (std::size_t k = 0; k < pattern.droppedLeft.size(); ++k)
        if (pattern.droppedLeft[k] == pattern.left.node(wanted.operands[i]).binder)
          use.context[k] = pers[node.pers - wanted.pers + i];
    return use;
  }

  void one(const Match &at, Applied &applied) {
    here = &at;
    made.clear();
    binders.clear();
    if (pattern.wholeLearner) {
      std::uint32_t learner = pattern.left.node(pattern.leftRoots[0]).slot;
      inherited = outerOnly(at.learners[learner].pers, learner);
    }
    std::int64_t lowest = 0, below = std::numeric_limits<std::int64_t>::max();
    for (const Image &image : at.images)
      if (image.wire.valid())
        lowest = std::max(lowest, host.node(host.find(image.wire)).rank);
    for (Wire root : at.roots)
      below = std::min(below, host.node(root).rank);
    bool meets = below - lowest <= static_cast<std::int64_t>(4 * pattern.rightCount + 8);
    host.placeBelow(lowest, below, 4 * pattern.rightCount + 8);
    std::size_t first = host.nodeCount();
    std::vector<Wire> results;
    for (Wire root : pattern.rightRoots)
      results.push_back(build(root));
    for (std::size_t i = 0; i < results.size(); ++i) {
      host.describe(results[i].node, host.node(at.roots[i]).name, host.node(at.roots[i]).span);
      host.replace(at.roots[i], results[i]);
    }
    host.sweep(first);
    host.placeLast();
    if (meets || host.nodeCount() - first > 4 * pattern.rightCount + 8)
      host.rerank();
    applied.results.insert(applied.results.end(), results.begin(), results.end());
  }

  /// The binder of the host for one of the right side.
  BinderId binderFor(BinderId wanted) {
    for (auto &[known, given] : binders)
      if (known == wanted)
        return given;
    const Binder &binder = right.binder(wanted);
    BinderId given;
    if (pattern.isDropped(false, wanted)) {
      auto place = std::ranges::find(pattern.droppedRight, wanted) - pattern.droppedRight.begin();
      given = here->context[place];
      if (!given.valid()) {
        problem = "the index of a box around is used, which the match does not say";
        given = host.newBinder(binder.size.substitute(sizes));
      }
    } else if (BinderId heir = pattern.heirs[wanted.index()]; heir.valid() && mayInherit(heir, given)) {
      // `given` was found
    } else {
      given = host.newBinder(binder.size.substitute(sizes), binder.name);
      if (binder.elementwise)
        host.markElementwise(given);
    }
    binders.emplace_back(wanted, given);
    return given;
  }

  /// The host's box that the left side's box matched, if nothing but its own body knows its index.
  bool mayInherit(BinderId heir, BinderId &given) {
    auto at = std::ranges::find(here->binders, heir, &std::pair<BinderId, BinderId>::first);
    if (at == here->binders.end())
      return false;
    given = at->second;
    for (auto &[known, other] : binders)
      if (other == given)
        return false;
    BinderId virtualBinder(firstVirtual + (at - here->binders.begin()));
    for (const Image &image : here->images) {
      if (!image.wire.valid())
        continue;
      for (BinderId one : host.free(image.wire)) {
        BinderId seen = lookUp(here->envs, image.env, one);
        if (seen == given || (one == given && seen != virtualBinder))
          return false;
      }
    }
    return true;
  }

  Wire build(Wire wire) {
    if (auto known = made.find(wire); known != made.end())
      return known->second;
    Wire result = construct(wire);
    made.emplace(wire, result);
    return result;
  }

  Wire construct(Wire wire) {
    if (auto spine = pattern.spine(right, false, wire))
      return instance(*spine);
    const Node &node = right.node(wire);
    std::vector<Wire> operands;
    switch (node.kind) {
    case NodeKind::Input:
      return {}; // a spine
    case NodeKind::Index:
      return host.index(binderFor(node.binder));
    case NodeKind::State:
      return host.state(binderFor(node.binder), node.slot, typeOf(right.type(wire)));
    case NodeKind::At: {
      Wire array = build(node.operands[0]);
      return host.at(array, build(node.operands[1]));
    }
    case NodeKind::Stack: {
      BinderId binder = binderFor(node.binder);
      return host.stack(binder, build(node.operands[0]));
    }
    case NodeKind::Fold:
      return host.fold(Cap(node.slot), build(node.operands[0]));
    case NodeKind::Scan: {
      BinderId binder = binderFor(node.binder);
      for (Wire operand : node.operands)
        operands.push_back(build(operand));
      std::span<const Wire> all(operands);
      NodeId id = host.scan(binder, all.subspan(0, node.slot), all.subspan(node.slot, node.slot),
                            all.subspan(2 * std::size_t(node.slot)));
      return {id, wire.port};
    }
    case NodeKind::Apply:
      return learned(wire, node);
    case NodeKind::Op: {
      for (Wire operand : node.operands)
        operands.push_back(build(operand));
      LabelId label = node.label;
      if (host.tables->label(label).sized)
        label = host.tables->substitute(label, sizes);
      NodeId id = host.op(label, operands, types(node));
      return {id, wire.port};
    }
    }
    return {};
  }

  Wire learned(Wire wire, const Node &node) {
    std::vector<Wire> pers, operands;
    bool known = match.learners[node.slot].learner.valid();
    for (BinderId one : known ? outerOnly(here->learners[node.slot].pers, node.slot) : inherited)
      pers.push_back(host.index(one));
    for (std::size_t i = 0; i < node.pers; ++i)
      pers.push_back(build(node.operands[i]));
    for (std::size_t i = node.pers; i < node.operands.size(); ++i)
      operands.push_back(build(node.operands[i]));
    Wire first = host.apply(learners[node.slot], pers, operands, types(node));
    host.describe(first.node, node.name, {});
    return {first.node, wire.port};
  }

  TypeId typeOf(const Type &type) { return host.tables->type(type.substitute(sizes)); }

  std::vector<TypeId> types(const Node &node) {
    std::vector<TypeId> result;
    for (TypeId one : node.types) {
      const Type &type = host.tables->type(one);
      result.push_back(type.isScalar() ? one : host.tables->type(type.substitute(sizes)));
    }
    return result;
  }

  /// A metavariable at indices of the right side: what it stands for, with these in the places of the left's.
  Wire instance(const Pattern::Spine &spine) {
    const Image &image = here->images[spine.input];
    std::vector<BinderId> targets;
    for (BinderId wanted : spine.indices)
      targets.push_back(binderFor(wanted));
    // Fewer indices than it had on the left: the rest are put back around it.
    std::vector<BinderId> around;
    while (targets.size() < image.indices.size()) {
      BinderId virtualBinder = image.indices[targets.size()];
      BinderId original = here->binders[virtualBinder.index() - firstVirtual].second;
      around.push_back(host.newBinder(host.binder(original).size, host.binder(original).name));
      targets.push_back(around.back());
    }
    Host::Renaming renaming;
    for (BinderId one : host.free(image.wire)) {
      BinderId seen = lookUp(here->envs, image.env, one);
      for (std::size_t i = 0; i < image.indices.size(); ++i)
        if (seen == image.indices[i])
          seen = targets[i];
      if (seen != one)
        renaming.emplace_back(one, seen);
    }
    Wire result = renaming.empty() ? host.find(image.wire) : host.rename(image.wire, renaming);
    // More: the array it stands for is sliced.
    for (std::size_t i = image.indices.size(); around.empty() && i < targets.size(); ++i)
      result = host.at(result, host.index(targets[i]));
    for (std::size_t i = around.size(); i-- > 0;)
      result = host.stack(around[i], result);
    return result;
  }

  Host &host;
  const Pattern &pattern;
  const Host &right;
  const Match &match;
  const Match *here = nullptr;
  Size::Bindings sizes;
  std::vector<LearnerId> learners;
  std::vector<BinderId> inherited;
  std::map<Wire, Wire> made;
  std::vector<std::pair<BinderId, BinderId>> binders;
  std::string problem;
};

} // namespace

tl::expected<Applied, std::string> apply(Host &host, const Pattern &pattern, const Match &match,
                                         const std::vector<std::pair<std::string, Size>> &arguments) {
  return Replacement(host, pattern, match, arguments).run();
}

} // namespace attnc::rewriting
