#include "attnc/render/Leaf.h"
#include "attnc/render/Row.h"

#include <fmt/format.h>

namespace attnc::render {

namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

/// Writes one diagram after the other: nodes and clusters first, then the wires between them.
class DotWriter {
public:
  /// `prefix` stands before all names.
  DotWriter(const Definition &definition, const DrawOptions &options, std::string prefix = "")
      : definition(definition), options(options), prefix(std::move(prefix)) {}

  /// Nodes and edges: what stands between the braces of a graph.
  tl::expected<std::string, std::string> content() {
    const Diagram &diagram = definition.diagram;
    std::vector<std::string> sources;
    for (std::size_t i = 0; i < diagram.inputs.size(); ++i) {
      const Wire &wire = diagram.wire(diagram.inputs[i]);
      sources.push_back(fmt::format("in{}", i));
      node(sources.back(), wire.name + " " + wire.type.str(), "shape=plaintext");
    }
    std::vector<std::string> ends = body(diagram, sources, "op", 0, 0);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      std::string name = i < definition.outputNames.size() ? definition.outputNames[i] + " " : "";
      node(fmt::format("out{}", i), name + diagram.type(diagram.outputs[i]).str(), "shape=plaintext");
      edge(ends[i], fmt::format("out{}", i), diagram.wire(diagram.outputs[i]));
    }
    if (!failure.empty())
      return tl::unexpected(failure);
    return nodes + edges;
  }

private:
  const Definition &definition;
  const DrawOptions &options;
  std::string prefix, nodes, edges, failure;

  void node(const std::string &id, const std::string &label, const std::string &look) {
    nodes += fmt::format("  {} [label={}{}{}];\n", quoted(prefix + id), quoted(label), look.empty() ? "" : ", ", look);
  }
  void edge(const std::string &from, const std::string &to, const Wire &wire, const std::string &look = "") {
    edges += fmt::format("  {} -> {} [tooltip={}{}];\n", quoted(prefix + from), quoted(prefix + to),
                         quoted(wire.name + " " + wire.type.str()), look);
  }

  /// The nodes from which the outputs come.
  std::vector<std::string> body(const Diagram &diagram, const std::vector<std::string> &inputs, const std::string &path,
                                unsigned depth, int calls) {
    std::vector<std::string> from(diagram.wires.size());
    for (std::size_t i = 0; i < diagram.inputs.size(); ++i)
      from[diagram.inputs[i].index()] = inputs[i];
    for (std::size_t i = 0; i < diagram.ops.size(); ++i) {
      const Op &op = diagram.ops[i];
      std::string id = path + std::to_string(i);
      auto *call = std::get_if<Call>(&op.generator);
      bool open = call && (options.open.all || calls < options.open.depth || options.open.names.contains(call->name));
      const DiagramRef &inner = bodyOf(op.generator);
      if (!inner || (call && !open)) {
        Leaf leaf;
        leaf.core = &op.generator;
        for (std::size_t k = 0; k < op.operands.size(); ++k)
          leaf.ports.push_back({k});
        Sign sign = signOf(leaf, definition);
        std::string label = plain(sign.label);
        node(id, label.empty() ? describe(op.generator) : label,
             options.marked.contains(id) ? sign.white ? "style=filled, fillcolor=\"#33475F\", fontcolor=white, "
                                                        "color=\"#E0A020\", penwidth=3"
                                                      : "style=filled, fillcolor=\"#FFD98A\""
             : sign.white                ? "style=filled, fillcolor=\"#33475F\", fontcolor=white"
                                         : "");
        for (WireId wire : op.operands)
          edge(from[wire.index()], id, diagram.wire(wire));
        for (WireId wire : op.results)
          from[wire.index()] = id;
        continue;
      }
      if (depth + 1 > options.maxDepth) {
        failure = fmt::format("its boxes are nested more than {} deep", options.maxDepth);
        return std::vector<std::string>(diagram.outputs.size());
      }
      cluster(diagram, op, *inner, from, id, depth, calls + open);
    }
    std::vector<std::string> ends;
    for (WireId wire : diagram.outputs)
      ends.push_back(from[wire.index()]);
    return ends;
  }

