#include "attnc/rewrite/Host.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace attnc::rewriting {

static constexpr std::int64_t gap = std::int64_t(1) << 40;

// ---- Tables

TypeId Tables::type(const Type &type) {
  auto [entry, fresh] = typeIds.try_emplace(type, TypeId(types.size()));
  if (fresh) {
    types.push_back(&entry->first);
    slices.emplace_back();
  }
  return entry->second;
}

TypeId Tables::slice(TypeId id) {
  if (!slices[id.index()].valid()) {
    TypeId slice = type(type(id).slice());
    slices[id.index()] = slice;
  }
  return slices[id.index()];
}

namespace {
/// What tells two generators apart, and whether it has sizes.
struct LabelText {
  bool sized = false;
  std::string operator()(const Const &g) const {
    if (auto *real = std::get_if<double>(&g.value))
      return fmt::format("real {}", *real);
    if (auto *integer = std::get_if<std::int64_t>(&g.value))
      return fmt::format("int {}", *integer);
    return std::get<bool>(g.value) ? "true" : "false";
  }
  std::string operator()(const SizeValue &g) { return withSize("size", g.size); }
  std::string operator()(const Pointwise &g) const { return std::string(info(g.fn).name); }
  std::string operator()(const Gather &) const { return "gather"; }
  std::string operator()(const Scatter &g) { return withSize("scatter", g.size); }
  std::string operator()(const TopK &g) { return withSize("topk", g.count); }
  std::string operator()(const Softmax &g) const { return g.sink ? "softmax with sink" : "softmax"; }
  std::string operator()(const Transpose &) const { return "transpose"; }
  std::string operator()(const Reshape &g) {
    sized = true;
    return "reshape " + Type{Kind::Real, g.axes}.str();
  }
  template <class Other> std::string operator()(const Other &) const { return ""; } // boxes and learners are no labels
  std::string withSize(const char *what, const Size &size) {
    sized = true;
    return fmt::format("{} {}", what, size.str());
  }
};
} // namespace

LabelId Tables::label(const Generator &generator) {
  LabelText text;
  std::string key = std::visit(text, generator);
  auto [entry, fresh] = labelIds.try_emplace(std::move(key), LabelId(labels.size()));
  if (fresh) {
    auto *pointwise = std::get_if<Pointwise>(&generator);
    labels.push_back({generator, pointwise && isCommutative(pointwise->fn), text.sized});
  }
  return entry->second;
}

LabelId Tables::substitute(LabelId id, const Size::Bindings &bindings) {
  Generator generator = label(id).generator;
  if (auto *size = std::get_if<SizeValue>(&generator))
    size->size = size->size.substitute(bindings);
  if (auto *scatter = std::get_if<Scatter>(&generator))
    scatter->size = scatter->size.substitute(bindings);
  if (auto *topk = std::get_if<TopK>(&generator))
    topk->count = topk->count.substitute(bindings);
  if (auto *reshape = std::get_if<Reshape>(&generator))
    for (Size &axis : reshape->axes)
      axis = axis.substitute(bindings);
  return label(generator);
}

// ---- Sets of binders

FreeId Host::intern(std::vector<BinderId> set) {
  if (set.empty())
    return FreeId(0);
  auto [entry, fresh] = freeIds.try_emplace(std::move(set), FreeId(frees.size()));
  if (fresh)
    frees.push_back(entry->first);
  return entry->second;
}

FreeId Host::unite(FreeId a, FreeId b) {
  if (a == b || b.index() == 0)
    return a;
  if (a.index() == 0)
    return b;
  std::uint64_t key = std::uint64_t(std::min(a, b).index()) << 32 | std::max(a, b).index();
  if (auto known = unions.find(key); known != unions.end())
    return known->second;
  std::vector<BinderId> both;
  std::ranges::set_union(frees[a.index()], frees[b.index()], std::back_inserter(both));
  FreeId id = intern(std::move(both));
  unions.emplace(key, id);
  return id;
}

FreeId Host::without(FreeId a, BinderId binder) {
  const auto &set = frees[a.index()];
  if (!std::ranges::binary_search(set, binder))
    return a;
  std::vector<BinderId> rest;
  std::ranges::copy_if(set, std::back_inserter(rest), [&](BinderId one) { return one != binder; });
  return intern(std::move(rest));
}

