#include "attnc/diagram/Builder.h"
#include "attnc/rewrite/Host.h"

#include <algorithm>
#include <set>

namespace attnc::rewriting {

namespace {

/// A body that is being built, of the definition or of a box.
struct Frame {
  Frame(const std::vector<Learner> &learners, Frame *parent, BinderId binder)
      : builder(learners), parent(parent), binder(binder), depth(parent ? parent->depth + 1 : 0) {}

  Builder builder;
  Frame *parent;
  BinderId binder; // invalid for the definition's own
  unsigned depth;
  std::map<Wire, WireId> wires; // of the host, by where they are here
  std::vector<WireId> states;   // of the scan whose body this is
  std::optional<WireId> index;
  // What enters, in order: a wire of the parent, mapped or shared.
  std::vector<std::pair<WireId, Mode>> entries;
  std::map<std::pair<std::size_t, Mode>, WireId> entered;

  WireId enter(WireId outside, Mode mode) {
    auto known = entered.find({outside.index(), mode});
    if (known != entered.end())
      return known->second;
    Type type = parent->builder.type(outside);
    WireId inside = builder.input(mode == Mode::Map ? type.slice() : type, parent->builder.name(outside));
    entries.emplace_back(outside, mode);
    entered.emplace(std::pair(outside.index(), mode), inside);
    return inside;
  }
};

class Freezer {
public:
  explicit Freezer(const Host &h) : host(h), needed(h.nodeCount()), free(h.nodeCount()), stacks(h.binderCount()) {
    survey();
  }

  Definition run(bool idleInputs) {
    Definition result;
    result.name = host.name;
    result.doc = host.doc;
    result.outputNames = host.outputNames;
    result.constraints = host.constraints;
    compactLearners();
    result.learners = learners;
    Frame root(learners, nullptr, {});
    for (NodeId input : host.inputs)
      if (idleInputs || needed[input.index()])
        root.wires[{input}] = root.builder.input(host.type(Wire{input}), host.node(input).name);
    result.diagram = std::move(root.builder).finish(values(host.outputs, root));
    return result;
  }

private:
  using Set = std::set<BinderId>;

  /// What each needed node depends on exactly, and the stacks of each binder.
  void survey() {
    std::vector<NodeId> pending;
    for (Wire output : host.outputs)
      pending.push_back(host.find(output).node);
    while (!pending.empty()) {
      NodeId id = pending.back();
      const Node &node = host.node(id);
      if (needed[id.index()] != 0) {
        pending.pop_back();
        if (std::exchange(needed[id.index()], 2) == 2)
          continue;
        Set &set = free[id.index()];
        if (node.kind == NodeKind::Index || node.kind == NodeKind::State)
          set.insert(node.binder);
        bool binds = node.kind == NodeKind::Stack || node.kind == NodeKind::Scan;
        for (std::size_t i = 0; i < node.operands.size(); ++i) {
          NodeId below = host.operand(node, i).node;
          ++uses[below];
          for (BinderId one : free[below.index()])
            if (!(binds && one == node.binder && !(node.kind == NodeKind::Scan && i < node.slot)))
              set.insert(one);
        }
        if (node.kind == NodeKind::Stack)
          stacks[node.binder.index()].push_back(id);
        if (node.kind == NodeKind::Fold)
          ++foldUses[host.operand(node, 0).node];
        if (node.kind == NodeKind::Apply)
          learnerUsed.insert(node.slot);
        continue;
      }
      needed[id.index()] = 1;
      for (std::size_t i = 0; i < node.operands.size(); ++i)
        if (NodeId below = host.operand(node, i).node; needed[below.index()] == 0)
          pending.push_back(below);
    }
  }

