#include "attnc/render/Body.h"
#include "attnc/render/Constants.h"
#include "attnc/render/Layered.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace attnc::render {

namespace {

constexpr double markReach = 3.5, dotRadius = 2.6, nameSize = 9;

std::string wireTip(const Wire &wire) {
  return wire.name.empty() ? wire.type.str() : wire.name + ": " + wire.type.str();
}

/// The leaf an operation is drawn as, if it is one here: a named box that is open is none, even in boxes.
std::optional<Leaf> drawnLeaf(const Drawing &drawing, const Op &op, int calls) {
  auto leaf = leafOf(op, drawing.options.compact);
  auto *call = leaf ? std::get_if<Call>(leaf->core) : nullptr;
  return call && isOpen(drawing.options.open, *call, calls) ? std::nullopt : leaf;
}

class BodyDrawer {
public:
  BodyDrawer(Drawing &drawing, const Diagram &diagram, const std::string &path, int depth, int calls)
      : drawing(drawing), diagram(diagram), path(path), depth(depth), calls(calls) {}

  Fragment draw(const std::vector<Entry> &entries, const std::vector<Terminal> &outputs) {
    rankWires(entries);
    chooseLeaves();
    countUses();
    source.assign(diagram.wires.size(), {-1, 0});
    for (const Entry &entry : entries)
      addInput(entry.terminal, diagram.inputs[entry.input]);
    for (std::size_t i = 0; i < diagram.ops.size() && drawing.failure.empty(); ++i)
      addOperation(diagram.ops[i], i);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      addOutput(outputs[i], diagram.outputs[i]);
    if (!drawing.failure.empty())
      return {};
    auto places = place(graph);
    if (!places) {
      drawing.failure = places.error();
      return {};
    }
    return assemble(*places);
  }

private:
  Drawing &drawing;
  const Diagram &diagram;
  const std::string &path;
  int depth, calls;
  Layered graph;
  std::vector<Fragment> fragments;          // of the nodes of the graph
  std::vector<std::pair<int, Shape>> marks; // by node of the graph, in its frame
  static constexpr double nowhere = std::numeric_limits<double>::infinity();
  std::vector<double> rank;                // wire → guess of its place
  std::vector<std::optional<Leaf>> leaves; // of the operations
  std::vector<int> uses;
  std::vector<std::pair<int, int>> source; // wire → node and out port that give it
  std::vector<WireId> wireOf;              // edge → wire
  std::vector<int> inputNodes, outputNodes;

  /// A guess of where each wire runs, from the left: inputs at their places, results amid their operands. It orders
  /// the wires at a tube, which have no order of their own, and the operands of commutative functions.
  void rankWires(const std::vector<Entry> &entries) {
    rank.assign(diagram.wires.size(), nowhere);
    for (std::size_t i = 0; i < entries.size(); ++i)
      rank[diagram.inputs[entries[i].input].index()] = i;
    for (const Op &op : diagram.ops) {
      double sum = 0, count = 0;
      for (WireId wire : op.operands)
        if (rank[wire.index()] < nowhere)
          sum += rank[wire.index()], ++count;
      for (WireId wire : op.results)
        rank[wire.index()] = count ? sum / count : nowhere;
    }
  }

  void chooseLeaves() {
    std::vector<std::optional<Line>> constantOf = constantLabels(diagram);
    for (const Op &op : diagram.ops) {
      auto leaf = drawnLeaf(drawing, op, calls);
      bool simple = op.operands.empty();
      if (!leaf && drawing.options.compact && op.results.size() == 1 && constantOf[op.results[0].index()])
        leaf = Leaf{&op.generator};
      if (leaf && (drawing.options.compact || simple)) {
        if (op.results.size() == 1 && constantOf[op.results[0].index()]) {
          leaf->constant = constantOf[op.results[0].index()];
          leaf->ports.clear();
        } else {
          holdConstants(*leaf, op, constantOf);
        }
        auto *function = std::get_if<Pointwise>(leaf->core);
        if (function && isCommutative(function->fn) && leaf->ports.size() == 2 && !leaf->leftConstant &&
            !leaf->rightConstant)
          std::stable_sort(leaf->ports.begin(), leaf->ports.end(), [&](const Leaf::Port &a, const Leaf::Port &b) {
            return rank[op.operands[a.operand].index()] < rank[op.operands[b.operand].index()];
          });
      }
      leaves.push_back(std::move(leaf));
    }
  }

