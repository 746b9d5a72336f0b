#include "attnc/prove/Finite.h"

#include <cmath>

namespace attnc {

using namespace rewriting;

static bool endsInfinity(const Generator &generator) {
  if (std::holds_alternative<Softmax>(generator))
    return true;
  auto *pointwise = std::get_if<Pointwise>(&generator);
  if (!pointwise)
    return false;
  switch (pointwise->fn) {
  case PointwiseFn::Exp:
  case PointwiseFn::Tanh:
  case PointwiseFn::Erf:
  case PointwiseFn::Less:
  case PointwiseFn::LessEqual:
  case PointwiseFn::Equal:
  case PointwiseFn::NotEqual:
    return true;
  default:
    return false;
  }
}

static bool isInfinite(const Generator &generator) {
  auto *constant = std::get_if<Const>(&generator);
  auto *real = constant ? std::get_if<double>(&constant->value) : nullptr;
  return real && !std::isfinite(*real);
}

std::vector<bool> maskedNodes(const Host &host) {
  // Forwards from the constants, by who uses what.
  std::vector<std::vector<NodeId>> users(host.nodeCount());
  std::vector<NodeId> pending;
  std::vector<bool> masked(host.nodeCount()), ends(host.nodeCount());
  for (std::size_t i = 0; i < host.nodeCount(); ++i) {
    const Node &node = host.node(NodeId(i));
    if (!node.alive)
      continue;
    for (std::size_t k = 0; k < node.operands.size(); ++k)
      users[host.operand(node, k).node.index()].push_back(NodeId(i));
    if (node.kind != NodeKind::Op)
      continue;
    const Generator &generator = host.tables->label(node.label).generator;
    ends[i] = endsInfinity(generator);
    if (isInfinite(generator))
      pending.push_back(NodeId(i));
  }
  while (!pending.empty()) {
    NodeId id = pending.back();
    pending.pop_back();
    if (ends[id.index()] || masked[id.index()])
      continue;
    masked[id.index()] = true;
    pending.insert(pending.end(), users[id.index()].begin(), users[id.index()].end());
  }
  return masked;
}

std::optional<std::size_t> maskedInput(const Host &host, const std::vector<bool> &masked, const Match &match,
                                       const std::set<std::size_t> &finite) {
  for (std::size_t input : finite)
    if (rewriting::Wire wire = match.images[input].wire; wire.valid() && masked[host.find(wire).node.index()])
      return input;
  return std::nullopt;
}

} // namespace attnc
