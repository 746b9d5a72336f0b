#include "attnc/rewrite/Match.h"

#include <algorithm>
#include <limits>
#include <set>

namespace attnc::rewriting {

namespace {

class Matcher {
public:
  Matcher(const Host &host, const Pattern &pattern, const std::function<bool(Match)> &yes)
      : host(host), pattern(pattern), left(pattern.left), yes(yes), sizes(pattern.mayNarrow()) {
    match.images.resize(left.inputs.size());
    match.learners.resize(left.learners.size());
    match.roots.resize(pattern.leftRoots.size());
    for (std::uint32_t input = 0; input < left.inputs.size(); ++input)
      inputTypes.push_back(&left.type(Wire{left.inputs[input]}));
    prepareSpines();
  }

  void run() {
    reach();
    nextRoot(0);
  }

private:
  struct Goal {
    Wire pattern, wire;
    EnvId env;
  };

  void prepareSpines() {
    spines.resize(left.nodeCount());
    for (std::size_t i = 0; i < left.nodeCount(); ++i)
      if (left.node(NodeId(i)).alive)
        spines[i] = pattern.spine(left, true, {NodeId(i)});
  }

  /// The nodes that the outputs need, by rank.
  void reach() {
    std::vector<bool> seen(host.nodeCount());
    std::vector<NodeId> pending;
    auto visit = [&](Wire wire) {
      NodeId id = host.find(wire).node;
      if (!seen[id.index()]) {
        seen[id.index()] = true;
        pending.push_back(id);
      }
    };
    for (Wire output : host.outputs)
      visit(output);
    while (!pending.empty()) {
      NodeId id = pending.back();
      pending.pop_back();
      nodes.push_back(id);
      if (host.node(id).kind == NodeKind::Apply)
        ++learnerUses[host.node(id).slot];
      for (Wire operand : host.node(id).operands)
        visit(operand);
    }
    std::ranges::sort(nodes, {}, [&](NodeId id) { return std::pair(host.node(id).rank, id); });
  }

  // ---- Search

  bool nextRoot(std::size_t which) {
    if (which == pattern.leftRoots.size())
      return accept();
    Wire root = pattern.leftRoots[which];
    const Node &wanted = left.node(root);
    for (NodeId id : nodes) {
      const Node &candidate = host.node(id);
      if (candidate.kind != wanted.kind || !sameRoot(wanted, candidate))
        continue;
      match.roots[which] = {id, root.port};
      if (std::find(match.roots.begin(), match.roots.begin() + which, match.roots[which]) !=
          match.roots.begin() + which)
        continue; // two results of the rule are two of the host
      if (which == 0)
        distinct.clear();
      goals.push_back({root, {id, root.port}, {}});
      Trail before = trail();
      bool more = solve([&] { return nextRoot(which + 1); });
      undo(before);
      goals.clear();
      if (!more)
        return false;
    }
    return true;
  }

  bool sameRoot(const Node &wanted, const Node &node) const {
    if (wanted.kind == NodeKind::Op)
      return wanted.label == node.label || host.tables->label(wanted.label).sized;
    return wanted.kind != NodeKind::Fold || wanted.slot == node.slot;
  }

  /// Solves the goals, then goes on with `then`; false ends the search.
  template <class Then> bool solve(const Then &then) {
    while (!goals.empty()) {
      Goal goal = goals.back();
      goals.pop_back();
      if (const auto &spine = spines[goal.pattern.node.index()]) {
        if (!bindInput(*spine, goal))
          return true;
        continue;
      }
      scope.resolve(goal.wire, goal.env);
      const Node &wanted = left.node(goal.pattern), &node = host.node(goal.wire);
      if (wanted.kind != node.kind || goal.pattern.port != goal.wire.port)
        return true;
      if (wanted.kind == NodeKind::Op && host.tables->label(wanted.label).commutative) {
        if (wanted.label != node.label)
          return true;
        return bothOrders(wanted, node, goal.env, then);
      }
      if (!step(wanted, node, goal))
        return true;
    }
    return then();
  }