bool Host::dependsOn(Wire wire, BinderId binder) const { return std::ranges::binary_search(free(wire), binder); }

// ---- Nodes

NodeId Host::add(Node node) {
  NodeId id(nodes.size());
  for (Wire &operand : node.operands) {
    operand = find(operand);
    ++nodes[operand.node.index()].uses;
    if (node.kind != NodeKind::Input)
      node.free =
          node.free.valid() ? unite(node.free, nodes[operand.node.index()].free) : nodes[operand.node.index()].free;
  }
  if (!node.free.valid())
    node.free = FreeId(0);
  node.rank = nextRank += step ? step : gap;
  ++living;
  nodes.push_back(std::move(node));
  return id;
}

Wire Host::input(TypeId type, std::string name) {
  Node node{NodeKind::Input};
  node.slot = inputs.size();
  node.types = {type};
  node.name = std::move(name);
  inputs.push_back(add(std::move(node)));
  return {inputs.back()};
}

BinderId Host::newBinder(const Size &size, std::string name) {
  binders.push_back({size, {}, false, std::move(name)});
  return BinderId(binders.size() - 1);
}

Wire Host::index(BinderId binder) {
  if (!binders[binder.index()].index.valid()) {
    Node node{NodeKind::Index};
    node.binder = binder;
    node.free = intern({binder});
    node.types = {tables->type({Kind::Int, {}})};
    std::int64_t rank = std::exchange(nextRank, std::numeric_limits<std::int64_t>::min() / 2);
    NodeId id = add(std::move(node)); // it uses nothing, so it may stand before all
    nextRank = rank;
    binders[binder.index()].index = id;
  }
  return {binders[binder.index()].index};
}

Wire Host::state(BinderId binder, std::uint32_t which, TypeId type) {
  Node node{NodeKind::State};
  node.binder = binder;
  node.slot = which;
  node.free = intern({binder});
  node.types = {type};
  return {add(std::move(node))};
}

Wire Host::at(Wire array, Wire index) {
  array = find(array);
  const Node &stack = this->node(array);
  if (stack.kind == NodeKind::Stack && !dependsOn(find(stack.operands[0]), stack.binder))
    return find(stack.operands[0]);
  Node node{NodeKind::At};
  node.operands = {array, index};
  node.types = {tables->slice(typeId(array))};
  return {add(std::move(node))};
}

Wire Host::sliced(Wire body, BinderId binder) const {
  const Node &slice = node(body);
  if (slice.kind != NodeKind::At || node(operand(slice, 1)).binder != binder)
    return {};
  Wire array = operand(slice, 0);
  return !dependsOn(array, binder) && type(array).axes[0] == binders[binder.index()].size ? array : Wire();
}

Wire Host::unstacked(Wire wire) const {
  const Node &stack = node(wire);
  if (stack.kind != NodeKind::Stack)
    return wire;
  Wire array = sliced(unstacked(operand(stack, 0)), stack.binder);
  return array.valid() ? unstacked(array) : wire;
}

Wire Host::transposed(Wire wire) const {
  const Node &outer = node(wire);
  const Wire inside = outer.kind == NodeKind::Stack ? operand(outer, 0) : Wire();
  if (!inside.valid() || node(inside).kind != NodeKind::Stack)
    return {};
  const Node &slice = node(operand(node(inside), 0));
  if (slice.kind != NodeKind::At || node(operand(slice, 1)).binder != outer.binder)
    return {};
  Wire array = sliced(operand(slice, 0), node(inside).binder);
  return array.valid() && !dependsOn(array, outer.binder) && type(array).axes[1] == binder(outer.binder).size ? array
                                                                                                              : Wire();
}

Wire Host::stack(BinderId binder, Wire body) {
  body = find(body);
  if (Wire array = sliced(body, binder); array.valid())
    return array;
  Node node{NodeKind::Stack};
  node.binder = binder;
  node.operands = {body};
  node.types = {tables->over(typeId(body), binders[binder.index()].size)};
  FreeId free = without(this->node(body).free, binder);
  NodeId id = add(std::move(node));
  nodes[id.index()].free = free;
  return {id};
}

Wire Host::fold(Cap cap, Wire array) {
  Node node{NodeKind::Fold};
  node.slot = static_cast<std::uint32_t>(cap);
  node.operands = {array};
  node.types = {tables->slice(typeId(find(array)))};
  return {add(std::move(node))};
}

