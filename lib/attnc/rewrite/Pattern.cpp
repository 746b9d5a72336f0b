#include "attnc/rewrite/Pattern.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace attnc::rewriting {

static bool hasCommuting(const Host &host) {
  for (std::size_t i = 0; i < host.nodeCount(); ++i)
    if (const Node &node = host.node(NodeId(i));
        node.alive && node.kind == NodeKind::Op && host.tables->label(node.label).commutative)
      return true;
  return false;
}

static void markLearners(const Host &host, std::vector<bool> &marks) {
  for (std::size_t i = 0; i < host.nodeCount(); ++i)
    if (const Node &node = host.node(NodeId(i)); node.alive && node.kind == NodeKind::Apply)
      marks[node.slot] = true;
}

bool Pattern::isDropped(bool onLeft, BinderId binder) const {
  return std::ranges::find(onLeft ? droppedLeft : droppedRight, binder) != (onLeft ? droppedLeft : droppedRight).end();
}

std::optional<Pattern::Spine> Pattern::spine(const Host &side, bool onLeft, Wire wire) const {
  Spine result{};
  for (; side.node(wire).kind == NodeKind::At; wire = side.node(wire).operands[0]) {
    BinderId binder = side.node(side.node(wire).operands[1]).binder;
    ++result.axes;
    if (!isDropped(onLeft, binder))
      result.indices.insert(result.indices.begin(), binder);
  }
  if (side.node(wire).kind != NodeKind::Input)
    return std::nullopt;
  result.input = side.node(wire).slot;
  return result;
}

/// Outermost axes of both sides whose index only slices metavariables (or, of the rule's own `per` boxes, picks
/// parameters).
void Pattern::dropAxes() {
  auto droppable = [&](const Host &side, BinderId binder) {
    for (std::size_t i = 0; i < side.nodeCount(); ++i) {
      const Node &node = side.node(NodeId(i));
      if (!node.alive)
        continue;
      for (std::size_t k = 0; k < node.operands.size(); ++k) {
        const Node &operand = side.node(node.operands[k]);
        if (operand.kind != NodeKind::Index || operand.binder != binder)
          continue;
        if (node.kind == NodeKind::Apply && k < node.pers)
          continue;
        if (node.kind == NodeKind::At && k == 1 && spine(side, true, {NodeId(i)}))
          continue;
        return false;
      }
    }
    return true;
  };
  for (;;) {
    std::set<BinderId> lefts, rights;
    for (std::size_t i = 0; i < leftRoots.size(); ++i) {
      const Node &l = left.node(leftRoots[i]), &r = right.node(rightRoots[i]);
      if (l.kind != NodeKind::Stack || r.kind != NodeKind::Stack || !droppable(left, l.binder) ||
          !droppable(right, r.binder))
        return;
      lefts.insert(l.binder);
      rights.insert(r.binder);
    }
    for (Wire &root : leftRoots)
      root = left.node(root).operands[0];
    for (Wire &root : rightRoots)
      root = right.node(root).operands[0];
    droppedLeft.insert(droppedLeft.end(), lefts.begin(), lefts.end());
    droppedRight.insert(droppedRight.end(), rights.begin(), rights.end());
  }
}

std::optional<std::string> Pattern::wrong() const {
  std::set<std::uint32_t> seen;
  for (std::size_t i = 0; i < left.nodeCount(); ++i) {
    const Node &node = left.node(NodeId(i));
    if (!node.alive || node.kind != NodeKind::Input || node.uses == 0)
      continue;
    seen.insert(node.slot);
  }
  for (Wire root : leftRoots)
    if (auto bare = spine(left, true, root))
      return fmt::format("'{}' stands there alone, and would match everything",
                         left.node(left.inputs[bare->input]).name);
  for (std::size_t i = 0; i < left.nodeCount(); ++i) {
    const Node &node = left.node(NodeId(i));
    if (!node.alive || node.kind != NodeKind::At)
      continue;
    if (auto chain = spine(left, true, {NodeId(i)})) {
      std::set<BinderId> distinct(chain->indices.begin(), chain->indices.end());
      if (distinct.size() != chain->indices.size())
        return fmt::format("'{}' is indexed twice by one index", left.node(left.inputs[chain->input]).name);
    }
  }
  for (std::size_t i = 0; i < right.inputs.size(); ++i)
    if (right.node(right.inputs[i]).uses > 0 && !seen.contains(i))
      return fmt::format("'{}' stands on the other side alone", right.node(right.inputs[i]).name);
  return std::nullopt;
}