  void compactLearners() {
    learnerIds.resize(host.learners.size());
    for (std::uint32_t used : learnerUsed) {
      learnerIds[used] = LearnerId(learners.size());
      learners.push_back(host.learners[used]);
    }
    // Labels are told apart where a new learner bears one that is there already.
    std::set<std::string> labels;
    for (Learner &learner : learners) {
      std::string label = learner.label;
      for (unsigned i = 2; !labels.insert(label).second; ++i)
        label = learner.label + std::to_string(i);
      learner.label = label;
    }
  }

  /// Where a node is computed: the innermost of the open frames whose index it depends on.
  Frame &home(Wire wire, Frame &frame) {
    const Set &set = free[wire.node.index()];
    if (set.empty() && isTrivial(wire))
      return frame;
    Frame *at = &frame;
    while (at->parent && !set.contains(at->binder))
      at = at->parent;
    return *at;
  }

  /// Constants and what is made of them alone stand where they are used.
  bool isTrivial(Wire wire) const {
    const Node &node = host.node(wire);
    if (node.kind != NodeKind::Op)
      return false;
    const Generator &generator = host.tables->label(node.label).generator;
    if (std::holds_alternative<Const>(generator) || std::holds_alternative<SizeValue>(generator))
      return true;
    if (!std::holds_alternative<Pointwise>(generator))
      return false;
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      if (!isTrivial(host.operand(node, i)))
        return false;
    return true;
  }

  /// The wire of `frame` that carries a value of the host.
  WireId value(Wire wire, Frame &frame) {
    wire = host.find(wire);
    Frame &where = home(wire, frame);
    auto known = where.wires.find(wire);
    WireId there = known != where.wires.end() ? known->second : make(wire, where);
    where.wires.emplace(wire, there);
    return bring(there, where, frame);
  }

  std::vector<WireId> values(const std::vector<Wire> &all, Frame &frame) {
    std::vector<WireId> result;
    for (Wire one : all)
      result.push_back(value(one, frame));
    return result;
  }

  static WireId bring(WireId wire, Frame &from, Frame &to) {
    return &from == &to ? wire : to.enter(bring(wire, from, *to.parent), Mode::Share);
  }

  WireId add(Frame &frame, Generator generator, std::vector<WireId> operands, const Node &node) {
    auto results = frame.builder.add(std::move(generator), std::move(operands), node.span);
    frame.builder.suggestName(results->at(0), node.name);
    return results->at(0);
  }

  WireId make(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    switch (node.kind) {
    case NodeKind::Input:
      return frame.wires.at(wire);
    case NodeKind::Index:
      return *frame.index;
    case NodeKind::State:
      return frame.states[node.slot];
    case NodeKind::At:
      return makeAt(wire, frame);
    case NodeKind::Stack:
      return makeStack(wire, frame);
    case NodeKind::Fold:
      return makeFold(wire, frame);
    case NodeKind::Scan:
      return makeScan(wire, frame);
    case NodeKind::Apply:
      return makeApply(wire, frame);
    case NodeKind::Op:
      return makeOp(wire, frame);
    }
    return {};
  }

  WireId ports(Wire wire, Frame &frame, std::vector<WireId> results, const Node &node) {
    frame.builder.suggestName(results[0], node.name);
    for (std::uint32_t port = 0; port < results.size(); ++port)
      frame.wires.emplace(Wire{wire.node, port}, results[port]);
    return results[wire.port];
  }

  WireId makeOp(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    std::vector<WireId> operands = values({node.operands.begin(), node.operands.end()}, frame);
    auto results = frame.builder.add(host.tables->label(node.label).generator, operands, node.span);
    return ports(wire, frame, *results, node);
  }

  WireId makeApply(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    Apply apply{learnerIds[node.slot], {}};
    std::vector<WireId> operands;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      Wire operand = host.operand(node, i);
      if (i >= node.pers) {
        operands.push_back(value(operand, frame));
        continue;
      }
      unsigned outward = 0;
      for (Frame *at = &frame; at->binder != host.node(operand).binder; at = at->parent)
        ++outward;
      apply.per.push_back(outward);
    }
    auto results = frame.builder.add(std::move(apply), operands, node.span);
    return ports(wire, frame, *results, node);
  }