NodeId Host::scan(BinderId binder, std::span<const Wire> initial, std::span<const Wire> next,
                  std::span<const Wire> steps) {
  Node node{NodeKind::Scan};
  node.binder = binder;
  node.slot = initial.size();
  FreeId outside(0), inside(0);
  for (Wire wire : steps)
    node.types.push_back(tables->over(typeId(find(wire)), binders[binder.index()].size));
  for (Wire wire : initial)
    node.types.push_back(typeId(find(wire)));
  for (Wire wire : initial) {
    node.operands.push_back(wire);
    outside = unite(outside, this->node(find(wire)).free);
  }
  for (auto list : {next, steps})
    for (Wire wire : list) {
      node.operands.push_back(wire);
      inside = unite(inside, this->node(find(wire)).free);
    }
  FreeId free = unite(outside, without(inside, binder));
  NodeId id = add(std::move(node));
  nodes[id.index()].free = free;
  return id;
}

Wire Host::apply(LearnerId learner, std::span<const Wire> pers, std::span<const Wire> operands,
                 std::span<const TypeId> types) {
  Node node{NodeKind::Apply};
  node.slot = learner.index();
  node.pers = pers.size();
  node.operands.assign(pers.begin(), pers.end());
  node.operands.insert(node.operands.end(), operands.begin(), operands.end());
  node.types.assign(types.begin(), types.end());
  return {add(std::move(node))};
}

NodeId Host::op(LabelId label, std::span<const Wire> operands, std::span<const TypeId> types) {
  Node node{NodeKind::Op};
  node.label = label;
  node.operands.assign(operands.begin(), operands.end());
  node.types.assign(types.begin(), types.end());
  return add(std::move(node));
}

void Host::describe(NodeId id, const std::string &name, Span span) {
  Node &node = nodes[id.index()];
  if (node.name.empty())
    node.name = name;
  if (!node.span.valid())
    node.span = span;
}

Wire Host::rename(Wire root, const Renaming &renaming) {
  auto touched = [&](Wire wire) {
    return std::ranges::any_of(renaming,
                               [&](auto &one) { return one.first != one.second && dependsOn(wire, one.first); });
  };
  auto target = [&](BinderId binder) {
    for (auto &[from, to] : renaming)
      if (from == binder)
        return to;
    return binder;
  };
  // Binders inside that would take hold of a new index get a new name themselves.
  std::map<NodeId, NodeId> copies;
  std::function<Wire(Wire)> copy = [&](Wire wire) -> Wire {
    wire = find(wire);
    if (!touched(wire))
      return wire;
    if (auto known = copies.find(wire.node); known != copies.end())
      return {known->second, wire.port};
    Node made = node(wire); // by value: adding moves the nodes
    Node fresh = made;
    fresh.uses = 0;
    fresh.forward.clear();
    NodeId id;
    if (made.kind == NodeKind::Index) {
      id = index(target(made.binder)).node;
    } else {
      if (made.kind == NodeKind::State)
        fresh.binder = target(made.binder), fresh.free = intern({fresh.binder});
      bool binds = made.kind == NodeKind::Stack || made.kind == NodeKind::Scan;
      bool captures = binds && std::ranges::any_of(renaming, [&](auto &one) { return one.second == made.binder; });
      if (captures) {
        BinderId other = newBinder(binder(made.binder).size, binder(made.binder).name);
        Renaming more = renaming;
        more.emplace_back(made.binder, other);
        fresh.binder = other;
        for (std::size_t i = 0; i < made.operands.size(); ++i)
          fresh.operands[i] =
              made.kind == NodeKind::Scan && i < made.slot ? copy(made.operands[i]) : rename(made.operands[i], more);
      } else {
        for (Wire &operand : fresh.operands)
          operand = copy(operand);
      }
      if (made.kind != NodeKind::State) {
        FreeId free(0);
        for (std::size_t i = 0; i < fresh.operands.size(); ++i) {
          FreeId one = node(find(fresh.operands[i])).free;
          free =
              unite(free, binds && !(made.kind == NodeKind::Scan && i < made.slot) ? without(one, fresh.binder) : one);
        }
        fresh.free = FreeId();
        id = add(std::move(fresh));
        nodes[id.index()].free = free;
      } else {
        id = add(std::move(fresh));
      }
    }
    copies.emplace(wire.node, id);
    return {id, wire.port};
  };
  return copy(root);
}