  template <class Then> bool bothOrders(const Node &wanted, const Node &node, EnvId env, const Then &then) {
    Trail before = trail();
    std::vector<Goal> rest = goals;
    Wire first = host.operand(node, 0), second = host.operand(node, 1);
    for (bool swapped : {false, true}) {
      if (swapped && first == second)
        break;
      goals.push_back({wanted.operands[1], swapped ? first : second, env});
      goals.push_back({wanted.operands[0], swapped ? second : first, env});
      if (!solve(then))
        return false;
      undo(before);
      goals = rest;
    }
    return true;
  }

  /// One node of the pattern against one of the host; its operands become goals.
  bool step(const Node &wanted, const Node &node, const Goal &goal) {
    EnvId env = goal.env;
    switch (wanted.kind) {
    case NodeKind::Input:
      return false; // a spine
    case NodeKind::Index:
      return standsFor(wanted.binder, scope.lookUp(env, node.binder));
    case NodeKind::State:
      return wanted.slot == node.slot && standsFor(wanted.binder, scope.lookUp(env, node.binder));
    case NodeKind::At:
      break;
    case NodeKind::Stack:
      if (!unify(left.binder(wanted.binder).size, host.binder(node.binder).size))
        return false;
      env = enterBinder(wanted.binder, node.binder, env);
      break;
    case NodeKind::Fold:
      if (wanted.slot != node.slot)
        return false;
      break;
    case NodeKind::Scan: {
      if (wanted.slot != node.slot || wanted.operands.size() != node.operands.size() ||
          !unify(left.binder(wanted.binder).size, host.binder(node.binder).size))
        return false;
      EnvId inside = enterBinder(wanted.binder, node.binder, env);
      for (std::size_t i = node.operands.size(); i-- > 0;)
        goals.push_back({wanted.operands[i], host.operand(node, i), i < wanted.slot ? env : inside});
      return true;
    }
    case NodeKind::Apply:
      return applyStep(wanted, node, goal);
    case NodeKind::Op:
      if (!sameLabel(wanted.label, node.label))
        return false;
      break;
    }
    if (wanted.operands.size() != node.operands.size())
      return false;
    for (std::size_t i = node.operands.size(); i-- > 0;)
      goals.push_back({wanted.operands[i], host.operand(node, i), env});
    return true;
  }

  bool applyStep(const Node &wanted, const Node &node, const Goal &goal) {
    auto &image = match.learners[wanted.slot];
    const Learner &rule = left.learners[wanted.slot], &learner = host.learners[node.slot];
    std::vector<BinderId> pers;
    for (std::size_t i = 0; i < node.pers; ++i)
      pers.push_back(scope.lookUp(goal.env, host.node(host.operand(node, i)).binder));
    if (wanted.pers > node.pers)
      return false;
    // The rule's own are the innermost; those around them stay as they are.
    std::size_t outer = node.pers - wanted.pers;
    for (std::size_t i = 0; i < wanted.pers; ++i)
      if (!standsFor(left.node(wanted.operands[i]).binder, pers[outer + i]) ||
          !unify(rule.per[i], learner.per[outer + i]))
        return false;
    if (std::any_of(pers.begin(), pers.begin() + outer, [](BinderId one) { return one.index() >= firstVirtual; }))
      return false;
    if (image.learner.valid()) {
      if (image.learner.index() != node.slot || image.pers != pers)
        return false;
    } else {
      // A box of the rule stands for any learner, but what fills it fills boxes alone.
      bool anyKind = rule.kind == LearnerKind::Hole && pattern.rightLearners[wanted.slot];
      if ((!anyKind && rule.kind != learner.kind) || !unify(rule.domain, learner.domain) ||
          !unify(rule.codomain, learner.codomain))
        return false;
      for (const auto &other : match.learners)
        if (other.learner.valid() && other.learner.index() == node.slot)
          return false; // two learners of the rule are two of the host
      image = {LearnerId(node.slot), pers};
    }
    if (std::ranges::find(match.applied, goal.wire.node) == match.applied.end())
      match.applied.push_back(goal.wire.node);
    if (wanted.operands.size() - wanted.pers != node.operands.size() - node.pers)
      return false;
    for (std::size_t i = node.operands.size() - node.pers; i-- > 0;)
      goals.push_back({wanted.operands[wanted.pers + i], host.operand(node, node.pers + i), goal.env});
    return true;
  }

