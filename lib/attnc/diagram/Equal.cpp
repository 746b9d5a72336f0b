#include "attnc/diagram/Equal.h"

#include "attnc/diagram/Labelling.h"
#include "attnc/diagram/SizeNaming.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc {

namespace {

/// One of the two diagrams, with its terms and the order in which they are met.
struct Side {
  Side(const Definition &definition, std::size_t budget)
      : definition(definition), graph(budget), outputs(normalise(definition, graph)),
        labelling(graph, graph.exhausted() ? std::vector<TermId>() : outputs, definition.learners, budget) {}

  const Definition &definition;
  TermGraph graph;
  std::vector<TermId> outputs;
  Labelling labelling;

  std::size_t learnerNumber(std::size_t learner) const {
    const std::vector<LearnerId> &order = labelling.learners();
    return std::find(order.begin(), order.end(), LearnerId(learner)) - order.begin();
  }

  const std::string &label(TermId id) const { return graph.labelText(graph[id].label); }

  /// What stands at a term, without its operands.
  std::string head(TermId id) const {
    const TermGraph::Node &node = graph[id];
    switch (node.kind) {
    case TermKind::Input:
      return fmt::format("input {}", node.first);
    case TermKind::Learned:
      return fmt::format("learner {} {} {}", learnerNumber(node.first), node.second,
                         learnerText(definition.learners[node.first]));
    case TermKind::Op:
    case TermKind::Unordered:
      return fmt::format("op {} {}", label(id), node.second);
    case TermKind::Stack:
    case TermKind::Reshape:
    case TermKind::Scan:
      return fmt::format("{} {} {}", int(node.kind), label(id), node.kind == TermKind::Scan ? node.first : 0);
    default:
      return fmt::format("{} {} {}", int(node.kind), node.first, node.second);
    }
  }

  std::string words(TermId id) const {
    const TermGraph::Node &node = graph[id];
    switch (node.kind) {
    case TermKind::Input: {
      const std::string &name = definition.diagram.wire(definition.diagram.inputs[node.first]).name;
      return name.empty() ? fmt::format("input {} is used", node.first) : fmt::format("the input '{}' is used", name);
    }
    case TermKind::Bound:
    case TermKind::Var:
      return "the index of a box is used";
    case TermKind::BoundState:
    case TermKind::State:
      return "a state of a scan is used";
    case TermKind::Learned:
      return fmt::format("the learner '{}' is applied", definition.learners[node.first].label);
    case TermKind::Reshape:
      return fmt::format("it is reshaped to {}", label(id));
    case TermKind::Stack:
      return fmt::format("a box runs over {}", label(id));
    case TermKind::At:
      return "a slice is taken";
    case TermKind::Scan:
      return fmt::format("a scan with {} state{} runs over {}", node.first, node.first == 1 ? "" : "s", label(id));
    case TermKind::ScanStep:
      return "the steps of a scan are used";
    case TermKind::ScanFinal:
      return "the last state of a scan is used";
    default:
      break;
    }
    const std::string &text = label(id);
    std::string first = text.substr(0, text.find(' ')),
                rest = text.substr(first.size() < text.size() ? first.size() + 1 : 0);
    if (first == "real" || first == "int" || first == "bool")
      if (node.count == 0)
        return fmt::format("the constant {} stands", rest);
    if (first == "size")
      return fmt::format("the size {} stands", rest);
    if (text == first)
      return fmt::format("'{}' is applied", text);
    return fmt::format("'{}' with {} is applied", first, rest);
  }

  /// Past the box and slice structure, to what is done.
  TermId core(TermId id) const {
    while (graph[id].kind == TermKind::Stack || graph[id].kind == TermKind::At)
      id = graph.children(id)[0];
    return id;
  }
};

struct Comparison {
  const Side &left, &right;
  Span leftSpan, rightSpan;

  Difference difference(std::string message) const { return {leftSpan, rightSpan, std::move(message)}; }

  static void follow(Span &span, const Side &side, TermId id) {
    if (side.graph[id].kind != TermKind::Input && side.graph.span(id).valid())
      span = side.graph.span(id);
  }

