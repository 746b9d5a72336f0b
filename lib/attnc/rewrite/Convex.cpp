#include "attnc/rewrite/Match.h"

#include <algorithm>
#include <limits>
#include <set>

namespace attnc::rewriting {

bool isConvex(const Host &host, const Match &match) {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  for (Wire root : match.roots) {
    if (!host.node(root).alive || host.find(root) != root)
      return false;
    lowest = std::min(lowest, host.node(root).rank);
  }
  if (match.roots.size() == 1)
    return true; // what a result is made of does not depend on it
  std::set<NodeId> seen;
  std::vector<NodeId> pending;
  for (const Image &image : match.images)
    if (image.wire.valid())
      pending.push_back(host.find(image.wire).node);
  while (!pending.empty()) {
    NodeId id = pending.back();
    pending.pop_back();
    const Node &node = host.node(id);
    if (node.rank < lowest || !seen.insert(id).second)
      continue;
    if (std::ranges::any_of(match.roots, [&](Wire root) { return root.node == id; }))
      return false;
    for (Wire operand : node.operands)
      pending.push_back(host.find(operand).node);
  }
  return true;
}

std::vector<NodeId> nodesOf(const Host &host, const Pattern &pattern, const Match &match) {
  std::set<Wire> ends;
  for (const Image &image : match.images)
    if (image.wire.valid())
      ends.insert(host.find(image.wire));
  std::vector<NodeId> result;
  std::set<Wire> seen;
  std::vector<Wire> pending(match.roots.begin(), match.roots.end());
  while (!pending.empty()) {
    Wire wire = host.find(pending.back());
    pending.pop_back();
    if (ends.contains(wire) || !seen.insert(wire).second)
      continue;
    const Node &node = host.node(wire);
    if (node.kind == NodeKind::At) {
      // A slice of a stack is looked through.
      Wire array = host.operand(node, 0);
      pending.push_back(host.node(array).kind == NodeKind::Stack && !ends.contains(array)
                            ? host.operand(host.node(array), 0)
                            : array);
      continue;
    }
    result.push_back(wire.node);
    for (std::size_t i = node.kind == NodeKind::Apply ? node.pers : 0; i < node.operands.size(); ++i)
      pending.push_back(host.operand(node, i));
  }
  // Of a bare learner every use is rewritten.
  for (std::size_t i = 0; pattern.wholeLearner && i < host.nodeCount(); ++i)
    if (const Node &node = host.node(NodeId(i)), &root = host.node(match.roots[0]);
        node.alive && node.kind == NodeKind::Apply && node.slot == root.slot && NodeId(i) != match.roots[0].node)
      result.push_back(NodeId(i));
  return result;
}

} // namespace attnc::rewriting
