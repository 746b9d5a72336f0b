#include "attnc/render/Body.h"
#include "attnc/render/Layered.h"

#include <algorithm>

namespace attnc::render {

namespace {

constexpr double dotRadius = 2.6, nameSize = 9;

std::string wireTip(const Wire &wire) { return wire.name.empty() ? wire.type.str() : wire.name + ": " + wire.type.str(); }

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

  Fragment draw(const std::vector<std::optional<Terminal>> &inputs, const std::vector<Terminal> &outputs) {
    countUses();
    source.assign(diagram.wires.size(), {-1, 0});
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i])
        addInput(*inputs[i], diagram.inputs[i]);
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
  std::vector<Fragment> fragments; // of the nodes of the graph
  std::vector<int> uses;
  std::vector<std::pair<int, int>> source; // wire → node and out port that give it
  std::vector<WireId> wireOf;              // edge → wire
  std::vector<int> inputNodes, outputNodes;

  /// A leaf uses what its ports take: once, twice or not at all.
  void countUses() {
    uses.assign(diagram.wires.size(), 0);
    for (const Op &op : diagram.ops) {
      if (auto leaf = drawnLeaf(drawing, op, calls)) {
        for (const Leaf::Port &port : leaf->ports)
          ++uses[op.operands[port.operand].index()];
        continue;
      }
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
    dot.elements.push_back(Shape{Role::Copy, {3 - r, 0, 2 * r, 2 * r}, r, {}, depth, {}, "copy of " + wireTip(diagram.wire(wire))});
    int copy = addNode(spot, std::move(dot));
    connect(wire, copy, 0);
    source[wire.index()] = {copy, 0};
  }

  void addInput(const Terminal &terminal, WireId wire) {
    bool dead = uses[wire.index()] == 0;
    double reach = std::max(terminal.reach, dead ? 6.0 : 0.0), wide = std::max(terminal.width - terminal.reach, dead ? 6.0 : 0.0) + reach;
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
    std::string id = path + std::to_string(index);
    Fragment fragment = drawOperation(drawing, diagram, op, id, depth, calls);
    if (!drawing.failure.empty())
      return;
    finishResults(op, fragment);
    std::vector<std::size_t> operands;
    if (auto leaf = drawnLeaf(drawing, op, calls))
      for (const Leaf::Port &port : leaf->ports)
        operands.push_back(port.operand);
    else
      for (std::size_t i = 0; i < op.operands.size(); ++i)
        operands.push_back(i);
    Layered::Node node{halfUp(fragment.width), halfUp(fragment.height), fragment.ins, fragment.outs, false, 0.5};
    int at = addNode(std::move(node), std::move(fragment));
    for (std::size_t i = 0; i < operands.size(); ++i)
      connect(op.operands[operands[i]], at, i);
    for (std::size_t i = 0; i < op.results.size(); ++i)
      give(op.results[i], at, i);
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

Fragment drawBody(Drawing &drawing, const Diagram &diagram, const std::vector<std::optional<Terminal>> &inputs,
                  const std::vector<Terminal> &outputs, const std::string &path, int depth, int calls) {
  return BodyDrawer(drawing, diagram, path, depth, calls).draw(inputs, outputs);
}

bool isOpen(const Opening &opening, const Call &call, int calls) {
  return opening.all || calls < opening.depth || opening.names.contains(call.name);
}

Fragment drawOperation(Drawing &drawing, const Diagram &diagram, const Op &op, const std::string &id, int depth, int calls) {
  std::string types = typesOf(diagram, op);
  if (auto leaf = drawnLeaf(drawing, op, calls))
    return drawLeaf(drawing, *leaf, op.results.size(), id, depth, types);
  if (auto *open = std::get_if<Call>(&op.generator))
    return drawRegion(drawing, *open, types, id, depth, calls);
  return drawTube(drawing, op, types, id, depth, calls);
}

} // namespace attnc::render