  Difference heads(TermId a, TermId b) {
    if (left.graph[a].kind != right.graph[b].kind) {
      if (left.head(left.core(a)) != right.head(right.core(b))) {
        a = left.core(a);
        b = right.core(b);
      }
      follow(leftSpan, left, a);
      follow(rightSpan, right, b);
    }
    const TermGraph::Node &x = left.graph[a], &y = right.graph[b];
    if (x.kind == TermKind::Learned && y.kind == TermKind::Learned) {
      const Learner &f = left.definition.learners[x.first], &g = right.definition.learners[y.first];
      if (learnerText(f) != learnerText(g))
        return difference(fmt::format("here the learner '{}' is {}, there '{}' is {}", f.label, learnerText(f), g.label,
                                      learnerText(g)));
      if (left.learnerNumber(x.first) != right.learnerNumber(y.first))
        return difference(
            fmt::format("here the learner '{}' is applied, there '{}', and they do not take the same place elsewhere",
                        f.label, g.label));
    }
    std::string here = left.words(a), there = right.words(b);
    if (here == there)
      return difference(fmt::format("here and there {}, but not in the same way", here));
    constexpr std::string_view applied = "' is applied";
    if (here.ends_with(applied) && there.ends_with(applied) && there.starts_with('\''))
      there.resize(there.size() - applied.size() + 1);
    return difference(fmt::format("here {}, there {}", here, there));
  }

  Difference compare(TermId a, TermId b) {
    for (;;) {
      follow(leftSpan, left, a);
      follow(rightSpan, right, b);
      std::vector<TermId> as = left.labelling.children(a), bs = right.labelling.children(b);
      if (left.head(a) != right.head(b) || as.size() != bs.size())
        return heads(a, b);
      auto codeA = [&](TermId id) { return left.labelling.code(id); };
      auto codeB = [&](TermId id) { return right.labelling.code(id); };
      std::vector<Hash128> x, y;
      std::ranges::transform(as, std::back_inserter(x), codeA);
      std::ranges::transform(bs, std::back_inserter(y), codeB);
      std::sort(x.begin(), x.end());
      std::sort(y.begin(), y.end());
      if (x == y)
        return difference(fmt::format("the operands of {} are in another order",
                                      left.graph[a].kind == TermKind::Op ? "'" + left.label(a) + "'" : "this"));
      if (left.graph[a].kind == TermKind::Unordered) { // operands that both have are no difference
        std::erase_if(as, [&](TermId id) { return std::ranges::binary_search(y, codeA(id)); });
        std::erase_if(bs, [&](TermId id) { return std::ranges::binary_search(x, codeB(id)); });
        if (as.empty() || bs.empty())
          return heads(a, b);
      }
      std::size_t at = 0;
      while (at + 1 < std::min(as.size(), bs.size()) && codeA(as[at]) == codeB(bs[at]))
        ++at;
      a = as[at];
      b = bs[at];
    }
  }
};

std::optional<Difference> interfaceDifference(const Definition &left, const Definition &right) {
  struct Part {
    std::string_view what;
    const std::vector<WireId> Diagram::*wires;
  };
  for (auto [what, wires] : {Part{"input", &Diagram::inputs}, Part{"output", &Diagram::outputs}}) {
    const std::vector<WireId> &here = left.diagram.*wires, &there = right.diagram.*wires;
    if (here.size() != there.size())
      return Difference{left.span, right.span,
                        fmt::format("here there are {} {}s, there {}", here.size(), what, there.size())};
    for (std::size_t i = 0; i < here.size(); ++i)
      if (const Type &a = left.diagram.type(here[i]), &b = right.diagram.type(there[i]); a != b)
        return Difference{left.span, right.span,
                          fmt::format("the left {0} {1} has type {2}, the right one {3}", what, i, a.str(), b.str())};
  }
  return std::nullopt;
}

} // namespace

std::optional<Difference> firstDifference(const Definition &left, const Definition &right,
                                          const CanonicalOptions &options) {
  if (canonicalForm(left, options) == canonicalForm(right, options))
    return std::nullopt;
  if (options.renameSizes) {
    Definition renamed = withSizesNamedAs(left, right);
    CanonicalOptions plain = options;
    plain.renameSizes = false;
    if (auto difference = firstDifference(left, renamed, plain))
      return difference;
    return Difference{left.span, right.span, "the sizes inside are used in another way"};
  }
  if (auto difference = interfaceDifference(left, right))
    return difference;
  Side a(left, options.budget), b(right, options.budget);
  Difference unknown{left.span, right.span, "the diagrams are too entangled to be compared within the work allowed"};
  if (a.graph.exhausted() || b.graph.exhausted() || !a.labelling.complete() || !b.labelling.complete())
    return unknown;
  for (std::size_t i = 0; i < a.outputs.size(); ++i)
    if (a.labelling.code(a.outputs[i]) != b.labelling.code(b.outputs[i]))
      return Comparison{a, b, left.span, right.span}.compare(a.outputs[i], b.outputs[i]);
  return Difference{left.span, right.span, "the learners are tied in another way"};
}

} // namespace attnc
