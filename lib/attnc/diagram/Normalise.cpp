#include "attnc/diagram/Functor.h"
#include "attnc/diagram/Terms.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace attnc {

namespace {

using Terms = std::vector<TermId>;
using Operands = std::span<const TermId>;

std::string axesText(const std::vector<Size> &axes) { return Type{Kind::Real, axes}.str(); }

/// The functor from diagrams to normal terms.
class Normaliser {
public:
  Normaliser(TermGraph &graph) : graph(graph) {}

  template <class G> Terms apply(const G &generator, const Op &op, Operands operands) {
    graph.spend(1);
    if (graph.exhausted() || boxes.size() > deepest || callDepth > deepest) {
      graph.spend(graph.exhausted() ? 0 : ~std::size_t(0) / 2);
      return Terms(op.results.size(), graph.make(TermKind::Input, 0, 0, 0, {}));
    }
    graph.setSpan(op.span);
    return term(generator, op, operands);
  }

  Terms run(const Diagram &diagram, Operands inputs) { return mapDiagram<TermId>(*this, diagram, inputs); }

private:
  static constexpr std::size_t deepest = 1000;

  TermId plain(const std::string &label, Operands operands, TermKind kind = TermKind::Op, unsigned port = 0) {
    return graph.make(kind, graph.label(label), 0, port, Terms(operands.begin(), operands.end()));
  }

  Terms term(const Const &g, const Op &, Operands) {
    if (auto *number = std::get_if<std::int64_t>(&g.value))
      return {sizeTerm(Size(*number))};
    if (auto *number = std::get_if<double>(&g.value))
      return {realTerm(*number)};
    return {plain(std::get<bool>(g.value) ? "bool true" : "bool false", {})};
  }

  TermId realTerm(double value) {
    TermId id = plain(value == value ? fmt::format("real {}", value) : "real nan", {});
    reals.emplace(id, value);
    return id;
  }

  TermId sizeTerm(const Size &size) {
    TermId id = plain((size.isConstant() ? "int " : "size ") + size.str(), {});
    sizes.emplace(id, size);
    return id;
  }

  /// Sums, differences, products and negatives of sizes are sizes; the negative of a number is a number.
  std::optional<TermId> closed(PointwiseFn fn, Operands operands) {
    if (auto real = reals.find(operands[0]); fn == PointwiseFn::Neg && real != reals.end())
      return realTerm(-real->second);
    std::vector<Size> values;
    for (TermId operand : operands)
      if (auto size = sizes.find(operand); size != sizes.end())
        values.push_back(size->second);
    if (values.size() != operands.size())
      return std::nullopt;
    Size result = Size::overflow();
    if (fn == PointwiseFn::Neg)
      result = Size(0) - values[0];
    else if (fn == PointwiseFn::Add)
      result = values[0] + values[1];
    else if (fn == PointwiseFn::Sub)
      result = values[0] - values[1];
    else if (fn == PointwiseFn::Mul)
      result = values[0] * values[1];
    return result.overflowed() ? std::nullopt : std::optional(sizeTerm(result));
  }

  Terms term(const SizeValue &g, const Op &, Operands) { return {sizeTerm(g.size)}; }

  Terms term(const Pointwise &g, const Op &, Operands operands) {
    if (auto constant = closed(g.fn, operands))
      return {*constant};
    return {plain(std::string(info(g.fn).name), operands, isCommutative(g.fn) ? TermKind::Unordered : TermKind::Op)};
  }

  Terms term(const Gather &, const Op &op, Operands operands) {
    const TermGraph::Node &index = graph[operands[1]];
    if (index.kind == TermKind::Var && boxes[index.first] == (*wires)[op.operands[0].index()].type.axes[0])
      return {graph.at(operands[0], index.first)};
    return {plain("gather", operands)};
  }

  Terms term(const Scatter &g, const Op &, Operands operands) { return {plain("scatter " + g.size.str(), operands)}; }

  Terms term(const TopK &g, const Op &, Operands operands) {
    std::string label = "topk " + g.count.str();
    return {plain(label, operands, TermKind::Op, 0), plain(label, operands, TermKind::Op, 1)};
  }

  Terms term(const Softmax &, const Op &, Operands operands) { return {plain("softmax", operands)}; }

