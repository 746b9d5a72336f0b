#include "attnc/rewrite/Scope.h"

#include <algorithm>

namespace attnc::rewriting {

void Scope::resolve(Wire &wire, EnvId &env) const {
  wire = host.find(wire);
  while (host.node(wire).kind == NodeKind::At) {
    Wire array = host.operand(host.node(wire), 0);
    EnvId inside = env;
    resolve(array, inside);
    const Node &stack = host.node(array);
    if (stack.kind != NodeKind::Stack)
      return;
    BinderId index = lookUp(env, host.node(host.operand(host.node(wire), 1)).binder);
    env = index == stack.binder && !inside.valid() ? inside : extend(inside, stack.binder, index);
    wire = host.operand(stack, 0);
  }
}

namespace {

class Sameness {
public:
  Sameness(const Scope &scope, const Image &a, const Image &b) : scope(scope), host(scope.host) {
    for (std::size_t i = 0; i < a.indices.size(); ++i)
      pairs.emplace_back(a.indices[i], b.indices[i]);
  }

  bool sameBinder(BinderId a, BinderId b) const {
    for (std::size_t i = pairs.size(); i-- > 0;)
      if (pairs[i].first == a || pairs[i].second == b)
        return pairs[i] == std::pair(a, b);
    return a == b;
  }

  bool same(Wire a, EnvId ea, Wire b, EnvId eb) {
    scope.resolve(a, ea);
    scope.resolve(b, eb);
    if (fuel == 0)
      return false;
    --fuel;
    if (a == b && std::ranges::all_of(host.free(a), [&](BinderId one) {
          return sameBinder(scope.lookUp(ea, one), scope.lookUp(eb, one));
        }))
      return true;
    const Node &x = host.node(a), &y = host.node(b);
    if (x.kind != y.kind || a.port != b.port || x.operands.size() != y.operands.size())
      return false;
    switch (x.kind) {
    case NodeKind::Input:
      return false;
    case NodeKind::Index:
      return sameBinder(scope.lookUp(ea, x.binder), scope.lookUp(eb, y.binder));
    case NodeKind::State:
      return x.slot == y.slot && sameBinder(scope.lookUp(ea, x.binder), scope.lookUp(eb, y.binder));
    case NodeKind::Fold:
    case NodeKind::Apply:
      if (x.slot != y.slot)
        return false;
      break;
    case NodeKind::Op:
      if (x.label != y.label)
        return false;
      break;
    case NodeKind::Stack:
    case NodeKind::Scan: {
      if (host.binder(x.binder).size != host.binder(y.binder).size || x.slot != y.slot)
        return false;
      BinderId u(firstVirtual + 2 * (1u << 20) + fresh++), v(firstVirtual + 2 * (1u << 20) + fresh++);
      EnvId ia = scope.extend(ea, x.binder, u), ib = scope.extend(eb, y.binder, v);
      pairs.emplace_back(u, v);
      bool equal = true;
      for (std::size_t i = 0; equal && i < x.operands.size(); ++i) {
        bool outside = x.kind == NodeKind::Scan && i < x.slot;
        equal = same(host.operand(x, i), outside ? ea : ia, host.operand(y, i), outside ? eb : ib);
      }
      pairs.pop_back();
      return equal;
    }
    case NodeKind::At:
      break;
    }
    auto inOrder = [&](bool swapped) {
      for (std::size_t i = 0; i < x.operands.size(); ++i)
        if (!same(host.operand(x, i), ea, host.operand(y, swapped ? 1 - i : i), eb))
          return false;
      return true;
    };
    return inOrder(false) || (x.kind == NodeKind::Op && host.tables->label(x.label).commutative && inOrder(true));
  }

private:
  const Scope &scope;
  const Host &host;
  std::vector<std::pair<BinderId, BinderId>> pairs; // binders that are one here and there
  std::size_t fuel = 100'000, fresh = 0;
};

} // namespace

bool sameImage(const Scope &scope, const Image &a, const Image &b) {
  return Sameness(scope, a, b).same(a.wire, a.env, b.wire, b.env);
}

} // namespace attnc::rewriting