  bool sameLabel(LabelId wanted, LabelId given) {
    if (wanted == given)
      return true;
    const Generator &a = host.tables->label(wanted).generator, &b = host.tables->label(given).generator;
    if (a.index() != b.index() || !host.tables->label(wanted).sized)
      return false;
    if (auto *size = std::get_if<SizeValue>(&a))
      return unify(size->size, std::get<SizeValue>(b).size);
    if (auto *scatter = std::get_if<Scatter>(&a))
      return unify(scatter->size, std::get<Scatter>(b).size);
    if (auto *topk = std::get_if<TopK>(&a))
      return unify(topk->count, std::get<TopK>(b).count);
    const auto &axes = std::get<Reshape>(a).axes, &others = std::get<Reshape>(b).axes;
    if (axes.size() != others.size())
      return false;
    for (std::size_t i = 0; i < axes.size(); ++i)
      if (!unify(axes[i], others[i]))
        return false;
    return true;
  }

  // ---- Binders

  EnvId enterBinder(BinderId wanted, BinderId given, EnvId env) {
    BinderId virtualBinder(firstVirtual + match.binders.size());
    match.binders.emplace_back(wanted, given);
    return scope.extend(env, given, virtualBinder);
  }

  /// A binder of the pattern is the one its box was matched with, or, of a dropped axis, any one of the host's.
  bool standsFor(BinderId wanted, BinderId given) {
    if (pattern.isDropped(true, wanted)) {
      if (given.index() >= firstVirtual)
        return false;
      auto known = std::ranges::find(dropped, wanted, &std::pair<BinderId, BinderId>::first);
      if (known != dropped.end())
        return known->second == given;
      dropped.emplace_back(wanted, given);
      return unify(left.binder(wanted).size, host.binder(given).size);
    }
    return given.index() >= firstVirtual && match.binders[given.index() - firstVirtual].first == wanted;
  }

  // ---- Metavariables

  bool bindInput(const Pattern::Spine &spine, const Goal &goal) {
    Image image{{}, host.find(goal.wire), goal.env};
    for (BinderId wanted : spine.indices) {
      auto at = std::ranges::find(match.binders.rbegin(), match.binders.rend(), wanted,
                                  &std::pair<BinderId, BinderId>::first);
      if (at == match.binders.rend())
        return false;
      image.indices.push_back(BinderId(firstVirtual + (match.binders.rend() - at - 1)));
    }
    for (BinderId one : host.free(image.wire)) {
      BinderId seen = scope.lookUp(image.env, one);
      if (seen.index() >= firstVirtual && std::ranges::find(image.indices, seen) == image.indices.end())
        return false; // it depends on an axis that the metavariable does not have
    }
    Image &known = match.images[spine.input];
    if (known.wire.valid())
      return known.indices.size() == image.indices.size() && sameImage(scope, known, image);
    const Type &wanted = *inputTypes[spine.input], &given = host.type(image.wire);
    if (wanted.kind != given.kind || wanted.rank() != given.rank() + spine.axes)
      return false;
    for (std::size_t i = 0; i < given.rank(); ++i)
      if (!unify(wanted.axes[spine.axes + i], given.axes[i]))
        return false;
    known = std::move(image);
    bound.push_back(spine.input);
    return true;
  }

  // ---- Sizes

