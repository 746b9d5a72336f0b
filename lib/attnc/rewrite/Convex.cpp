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

} // namespace attnc::rewriting