void Pattern::findHeirs() {
  heirs.resize(right.binderCount());
  std::vector<std::optional<Spine>> there(left.inputs.size());
  for (std::size_t i = 0; i < left.nodeCount(); ++i)
    if (left.node(NodeId(i)).alive)
      if (auto chain = spine(left, true, {NodeId(i)}))
        if (auto &known = there[chain->input]; !known || chain->axes > known->axes)
          known = chain;
  std::set<BinderId> taken;
  for (std::size_t i = 0; i < right.nodeCount(); ++i) {
    const Node &node = right.node(NodeId(i));
    if (!node.alive || node.kind != NodeKind::At)
      continue;
    auto chain = spine(right, false, {NodeId(i)});
    if (!chain || !there[chain->input])
      continue;
    const Spine &old = *there[chain->input];
    for (std::size_t k = 0; k < std::min(chain->indices.size(), old.indices.size()); ++k)
      if (BinderId &heir = heirs[chain->indices[k].index()]; !heir.valid() && taken.insert(old.indices[k]).second)
        heir = old.indices[k];
  }
}

tl::expected<Pattern, std::string> Pattern::make(Tables &tables, const RuleRef &rule, bool reversed) {
  Pattern pattern(tables);
  pattern.rule = rule;
  pattern.reversed = reversed;
  pattern.left = load(tables, reversed ? rule->right : rule->left, true);
  pattern.right = load(tables, reversed ? rule->left : rule->right, true);
  if (std::max(pattern.left.nodeCount(), pattern.right.nodeCount()) >= maxReducedNodes)
    return tl::unexpected<std::string>("it is too large for one");
  pattern.leftRoots = pattern.left.outputs;
  pattern.rightRoots = pattern.right.outputs;
  // The boxes the rule stands in are dropped whatever its sides do with their index.
  pattern.dropAxes();
  pattern.commutes = hasCommuting(pattern.left);
  std::size_t learners = pattern.left.learners.size();
  pattern.leftLearners.resize(learners);
  pattern.rightLearners.resize(learners);
  markLearners(pattern.left, pattern.leftLearners);
  markLearners(pattern.right, pattern.rightLearners);
  pattern.sizes = rule->left.sizeNames();
  for (const std::string &name : rule->right.sizeNames())
    if (std::ranges::find(pattern.sizes, name) == pattern.sizes.end())
      pattern.sizes.push_back(name);
  for (std::size_t i = 0; i < pattern.right.nodeCount(); ++i)
    pattern.rightCount += pattern.right.node(NodeId(i)).alive;
  if (rule->kind == RuleKind::Equation)
    for (std::size_t i = 0; i < learners; ++i)
      if (pattern.rightLearners[i] && !pattern.leftLearners[i])
        return tl::unexpected(fmt::format("'{}' stands on the other side alone", pattern.left.learners[i].label));
  if (auto why = pattern.wrong())
    return tl::unexpected(*why);
  pattern.findHeirs();
  if (pattern.leftRoots.size() == 1) {
    const Node &root = pattern.left.node(pattern.leftRoots[0]);
    pattern.wholeLearner = root.kind == NodeKind::Apply && rule->kind != RuleKind::Equation;
    for (std::size_t i = root.pers; pattern.wholeLearner && i < root.operands.size(); ++i)
      pattern.wholeLearner = pattern.spine(pattern.left, true, root.operands[i]).has_value();
  }
  return pattern;
}

} // namespace attnc::rewriting