  /// A box as a cluster with a node for each wire that enters or leaves.
  void cluster(const Diagram &diagram, const Op &op, const Diagram &inner, std::vector<std::string> &from,
               const std::string &id, unsigned depth, int calls) {
    auto *box = std::get_if<Box>(&op.generator);
    auto *scan = std::get_if<Scan>(&op.generator);
    const std::vector<Mode> *modes = box ? &box->modes : scan ? &scan->modes : nullptr;
    std::size_t index = box ? box->indexed : scan ? scan->indexed : 0, states = scan ? scan->states : 0;
    std::string label = box    ? fmt::format("{} {}", attnc::name(box->cap), box->size.str())
                        : scan ? "scan " + scan->size.str()
                               : describe(op.generator);
    std::string marked = options.marked.contains(id) ? "; color=\"#E0A020\"; penwidth=3" : "";
    nodes += fmt::format("  subgraph {} {{ label={}; style=rounded;\n", quoted("cluster_" + prefix + id),
                         quoted(label) + marked);
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < inner.inputs.size(); ++i) {
      entries.push_back(fmt::format("{}.in{}", id, i));
      const Wire &wire = inner.wire(inner.inputs[i]);
      node(entries.back(), i < index ? wire.name : "", i < index ? "shape=plaintext" : "shape=point");
      if (i < index)
        continue;
      WireId outer = op.operands[i - index];
      bool shared = modes && i - index >= states && (*modes)[i - index - states] == Mode::Share;
      edge(from[outer.index()], entries.back(), diagram.wire(outer), shared ? ", style=dashed" : "");
    }
    std::vector<std::string> ends = body(inner, entries, id + ".", depth + 1, calls);
    std::vector<std::string> exits;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      exits.push_back(fmt::format("{}.out{}", id, i));
      bool capped = box && box->cap != Cap::None;
      node(exits.back(), capped ? plain(capLabel(box->cap, 11)) : "", capped ? "shape=invtrapezium" : "shape=point");
      edge(ends[i], exits.back(), inner.wire(inner.outputs[i]));
      if (i < states)
        edge(exits.back(), entries[index + i], inner.wire(inner.outputs[i]),
             ", style=bold, arrowhead=normal, constraint=false");
    }
    nodes += "  }\n";
    // A scan gives the results of its steps first, then the last states.
    for (std::size_t i = 0; i < op.results.size(); ++i)
      from[op.results[i].index()] = exits[(i + states) % exits.size()];
  }
};

} // namespace

static std::string graph(const std::string &name, const DrawOptions &options, const std::string &content) {
  return fmt::format("digraph {} {{\n  rankdir={}; node [shape=box, fontname=\"Times\"]; edge [fontname=\"Times\", "
                     "fontsize=9, arrowhead=none];\n{}}}\n",
                     quoted(name), options.direction == Direction::Right ? "LR" : "TB", content);
}

tl::expected<std::string, std::string> toDot(const Definition &definition, const DrawOptions &options) {
  auto content = DotWriter(definition, options).content();
  return content ? tl::expected<std::string, std::string>(graph(definition.name, options, *content)) : content;
}

tl::expected<std::string, std::string> rowToDot(const std::string &title, const std::vector<DotPanel> &panels,
                                                const DrawOptions &options) {
  std::string text = "  compound=true;\n";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    DrawOptions own = options;
    own.marked = panels[i].marked;
    auto content = DotWriter(panels[i].definition, own, fmt::format("s{}.", i)).content();
    if (!content)
      return content;
    text += fmt::format("  subgraph cluster_s{} {{ label={};\n{}  }}\n", i, quoted(panels[i].caption), *content);
  }
  for (std::size_t i = 0; i + 1 < panels.size(); ++i)
    text += fmt::format("  \"s{0}.out0\" -> \"s{1}.out0\" [ltail=cluster_s{0}, lhead=cluster_s{1}, constraint=false, "
                        "arrowhead=normal, label={2}, {3}];\n",
                        i, i + 1, quoted(panels[i].arrow), panels[i].look);
  return graph(title, options, text);
}

} // namespace attnc::render