  /// A chain of slices x[i][j]…: the boxes of i and j map x, its axes brought into the order of the boxes. An index
  /// whose box lies within what is sliced, or that occurs twice, gathers.
  WireId makeAt(Wire wire, Frame &frame) {
    std::vector<BinderId> chain;
    Wire base = wire;
    while (host.node(base).kind == NodeKind::At) {
      chain.push_back(host.node(host.operand(host.node(base), 1)).binder);
      base = host.operand(host.node(base), 0);
    }
    std::reverse(chain.begin(), chain.end());
    Frame &origin = home(base, frame);
    std::vector<unsigned> depths;
    bool maps = true;
    for (BinderId binder : chain) {
      Frame *at = &frame;
      while (at->parent && at->binder != binder)
        at = at->parent;
      depths.push_back(at->depth);
      maps &= at->depth > origin.depth && std::ranges::count(depths, at->depth) == 1;
    }
    if (!maps) {
      const Node &node = host.node(wire);
      return add(frame, Gather{}, {value(host.operand(node, 0), frame), value(host.operand(node, 1), frame)}, node);
    }
    WireId array = value(base, origin);
    // Bubble sort by neighbours, which is what transposing two axes is.
    for (std::size_t end = depths.size(); end > 1; --end)
      for (std::size_t i = 0; i + 1 < end; ++i)
        if (depths[i] > depths[i + 1]) {
          std::swap(depths[i], depths[i + 1]);
          array = transposed(array, origin, i);
        }
    std::vector<Frame *> path;
    for (Frame *one = &frame; one != &origin; one = one->parent)
      path.push_back(one);
    std::reverse(path.begin(), path.end());
    for (Frame *next : path) {
      bool mapped = std::ranges::find(depths, next->depth) != depths.end();
      array = next->enter(array, mapped ? Mode::Map : Mode::Share);
    }
    return array;
  }

  /// Axes `axis` and `axis + 1` exchanged.
  WireId transposed(WireId array, Frame &frame, std::size_t axis) {
    if (axis == 0)
      return *frame.builder.add1(Transpose{}, {array});
    Frame inside(learners, &frame, {});
    WireId slice = inside.enter(array, Mode::Map);
    WireId result = transposed(slice, inside, axis - 1);
    Box box{Cap::None, frame.builder.type(array).axes[0], false, {}, nullptr};
    return closeBox(std::move(box), inside, {result})[0];
  }

  std::vector<WireId> closeBox(Box box, Frame &inside, const std::vector<WireId> &results) {
    std::vector<WireId> operands;
    for (auto &[outside, mode] : inside.entries) {
      operands.push_back(outside);
      box.modes.push_back(mode);
    }
    Frame &frame = *inside.parent;
    box.indexed = inside.index.has_value();
    box.body = std::make_shared<Diagram>(std::move(inside.builder).finish(results));
    return *frame.builder.add(std::move(box), std::move(operands));
  }

  /// Whether computing `wire` needs one of the nodes.
  bool needs(Wire wire, const std::vector<NodeId> &nodes, std::set<NodeId> &seen) const {
    if (!seen.insert(wire.node).second)
      return false;
    if (std::ranges::find(nodes, wire.node) != nodes.end())
      return true;
    const Node &node = host.node(wire);
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      if (needs(host.operand(node, i), nodes, seen))
        return true;
    return false;
  }

  bool foldedOnly(NodeId stack) const {
    auto folds = foldUses.find(stack);
    auto all = uses.find(stack);
    return folds != foldUses.end() && all != uses.end() && folds->second == all->second &&
           std::ranges::none_of(host.outputs, [&](Wire output) { return host.find(output).node == stack; });
  }