  Terms term(const Transpose &, const Op &op, Operands operands) {
    const Type &type = (*wires)[op.operands[0].index()].type;
    unsigned level = boxes.size();
    TermId element = graph.at(graph.at(operands[0], level + 1), level);
    return {graph.stack(type.axes[1].str(), level, graph.stack(type.axes[0].str(), level + 1, element))};
  }

  Terms term(const Reshape &g, const Op &op, Operands operands) {
    TermId source = operands[0];
    std::uint32_t before = graph.label(axesText((*wires)[op.operands[0].index()].type.axes));
    std::uint32_t after = graph.label(axesText(g.axes));
    if (graph[source].kind == TermKind::Reshape) {
      before = graph[source].first;
      source = graph.children(source)[0];
    }
    if (before == after)
      return {source};
    return {graph.make(TermKind::Reshape, after, before, 0, {source})};
  }

  /// The terms with which operands enter the body of the box of a level.
  void enter(Terms &inputs, const std::vector<Mode> &modes, Operands operands, unsigned level) {
    for (std::size_t i = 0; i < modes.size(); ++i)
      inputs.push_back(modes[i] == Mode::Map ? graph.at(operands[i], level) : operands[i]);
  }

  Terms inside(const Size &size, const Diagram &body, Operands inputs) {
    boxes.push_back(size);
    const std::vector<Wire> *outer = wires;
    wires = &body.wires;
    Terms results = run(body, inputs);
    wires = outer;
    boxes.pop_back();
    return results;
  }