// ---- Changing

void Host::output(Wire wire) {
  outputs.push_back(find(wire));
  ++nodes[outputs.back().node.index()].uses;
}

void Host::release(Wire wire) {
  if (--nodes[wire.node.index()].uses == 0)
    kill(wire.node);
}

void Host::kill(NodeId first) {
  std::vector<NodeId> pending{first};
  while (!pending.empty()) {
    Node &node = nodes[pending.back().index()];
    pending.pop_back();
    if (!node.alive || node.kind == NodeKind::Input)
      continue;
    node.alive = false;
    --living;
    if (node.kind == NodeKind::Index)
      binders[node.binder.index()].index = NodeId();
    for (Wire operand : node.operands) {
      operand = find(operand);
      if (--nodes[operand.node.index()].uses == 0)
        pending.push_back(operand.node);
    }
  }
}

void Host::replace(Wire old, Wire by) {
  old = find(old);
  by = find(by);
  if (old == by)
    return;
  // Uses are counted by node: those of one port of several are found by looking at none, so the node keeps them.
  bool whole = node(old).types.size() == 1;
  Node &replaced = nodes[old.node.index()];
  if (replaced.forward.empty())
    for (std::uint32_t port = 0; port < replaced.types.size(); ++port)
      replaced.forward.push_back({old.node, port});
  replaced.forward[old.port] = by;
  std::string name = replaced.name;
  std::uint32_t moved = replaced.uses;
  Node &standing = nodes[by.node.index()];
  standing.uses += moved;
  if (standing.name.empty() && old.port == 0)
    standing.name = std::move(name);
  if (whole || std::ranges::none_of(nodes[old.node.index()].forward, [&](Wire w) { return w.node == old.node; })) {
    nodes[old.node.index()].uses = 0;
    kill(old.node);
  }
}

void Host::placeBelow(std::int64_t lowest, std::int64_t below, std::size_t count) {
  step = (below - lowest) / static_cast<std::int64_t>(count + 1);
  if (step <= 0)
    step = 1; // the ranks meet: `rerank` must follow
  nextRank = lowest;
}

void Host::rerank() {
  std::vector<std::uint8_t> seen(nodes.size());
  std::int64_t rank = 0;
  std::vector<NodeId> pending;
  for (NodeId input : inputs)
    nodes[input.index()].rank = rank += gap, seen[input.index()] = 2;
  for (Wire output : outputs) {
    pending.push_back(find(output).node);
    while (!pending.empty()) {
      NodeId id = pending.back();
      if (seen[id.index()] == 2) {
        pending.pop_back();
        continue;
      }
      if (seen[id.index()] == 1) {
        seen[id.index()] = 2;
        nodes[id.index()].rank = rank += gap;
        pending.pop_back();
        continue;
      }
      seen[id.index()] = 1;
      for (Wire operand : nodes[id.index()].operands)
        if (NodeId below = find(operand).node; seen[below.index()] == 0)
          pending.push_back(below);
    }
  }
  nextRank = rank;
  step = 0;
}

void Host::substitute(const Size::Bindings &bindings) {
  auto change = [&](Size &size) { size = size.substitute(bindings); };
  for (Node &node : nodes) {
    for (TypeId &type : node.types)
      if (const Type &known = tables->type(type); !known.isScalar())
        type = tables->type(known.substitute(bindings));
    if (node.kind == NodeKind::Op && tables->label(node.label).sized)
      node.label = tables->substitute(node.label, bindings);
  }
  for (Binder &binder : binders)
    change(binder.size);
  for (Learner &learner : learners) {
    for (auto *side : {&learner.domain, &learner.codomain})
      for (Type &type : *side)
        type = type.substitute(bindings);
    std::ranges::for_each(learner.per, change);
    change(learner.width);
  }
  for (Constraint &condition : constraints) {
    change(condition.left);
    change(condition.right);
    if (condition.modulus)
      change(*condition.modulus);
  }
}

void Host::sweep(std::size_t first) {
  for (std::size_t i = nodes.size(); i-- > first;)
    if (nodes[i].alive && nodes[i].uses == 0)
      kill(NodeId(i));
}

} // namespace attnc::rewriting