  /// A leaf uses what its ports take: once, twice or not at all.
  void countUses() {
    uses.assign(diagram.wires.size(), 0);
    for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
      const Op &op = diagram.ops[i];
      if (leaves[i])
        for (const Leaf::Port &port : leaves[i]->ports)
          ++uses[op.operands[port.operand].index()];
      else
        for (WireId wire : op.operands)
          ++uses[wire.index()];
    }
    for (WireId wire : diagram.outputs)
      ++uses[wire.index()];
  }

  int addNode(Layered::Node node, Fragment fragment) {
    graph.nodes.push_back(std::move(node));
    fragments.push_back(std::move(fragment));
    return graph.nodes.size() - 1;
  }
  void connect(WireId wire, int to, int toPort) {
    auto [from, port] = source[wire.index()];
    graph.edges.push_back({from, port, to, toPort});
    wireOf.push_back(wire);
  }

  /// Makes the wire known, behind a copy where it is used more than once.
  void give(WireId wire, int node, int port) {
    source[wire.index()] = {node, port};
    if (uses[wire.index()] < 2)
      return;
    constexpr double r = dotRadius;
    Fragment dot;
    Layered::Node spot{6, 2 * r, {{3, r}}, {{3, r}}, true, 1};
    dot.elements.push_back(
        Shape{Role::Copy, {3 - r, 0, 2 * r, 2 * r}, r, {}, depth, {}, "copy of " + wireTip(diagram.wire(wire))});
    int copy = addNode(spot, std::move(dot));
    connect(wire, copy, 0);
    source[wire.index()] = {copy, 0};
  }

  void addInput(const Terminal &terminal, WireId wire) {
    bool dead = uses[wire.index()] == 0;
    double reach = std::max(terminal.reach, dead ? 6.0 : 0.0),
           wide = std::max(terminal.width - terminal.reach, dead ? 6.0 : 0.0) + reach;
    Point at{halfUp(reach), terminal.height};
    Fragment fragment;
    fragment.width = wide, fragment.height = terminal.height + (dead ? deleteHeight + 5 : 0);
    for (Element element : terminal.elements)
      fragment.elements.push_back(std::move(element));
    shift(fragment, {at.x, 0});
    if (dead) {
      Stroke stub{Role::Wire, {at, {}}, wireTip(diagram.wire(wire))};
      stub.route.lineTo(at + Point{0, 5});
      fragment.elements.push_back(stub);
      drawDelete(fragment, at + Point{0, 5});
    }
    Layered::Node node{halfUp(fragment.width), fragment.height, {}, {at}, false, 0};
    int id = addNode(std::move(node), std::move(fragment));
    graph.inputs.push_back(id);
    inputNodes.push_back(id);
    give(wire, id, 0);
  }

  static void shift(Fragment &fragment, Point by) {
    Fragment moved;
    moved.width = fragment.width, moved.height = fragment.height;
    moved.place(std::move(fragment), by, -1);
    fragment = std::move(moved);
  }

  void addOutput(const Terminal &terminal, WireId wire) {
    Point at{halfUp(terminal.reach), 0};
    Fragment fragment;
    fragment.width = terminal.width, fragment.height = terminal.height;
    for (const Element &element : terminal.elements)
      fragment.elements.push_back(element);
    shift(fragment, {at.x, 0});
    Layered::Node node{halfUp(terminal.width), terminal.height, {at}, {}, false, 0};
    int id = addNode(std::move(node), std::move(fragment));
    graph.outputs.push_back(id);
    outputNodes.push_back(id);
    connect(wire, id, 0);
  }

  void addOperation(const Op &op, std::size_t index) {
    const std::optional<Leaf> &leaf = leaves[index];
    if (leaf && leaf->constant && uses[op.results[0].index()] == 0)
      return; // it stands in the signs of others
    std::string id = path + std::to_string(index), types = typesOf(diagram, op);
    std::vector<std::size_t> operands(op.operands.size());
    std::iota(operands.begin(), operands.end(), 0);
    Fragment fragment;
    auto *call = std::get_if<Call>(&op.generator);
    if (leaf) {
      operands.clear();
      for (const Leaf::Port &port : leaf->ports)
        operands.push_back(port.operand);
      fragment = drawLeaf(drawing, *leaf, op.results.size(), id, depth, types);
    } else if (call) {
      fragment = drawRegion(drawing, *call, types, id, depth, calls);
    } else {
      fragment = drawTube(drawing, op, surroundings(op), types, id, depth, calls);
    }
    if (!drawing.failure.empty())
      return;
    finishResults(op, fragment);
    if (isMarked(id, leaf.has_value()))
      marks.emplace_back(
          graph.nodes.size(),
          Shape{
              Role::Match, fragment.nodes[0].bounds.grown(markReach), 6, {}, depth, {}, "what the next step replaces"});
    Layered::Node node{halfUp(fragment.width),    halfUp(fragment.height), fragment.ins, fragment.outs, false,
                       operands.empty() ? 1 : 0.5};
    int at = addNode(std::move(node), std::move(fragment));
    for (std::size_t i = 0; i < operands.size(); ++i)
      connect(op.operands[operands[i]], at, i);
    for (std::size_t i = 0; i < op.results.size(); ++i)
      give(op.results[i], at, i);
  }