  /// The stacks that are made by one box with this one: of one binder, in one place, none needed by another.
  std::vector<NodeId> companions(NodeId first, Frame &frame) {
    std::vector<NodeId> group{first};
    for (NodeId other : stacks[host.node(first).binder.index()]) {
      if (other == first || free[other.index()] != free[first.index()] || foldedOnly(other) ||
          frame.wires.contains(Wire{other}) || foldUses.contains(other))
        continue;
      group.push_back(other);
      for (NodeId one : group) {
        std::set<NodeId> seen;
        std::vector<NodeId> rest;
        std::ranges::copy_if(group, std::back_inserter(rest), [&](NodeId id) { return id != one; });
        if (needs(host.operand(host.node(one), 0), rest, seen)) {
          group.pop_back();
          break;
        }
      }
    }
    return group;
  }

  void openIndex(Frame &inside, BinderId binder, const std::vector<Wire> &bodies) {
    if (needsIndex(binder, bodies))
      inside.index = inside.builder.input({Kind::Int, {}}, "");
  }

  /// Whether the index of a binder is used as a number, or by a slice that gathers.
  bool needsIndex(BinderId binder, const std::vector<Wire> &bodies) {
    NodeId index = host.binder(binder).index;
    if (!index.valid())
      return false;
    std::set<NodeId> seen;
    std::function<bool(Wire)> asks = [&](Wire wire) -> bool {
      wire = host.find(wire);
      if (wire.node == index)
        return true;
      if (!free[wire.node.index()].contains(binder) || !seen.insert(wire.node).second)
        return false;
      const Node &node = host.node(wire);
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        Wire operand = host.operand(node, i);
        if (operand.node == index && ((node.kind == NodeKind::At && i == 1 && !gathers(wire)) ||
                                      (node.kind == NodeKind::Apply && i < node.pers)))
          continue;
        if (asks(operand))
          return true;
      }
      return false;
    };
    return std::ranges::any_of(bodies, asks);
  }

  /// Slices whose index may have to be a number: of an array that depends on indices itself.
  bool gathers(Wire wire) const {
    Wire base = wire;
    while (host.node(base).kind == NodeKind::At)
      base = host.operand(host.node(base), 0);
    if (!free[base.node.index()].empty())
      return true;
    std::set<BinderId> once;
    for (Wire at = wire; host.node(at).kind == NodeKind::At; at = host.operand(host.node(at), 0))
      if (!once.insert(host.node(host.operand(host.node(at), 1)).binder).second)
        return true;
    return false;
  }

  WireId makeStack(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    Wire body = host.operand(node, 0);
    if (Wire array = host.unstacked(wire); array != wire)
      return value(array, frame);
    if (Wire array = host.transposed(wire); array.valid())
      return *frame.builder.add1(Transpose{}, {value(array, frame)}, node.span);
    // A fold of arrays goes back inside: Stack j. Fold (Stack i. f) is Fold (Stack i. Stack j. f).
    if (host.binder(node.binder).elementwise) {
      std::vector<BinderId> elements{node.binder};
      Wire at = body;
      while (host.node(at).kind == NodeKind::Stack && host.binder(host.node(at).binder).elementwise) {
        elements.push_back(host.node(at).binder);
        at = host.operand(host.node(at), 0);
      }
      if (host.node(at).kind == NodeKind::Fold) {
        Wire stack = host.operand(host.node(at), 0);
        if (host.node(stack).kind == NodeKind::Stack && foldedOnly(stack.node))
          return foldOf(Cap(host.node(at).slot), stack, elements, frame, node);
      }
    }
    std::vector<NodeId> group = companions(wire.node, frame);
    Frame inside(learners, &frame, node.binder);
    std::vector<Wire> bodies;
    for (NodeId one : group)
      bodies.push_back(host.operand(host.node(one), 0));
    openIndex(inside, node.binder, bodies);
    std::vector<WireId> results = values(bodies, inside);
    std::vector<WireId> made =
        closeBox(Box{Cap::None, host.binder(node.binder).size, false, {}, nullptr}, inside, results);
    for (std::size_t i = 0; i < group.size(); ++i) {
      frame.builder.suggestName(made[i], host.node(group[i]).name);
      frame.wires.emplace(Wire{group[i]}, made[i]);
    }
    return made[0];
  }