  bool unify(const Size &wanted, const Size &given) { return sizes.unify(wanted, given); }
  bool unify(const std::vector<Type> &wanted, const std::vector<Type> &given) {
    if (wanted.size() != given.size())
      return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].kind != given[i].kind || wanted[i].rank() != given[i].rank())
        return false;
      for (std::size_t k = 0; k < wanted[i].rank(); ++k)
        if (!unify(wanted[i].axes[k], given[i].axes[k]))
          return false;
    }
    return true;
  }

  // ---- What is undone

  struct Trail {
    std::size_t envs, binders, applied, bound, dropped;
    std::vector<Match::LearnerImage> learners;
    SizeMatch sizes;
  };
  Trail trail() const {
    return {match.envs.size(),
            match.binders.size(),
            match.applied.size(),
            bound.size(),
            dropped.size(),
            match.learners,
            sizes};
  }
  void undo(const Trail &to) {
    match.envs.resize(to.envs);
    match.binders.resize(to.binders);
    match.applied.resize(to.applied);
    for (; bound.size() > to.bound; bound.pop_back())
      match.images[bound.back()] = {};
    sizes = to.sizes;
    dropped.resize(to.dropped);
    match.learners = to.learners;
  }

  // ---- Acceptance

  bool accept() {
    for (std::size_t i = 0; i < match.learners.size(); ++i) {
      if (!match.learners[i].learner.valid() || (pattern.rightLearners[i] && !pattern.wholeLearner))
        continue;
      std::uint32_t learner = match.learners[i].learner.index();
      std::size_t here = std::ranges::count_if(match.applied, [&](NodeId id) { return host.node(id).slot == learner; });
      if (pattern.wholeLearner) {
        if (!wholes.insert(learner).second)
          return true; // another use of a learner that is matched already
      } else if (here != learnerUses[learner]) {
        return true;
      }
    }
    if (std::ranges::any_of(pattern.rule->conditions, [&](const Constraint &one) { return sizes.refutes(one); }))
      return true;
    if (match.roots.size() > 1 && !isConvex(host, match))
      return true;
    if (pattern.commutes && !distinct.insert(fingerprint()).second)
      return true; // operands exchanged, to the same effect
    match.context.clear();
    Match found = match;
    found.sizes = sizes.bindings;
    found.equated = sizes.equated;
    for (BinderId one : pattern.droppedLeft) {
      auto known = std::ranges::find(dropped, one, &std::pair<BinderId, BinderId>::first);
      found.context.push_back(known == dropped.end() ? BinderId() : known->second);
    }
    return yes(std::move(found));
  }

  /// What tells apart the matches of one first root.
  std::vector<std::uint32_t> fingerprint() {
    std::vector<std::uint32_t> print;
    const std::size_t envs = match.envs.size();
    for (Wire root : match.roots)
      print.push_back(root.node.index());
    for (const Image &image : match.images) {
      if (!image.wire.valid())
        continue;
      Wire wire = image.wire;
      EnvId env = image.env;
      scope.resolve(wire, env);
      print.insert(print.end(), {std::uint32_t(wire.node.index()), wire.port});
      for (BinderId one : host.free(wire)) {
        BinderId seen = scope.lookUp(env, one);
        auto place = std::ranges::find(image.indices, seen);
        bool own = place != image.indices.end();
        print.insert(print.end(), {own, std::uint32_t(own ? place - image.indices.begin() : seen.index())});
      }
    }
    match.envs.resize(envs);
    for (const auto &image : match.learners)
      print.push_back(image.learner.valid() ? image.learner.index() : 0);
    return print;
  }

  const Host &host;
  const Pattern &pattern;
  const Host &left;
  const std::function<bool(Match)> &yes;
  std::vector<std::optional<Pattern::Spine>> spines; // by node of the pattern
  std::vector<const Type *> inputTypes;
  std::vector<NodeId> nodes;
  std::map<std::uint32_t, std::size_t> learnerUses;
  std::set<std::uint32_t> wholes;
  std::set<std::vector<std::uint32_t>> distinct;
  Match match;
  Scope scope{host, match.envs};
  SizeMatch sizes;
  std::vector<Goal> goals;
  std::vector<std::uint32_t> bound;
  std::vector<std::pair<BinderId, BinderId>> dropped;
};

} // namespace

void forEachMatch(const Host &host, const Pattern &pattern, const std::function<bool(Match)> &yes) {
  Matcher(host, pattern, yes).run();
}

std::vector<Match> allMatches(const Host &host, const Pattern &pattern) {
  std::vector<Match> matches;
  forEachMatch(host, pattern, [&](Match match) {
    matches.push_back(std::move(match));
    return true;
  });
  return matches;
}

} // namespace attnc::rewriting