  /// A leaf stands for what is in it too.
  bool isMarked(const std::string &id, bool leaf) const {
    const auto &marked = drawing.options.marked;
    if (marked.contains(id))
      return true;
    auto within = marked.lower_bound(id + ".");
    return leaf && within != marked.end() && within->starts_with(id + ".");
  }

  Surroundings surroundings(const Op &op) const {
    Surroundings around;
    around.order.resize(op.operands.size());
    std::iota(around.order.begin(), around.order.end(), 0);
    auto *scan = std::get_if<Scan>(&op.generator);
    std::stable_sort(
        around.order.begin() + (scan ? scan->states : 0), around.order.end(),
        [&](std::size_t a, std::size_t b) { return rank[op.operands[a].index()] < rank[op.operands[b].index()]; });
    for (WireId wire : op.results)
      around.used.push_back(uses[wire.index()] > 0);
    return around;
  }

  /// Ends results that nobody uses, and writes the names of wires beside their beginnings where there is room.
  void finishResults(const Op &op, Fragment &fragment) {
    bool loops = std::holds_alternative<Scan>(op.generator);
    for (std::size_t i = 0; i < op.results.size(); ++i) {
      const Wire &wire = diagram.wire(op.results[i]);
      Point at = fragment.outs[i];
      if (uses[op.results[i].index()] == 0) {
        if (loops && i >= op.results.size() - std::get<Scan>(op.generator).states)
          continue; // the loop shows where the state goes
        Stroke stub{Role::Wire, {at, {}}, wireTip(wire)};
        stub.route.lineTo(at + Point{0, 6});
        fragment.elements.push_back(stub);
        drawDelete(fragment, at + Point{0, 6});
        fragment.height = std::max(fragment.height, at.y + 6 + deleteHeight);
        continue;
      }
      if (!drawing.options.wireNames || wire.name.empty())
        continue;
      Line label = symbol(wire.name, nameSize);
      double wide = drawing.across(label), tall = drawing.along(label);
      double left = at.x + 3.5, right = left + wide;
      bool room = true;
      for (Point other : fragment.outs)
        room &= other == at || other.x < left - 2 || other.x > right + 2;
      if (!room)
        continue;
      fragment.elements.push_back(Text{label, {left + wide / 2, at.y + 3 + tall / 2}, Ink::Soft});
      fragment.width = std::max(fragment.width, right);
      fragment.height = std::max(fragment.height, at.y + 3 + tall);
    }
  }

  Fragment assemble(const LayeredPlaces &places) {
    Fragment result;
    result.width = places.width, result.height = places.height;
    for (auto &[node, mark] : marks) {
      Fragment behind;
      behind.elements.push_back(mark);
      result.place(std::move(behind), places.corners[node], -1);
    }
    for (std::size_t e = 0; e < graph.edges.size(); ++e) {
      result.elements.push_back(Stroke{Role::Wire, places.routes[e], wireTip(diagram.wire(wireOf[e])), true});
      result.ports.push_back(places.routes[e].start);
      result.ports.push_back(places.routes[e].end());
    }
    for (std::size_t i = 0; i < fragments.size(); ++i)
      result.place(std::move(fragments[i]), places.corners[i], -1);
    for (int i : inputNodes)
      result.ins.push_back({places.corners[i].x + graph.nodes[i].outs[0].x, 0});
    for (int i : outputNodes)
      result.outs.push_back({places.corners[i].x + graph.nodes[i].ins[0].x, places.height});
    return result;
  }
};

} // namespace

Fragment drawBody(Drawing &drawing, const Diagram &diagram, const std::vector<Entry> &entries,
                  const std::vector<Terminal> &outputs, const std::string &path, int depth, int calls) {
  return BodyDrawer(drawing, diagram, path, depth, calls).draw(entries, outputs);
}

bool isOpen(const Opening &opening, const Call &call, int calls) {
  return opening.all || calls < opening.depth || opening.names.contains(call.name);
}

} // namespace attnc::render