  WireId makeFold(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    Wire array = host.operand(node, 0);
    if (host.node(array).kind == NodeKind::Stack)
      return foldOf(Cap(node.slot), array, {}, frame, node);
    WireId outside = value(array, frame);
    Frame inside(learners, &frame, {});
    WireId slice = inside.enter(outside, Mode::Map);
    WireId result = closeBox(Box{Cap(node.slot), host.type(array).axes[0], false, {}, nullptr}, inside, {slice})[0];
    frame.builder.suggestName(result, node.name);
    return result;
  }

  /// A capped box around the body of a stack, with boxes over `elements` in it.
  WireId foldOf(Cap cap, Wire stack, const std::vector<BinderId> &elements, Frame &frame, const Node &node) {
    BinderId binder = host.node(stack).binder;
    Wire body = host.operand(host.node(stack), 0);
    Frame inside(learners, &frame, binder);
    openIndex(inside, binder, {body});
    std::function<WireId(Frame &, std::size_t)> nest = [&](Frame &at, std::size_t depth) -> WireId {
      if (depth == elements.size())
        return value(body, at);
      Frame within(learners, &at, elements[depth]);
      openIndex(within, elements[depth], {body});
      WireId result = nest(within, depth + 1);
      return closeBox(Box{Cap::None, host.binder(elements[depth]).size, false, {}, nullptr}, within, {result})[0];
    };
    WireId result = nest(inside, 0);
    WireId made = closeBox(Box{cap, host.binder(binder).size, false, {}, nullptr}, inside, {result})[0];
    frame.builder.suggestName(made, node.name);
    return made;
  }

  WireId makeScan(Wire wire, Frame &frame) {
    const Node &node = host.node(wire);
    std::vector<WireId> initial;
    std::vector<Wire> bodies;
    for (std::size_t i = 0; i < node.slot; ++i)
      initial.push_back(value(host.operand(node, i), frame));
    for (std::size_t i = node.slot; i < node.operands.size(); ++i)
      bodies.push_back(host.operand(node, i));
    Frame inside(learners, &frame, node.binder);
    openIndex(inside, node.binder, bodies);
    for (std::size_t i = 0; i < node.slot; ++i)
      inside.states.push_back(inside.builder.input(host.type(host.operand(node, i)), stateName(node.binder, i)));
    std::vector<WireId> results = values(bodies, inside);
    Scan scan{host.binder(node.binder).size, inside.index.has_value(), node.slot, {}, nullptr};
    std::vector<WireId> operands = initial;
    for (auto &[outside, mode] : inside.entries) {
      operands.push_back(outside);
      scan.modes.push_back(mode);
    }
    scan.body = std::make_shared<Diagram>(std::move(inside.builder).finish(results));
    auto made = frame.builder.add(std::move(scan), std::move(operands), node.span);
    return ports(wire, frame, *made, node);
  }

  std::string stateName(BinderId binder, std::size_t which) const {
    for (std::size_t i = 0; i < host.nodeCount(); ++i) {
      const Node &node = host.node(NodeId(i));
      if (node.alive && node.kind == NodeKind::State && node.binder == binder && node.slot == which)
        return node.name;
    }
    return "";
  }

  const Host &host;
  std::vector<std::uint8_t> needed;        // by node: 0 unless an output needs it
  std::vector<Set> free;                   // by node
  std::vector<std::vector<NodeId>> stacks; // by binder
  std::map<NodeId, std::size_t> foldUses, uses;
  std::set<std::uint32_t> learnerUsed;
  std::vector<Learner> learners;
  std::vector<LearnerId> learnerIds;
};

} // namespace

Definition freeze(const Host &host, bool idleInputs) { return Freezer(host).run(idleInputs); }

} // namespace attnc::rewriting
