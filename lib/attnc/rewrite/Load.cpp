#include "attnc/diagram/Functor.h"
#include "attnc/rewrite/Host.h"

namespace attnc::rewriting {

namespace {

/// The functor from diagrams to hosts.
class LoadingTarget {
public:
  LoadingTarget(Host &host, bool reduced, std::vector<std::string> *places)
      : host(host), reduced(reduced), places(places) {}

  using Wires = std::vector<Wire>;
  using Operands = std::span<const Wire>;

  Wires run(const Diagram &diagram, const Wires &inputs) {
    const Diagram *around = std::exchange(current, &diagram);
    Wires outputs = mapDiagram<Wire>(*this, diagram, inputs);
    current = around;
    return outputs;
  }

  template <class G> Wires apply(const G &generator, const Op &op, Operands operands) {
    if (!places)
      return make(generator, op, operands);
    note();
    std::string own = (place.empty() ? "op" : place + ".") + std::to_string(&op - current->ops.data());
    std::string around = std::exchange(place, std::move(own));
    Wires results = make(generator, op, operands);
    note();
    place = std::move(around);
    return results;
  }

private:
  Wires make(const Box &box, const Op &op, Operands operands) {
    BinderId binder = host.newBinder(box.size);
    boxes.push_back(binder);
    Wires inputs;
    if (box.indexed)
      inputs.push_back(host.index(binder));
    for (std::size_t i = 0; i < operands.size(); ++i)
      inputs.push_back(box.modes[i] == Mode::Map ? at(operands[i], binder) : operands[i]);
    Wires results = run(*box.body, inputs);
    boxes.pop_back();
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i] = box.cap == Cap::None ? stack(binder, results[i]) : folded(box.cap, binder, results[i]);
      describe(results[i], op, i);
    }
    return results;
  }

  Wires make(const Scan &scan, const Op &op, Operands operands) {
    BinderId binder = host.newBinder(scan.size);
    boxes.push_back(binder);
    Wires inputs;
    if (scan.indexed)
      inputs.push_back(host.index(binder));
    for (std::uint32_t i = 0; i < scan.states; ++i) {
      inputs.push_back(host.state(binder, i, host.typeId(host.find(operands[i]))));
      host.describe(inputs.back().node, scan.body->wire(scan.body->inputs[scan.indexed + i]).name, op.span);
    }
    for (std::size_t i = scan.states; i < operands.size(); ++i)
      inputs.push_back(scan.modes[i - scan.states] == Mode::Map ? at(operands[i], binder) : operands[i]);
    Wires outputs = run(*scan.body, inputs);
    boxes.pop_back();
    Operands all(outputs);
    NodeId node =
        host.scan(binder, operands.subspan(0, scan.states), all.subspan(0, scan.states), all.subspan(scan.states));
    host.describe(node, current->wire(op.results[0]).name, op.span);
    return ports(node, op.results.size());
  }

  Wires make(const Call &call, const Op &, Operands operands) {
    return run(*call.body, Wires(operands.begin(), operands.end()));
  }

  Wires make(const Apply &apply, const Op &op, Operands operands) {
    Wires pers;
    for (unsigned outward : apply.per)
      pers.push_back(host.index(boxes[boxes.size() - 1 - outward]));
    std::vector<TypeId> types = resultTypes(op);
    Wire first = host.apply(apply.learner, pers, operands, types);
    host.describe(first.node, current->wire(op.results[0]).name, op.span);
    return ports(first.node, op.results.size());
  }

  Wires make(const Transpose &, const Op &op, Operands operands) {
    const Type type = host.type(host.find(operands[0]));
    BinderId outer = host.newBinder(type.axes[1]), inner = host.newBinder(type.axes[0]);
    Wire result = stack(outer, stack(inner, at(at(operands[0], inner), outer)));
    describe(result, op, 0);
    return {result};
  }

  /// Gathering at the index of a box over the whole axis is slicing.
  Wires make(const Gather &gather, const Op &op, Operands operands) {
    const Node &index = host.node(host.find(operands[1]));
    if (index.kind == NodeKind::Index && host.binder(index.binder).size == host.type(host.find(operands[0])).axes[0])
      return {at(operands[0], index.binder)};
    return plain(gather, op, operands);
  }

  template <class Plain> Wires make(const Plain &generator, const Op &op, Operands operands) {
    return plain(generator, op, operands);
  }

  template <class Plain> Wires plain(const Plain &generator, const Op &op, Operands operands) {
    NodeId node = host.op(host.tables->label(generator), operands, resultTypes(op));
    host.describe(node, current->wire(op.results[0]).name, op.span);
    return ports(node, op.results.size());
  }

  static Wires ports(NodeId node, std::size_t count) {
    Wires wires;
    for (std::uint32_t port = 0; port < count; ++port)
      wires.push_back({node, port});
    return wires;
  }

  std::vector<TypeId> resultTypes(const Op &op) {
    std::vector<TypeId> types;
    for (WireId result : op.results)
      types.push_back(host.tables->type(current->type(result)));
    return types;
  }

  void describe(Wire wire, const Op &op, std::size_t result) {
    host.describe(wire.node, current->wire(op.results[result]).name, op.span);
  }

  Wire stack(BinderId binder, Wire body) { return host.stack(binder, body); }

  Wire at(Wire array, BinderId binder) {
    array = host.find(array);
    const Node &node = host.node(array);
    if (reduced && node.kind == NodeKind::Stack && host.nodeCount() < maxReducedNodes) {
      Host::Renaming renaming{{node.binder, binder}};
      return host.rename(node.operands[0], renaming);
    }
    return host.at(array, host.index(binder));
  }

  /// The fold of an array is taken element by element.
  Wire folded(Cap cap, BinderId binder, Wire body) {
    std::vector<BinderId> elements;
    for (const Type type = host.type(body); elements.size() < type.rank();) {
      const Node &node = host.node(body);
      if (node.kind == NodeKind::Stack && node.uses == 0) {
        elements.push_back(node.binder);
        body = node.operands[0];
      } else {
        elements.push_back(host.newBinder(host.type(body).axes[0]));
        body = at(body, elements.back());
      }
      host.markElementwise(elements.back());
    }
    Wire result = host.fold(cap, stack(binder, body));
    for (std::size_t i = elements.size(); i-- > 0;)
      result = stack(elements[i], result);
    return result;
  }

  /// The nodes that were made since are of the operation at hand.
  void note() { places->resize(host.nodeCount(), place); }

  Host &host;
  bool reduced;
  std::vector<std::string> *places;
  std::string place;
  const Diagram *current = nullptr;
  std::vector<BinderId> boxes;
};

} // namespace

Host load(Tables &tables, const Definition &definition, bool reduced, std::vector<std::string> *places) {
  Host host(tables);
  host.learners = definition.learners;
  host.constraints = definition.constraints;
  host.name = definition.name;
  host.doc = definition.doc;
  host.outputNames = definition.outputNames;
  std::vector<Wire> inputs;
  for (WireId input : definition.diagram.inputs)
    inputs.push_back(host.input(tables.type(definition.diagram.type(input)), definition.diagram.wire(input).name));
  LoadingTarget target(host, reduced, places);
  for (Wire output : target.run(definition.diagram, inputs))
    host.output(output);
  host.sweep(0);
  return host;
}

} // namespace attnc::rewriting
