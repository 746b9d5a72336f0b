#include "attnc/render/Graphviz.h"

#include "attnc/render/GraphvizContext.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <numeric>

namespace attnc::render {

namespace {

/// One graph in one Graphviz context, laid out by `dot` as far as `phase`: 1 gives layers, 2 places in them too.
class DotGraph {
public:
  explicit DotGraph(int phase)
      : context(graphvizContext()), graph(agopen(const_cast<char *>("g"), Agdirected, nullptr)) {
    attribute(AGRAPH, "phase", std::to_string(phase));
    attribute(AGNODE, "label", "");
    attribute(AGNODE, "shape", "box");
  }
  DotGraph(const DotGraph &) = delete;
  ~DotGraph() {
    if (laidOut)
      gvFreeLayout(context, graph);
    agclose(graph);
  }

  void attribute(int kind, const char *name, const std::string &value) {
    agattr(graph, kind, const_cast<char *>(name), const_cast<char *>(value.c_str()));
  }
  Agnode_t *node(std::size_t id) { return agnode(graph, const_cast<char *>(std::to_string(id).c_str()), 1); }
  Agedge_t *edge(Agnode_t *from, Agnode_t *to) { return agedge(graph, from, to, nullptr, 1); }
  static void set(void *object, const char *name, const std::string &value) {
    agset(object, const_cast<char *>(name), const_cast<char *>(value.c_str()));
  }
  /// A label whose text is HTML-like.
  void setTable(Agnode_t *node, const std::string &html) {
    char *text = agstrdup_html(graph, const_cast<char *>(html.c_str()));
    agset(node, const_cast<char *>("label"), text);
    agstrfree(graph, text);
  }

  tl::expected<void, std::string> layOut() {
    if (gvLayout(context, graph, "dot") != 0)
      return tl::unexpected(std::string("the layout engine of Graphviz, 'dot', failed or is not installed"));
    laidOut = true;
    return {};
  }
  static int value(Agnode_t *node, const char *name) {
    const char *text = agget(node, const_cast<char *>(name));
    int number = 0;
    if (text)
      std::from_chars(text, text + std::strlen(text), number);
    return number;
  }

private:
  GVC_t *context;
  Agraph_t *graph;
  bool laidOut = false;
};

/// A row of cells of fixed widths, ports among them from left to right; they are named by their indices.
std::string row(const std::vector<int> &offsets, int width, char prefix) {
  std::string html = "<TR><TD><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\"><TR>";
  int at = 0;
  auto cell = [&](int size, const std::string &port) {
    if (size > 0)
      html += fmt::format("<TD FIXEDSIZE=\"TRUE\" WIDTH=\"{}\" HEIGHT=\"2\"{}></TD>", size, port);
    at += std::max(size, 0);
  };
  std::vector<std::size_t> order(offsets.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });
  for (std::size_t i : order) {
    cell(offsets[i] - 1 - at, "");
    cell(2, fmt::format(" PORT=\"{}{}\"", prefix, i));
  }
  cell(std::max(width - at, 1), "");
  return html + "</TR></TABLE></TD></TR>";
}

} // namespace

tl::expected<std::vector<int>, std::string> leastDifferences(int count, const std::vector<Difference> &differences) {
  DotGraph graph(1);
  graph.attribute(AGNODE, "rank", "");
  graph.attribute(AGEDGE, "minlen", "0");
  graph.attribute(AGEDGE, "weight", "0");
  std::vector<Agnode_t *> nodes;
  // Below everything else, so that the graph is connected and has one origin.
  Agnode_t *origin = graph.node(count);
  for (int i = 0; i < count; ++i)
    nodes.push_back(graph.node(i));
  std::vector<bool> above(count);
  auto relate = [&](Agnode_t *from, Agnode_t *to, int length, int weight) {
    Agedge_t *edge = graph.edge(from, to);
    graph.set(edge, "minlen", std::to_string(length));
    graph.set(edge, "weight", std::to_string(weight));
  };
  for (const Difference &d : differences) {
    relate(nodes[d.from], nodes[d.to], d.length, d.weight);
    above[d.to] = true;
  }
  for (int i = 0; i < count; ++i)
    if (!above[i])
      relate(origin, nodes[i], 0, 0);
  if (auto ok = graph.layOut(); !ok)
    return tl::unexpected(ok.error());
  std::vector<int> values;
  int least = count ? graph.value(nodes[0], "rank") : 0;
  for (Agnode_t *node : nodes)
    least = std::min(least, values.emplace_back(graph.value(node, "rank")));
  for (int &value : values)
    value -= least;
  return values;
}

tl::expected<std::vector<int>, std::string> placesInLayers(const std::vector<PortedNode> &nodes,
                                                           const std::vector<PortedEdge> &edges) {
  DotGraph graph(2);
  graph.attribute(AGNODE, "order", "");
  graph.attribute(AGNODE, "rank", "");
  graph.attribute(AGEDGE, "tailport", "");
  graph.attribute(AGEDGE, "headport", "");
  graph.attribute(AGNODE, "margin", "0");
  std::vector<Agnode_t *> all;
  for (const PortedNode &node : nodes) {
    all.push_back(graph.node(all.size()));
    if (node.ins.empty() && node.outs.empty())
      continue;
    std::string html = "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\">";
    if (!node.ins.empty())
      html += row(node.ins, node.width, 'i');
    if (!node.outs.empty())
      html += row(node.outs, node.width, 'o');
    graph.setTable(all.back(), html + "</TABLE>");
  }
  for (const PortedEdge &e : edges) {
    Agedge_t *edge = graph.edge(all[e.from], all[e.to]);
    if (!nodes[e.from].outs.empty())
      graph.set(edge, "tailport", fmt::format("o{}:s", e.fromPort));
    if (!nodes[e.to].ins.empty())
      graph.set(edge, "headport", fmt::format("i{}:n", e.toPort));
  }
  if (auto ok = graph.layOut(); !ok)
    return tl::unexpected(ok.error());
  std::vector<int> places;
  for (Agnode_t *node : all)
    places.push_back(graph.value(node, "order"));
  return places;
}

} // namespace attnc::render