  Terms term(const Box &g, const Op &op, Operands operands) {
    unsigned level = boxes.size();
    Terms inputs;
    if (g.indexed)
      inputs.push_back(graph.variable(level));
    enter(inputs, g.modes, operands, level);
    Terms results = inside(g.size, *g.body, inputs);
    graph.setSpan(op.span);
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i] = graph.stack(g.size.str(), level, results[i]);
      if (g.cap != Cap::None)
        results[i] = folded(g, g.body->type(g.body->outputs[i]), results[i], level);
    }
    return results;
  }

  /// A fold of arrays is one of each element: its axes are abstracted around the fold.
  TermId folded(const Box &g, const Type &element, TermId stacked, unsigned level) {
    unsigned rank = element.rank();
    TermId inside = stacked;
    if (rank > 0) {
      TermId slice = graph.at(stacked, level + rank);
      for (unsigned axis = 0; axis < rank; ++axis)
        slice = graph.at(slice, level + axis);
      inside = graph.stack(g.size.str(), level + rank, slice);
    }
    TermId result = plain(std::string(name(g.cap)), {&inside, 1});
    for (unsigned axis = rank; axis-- > 0;)
      result = graph.stack(element.axes[axis].str(), level + axis, result);
    return result;
  }

  Terms term(const Scan &g, const Op &op, Operands operands) {
    unsigned level = boxes.size();
    Terms inputs;
    if (g.indexed)
      inputs.push_back(graph.variable(level));
    for (unsigned state = 0; state < g.states; ++state)
      inputs.push_back(graph.make(TermKind::State, 0, level, state, {}));
    enter(inputs, g.modes, operands.subspan(g.states), level);
    Terms outputs = inside(g.size, *g.body, inputs);
    graph.setSpan(op.span);
    std::vector<std::vector<bool>> uses; // which states each output reads
    for (TermId output : outputs)
      uses.push_back(statesIn(output, level, g.states));
    Terms results;
    for (std::size_t i = g.states; i < outputs.size(); ++i)
      results.push_back(scanResult(g, operands, outputs, uses, level, i));
    for (std::size_t i = 0; i < g.states; ++i)
      results.push_back(scanResult(g, operands, outputs, uses, level, i));
    return results;
  }

  /// One result of a scan, with exactly the states it depends on.
  TermId scanResult(const Scan &g, Operands initial, const Terms &outputs, const std::vector<std::vector<bool>> &uses,
                    unsigned level, std::size_t which) {
    std::vector<bool> needed = which < g.states ? std::vector<bool>(g.states) : uses[which];
    if (which < g.states)
      needed[which] = true;
    std::vector<std::size_t> pending;
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (needed[i])
        pending.push_back(i);
    while (!pending.empty()) {
      const std::vector<bool> &more = uses[pending.back()];
      pending.pop_back();
      for (std::size_t i = 0; i < more.size(); ++i)
        if (more[i] && !needed[i]) {
          needed[i] = true;
          pending.push_back(i);
        }
    }
    Terms children;
    std::vector<TermId> renamed(g.states);
    std::uint32_t states = 0;
    for (std::size_t i = 0; i < g.states; ++i)
      if (needed[i]) {
        children.push_back(initial[i]);
        renamed[i] = graph.make(TermKind::State, 0, level, states++, {});
      }
    if (states == 0)
      return graph.stack(g.size.str(), level, outputs[which]);
    auto bound = [&](TermId term) { return graph.close(renumber(term, level, renamed), level); };
    for (std::size_t i = 0; i < g.states; ++i)
      if (needed[i])
        children.push_back(bound(outputs[i]));
    TermId scan = graph.make(TermKind::Scan, graph.label(g.size.str()), states, 0, children);
    if (which < g.states)
      return graph.make(TermKind::ScanFinal, 0, 0, graph[renamed[which]].second, {scan});
    return graph.make(TermKind::ScanStep, 0, 0, 0, {scan, bound(outputs[which])});
  }

  /// The terms below one that mention a level, operands first.
  Terms below(TermId root, unsigned level) {
    Terms found{root};
    std::unordered_set<TermId> seen{root};
    for (std::size_t i = 0; i < found.size(); ++i)
      for (TermId child : graph.children(found[i]))
        if ((graph[child].free >> std::min(level, 63u) & 1) && seen.insert(child).second)
          found.push_back(child);
    graph.spend(found.size());
    std::sort(found.begin(), found.end());
    return found;
  }

  std::vector<bool> statesIn(TermId root, unsigned level, unsigned count) {
    std::vector<bool> states(count);
    for (TermId id : below(root, level))
      if (graph[id].kind == TermKind::State && graph[id].first == level)
        states[graph[id].second] = true;
    return states;
  }

  TermId renumber(TermId root, unsigned level, const Terms &states) {
    bool same = true;
    for (std::size_t i = 0; i < states.size(); ++i)
      same = same && (!states[i].valid() || graph[states[i]].second == i);
    if (same)
      return root;
    std::unordered_map<TermId, TermId> changed;
    for (TermId id : below(root, level)) {
      TermGraph::Node node = graph[id];
      if (node.kind == TermKind::State && node.first == level) {
        changed[id] = states[node.second];
        continue;
      }
      Terms children(graph.children(id).begin(), graph.children(id).end());
      for (TermId &child : children)
        if (auto it = changed.find(child); it != changed.end())
          child = it->second;
      changed[id] = graph.make(node.kind, node.label, node.first, node.second, children);
    }
    return changed.at(root);
  }

  Terms term(const Call &g, const Op &, Operands operands) {
    const std::vector<Wire> *outer = wires;
    wires = &g.body->wires;
    ++callDepth;
    Terms results = run(*g.body, operands);
    --callDepth;
    wires = outer;
    return results;
  }

  Terms term(const Apply &g, const Op &op, Operands operands) {
    Terms children;
    for (unsigned outward : g.per)
      children.push_back(graph.variable(boxes.size() - 1 - outward));
    children.insert(children.end(), operands.begin(), operands.end());
    Terms results;
    for (std::size_t port = 0; port < op.results.size(); ++port)
      results.push_back(graph.make(TermKind::Learned, 0, g.learner.index(), port, children));
    return results;
  }

  TermGraph &graph;
  std::vector<Size> boxes; // the size of the box of each level
  std::size_t callDepth = 0;
  std::unordered_map<TermId, Size> sizes; // terms that are sizes or whole numbers
  std::unordered_map<TermId, double> reals;

public:
  const std::vector<Wire> *wires = nullptr; // of the diagram being read
};

} // namespace

std::vector<TermId> normalise(const Definition &definition, TermGraph &graph) {
  Terms inputs;
  for (std::size_t i = 0; i < definition.diagram.inputs.size(); ++i)
    inputs.push_back(graph.make(TermKind::Input, 0, i, 0, {}));
  Normaliser normaliser(graph);
  normaliser.wires = &definition.diagram.wires;
  return normaliser.run(definition.diagram, inputs);
}

} // namespace attnc
