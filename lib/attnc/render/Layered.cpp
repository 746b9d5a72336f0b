#include "attnc/render/Layered.h"

#include "attnc/render/Graphviz.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace attnc::render {

namespace {

/// The network simplex takes a time that grows faster than the square of the places.
constexpr std::size_t mostItems = 3000;

/// A node of the graph, or (node < 0) the place where an edge passes a layer.
struct Item {
  int node = -1, edge = -1, layer = 0;
  double width = 0, x = 0;
};
/// A wire between adjacent layers; offsets are from the left sides of the items.
struct Link {
  int from, to, edge;
  double fromOffset, toOffset;
  int weight;
};

class Placing {
public:
  explicit Placing(const Layered &graph) : graph(graph) {}

  tl::expected<LayeredPlaces, std::string> run() {
    if (graph.nodes.empty())
      return LayeredPlaces{};
    if (auto ok = assignLayers(); !ok)
      return tl::unexpected(ok.error());
    if (auto ok = makeItems(); !ok)
      return tl::unexpected(ok.error());
    if (auto ok = orderLayers(); !ok)
      return tl::unexpected(ok.error());
    exchangeNeighbours();
    if (auto ok = assignX(); !ok)
      return tl::unexpected(ok.error());
    centre();
    return finish();
  }

private:
  const Layered &graph;
  std::vector<int> layerOf; // node → layer
  int layerCount = 0;
  std::vector<Item> items;
  std::vector<Link> links;
  std::vector<std::vector<int>> layers;       // items from left to right
  std::vector<int> placeOf;                   // item → place in its layer
  std::vector<std::vector<int>> above, below; // item → links

  tl::expected<void, std::string> assignLayers() {
    int count = graph.nodes.size(), top = count, bottom = count + 1;
    std::vector<Difference> differences;
    std::vector<int> kind(count); // 1 input, 2 output
    for (int i : graph.inputs)
      kind[i] = 1;
    for (int i : graph.outputs)
      kind[i] = 2;
    // Without an input or an output the interface takes no layer of its own.
    for (int i = 0; i < count; ++i) {
      if (kind[i] == 1) {
        differences.push_back({top, i, 0, 1000});
        differences.push_back({i, bottom, 1, 0});
        continue;
      }
      if (kind[i] == 2) {
        differences.push_back({top, i, graph.inputs.empty() ? 0 : 1, 0});
        differences.push_back({i, bottom, 0, 1000});
        continue;
      }
      differences.push_back({top, i, graph.inputs.empty() ? 0 : 1, 0});
      differences.push_back({i, bottom, graph.outputs.empty() ? 0 : 1, 0});
    }
    for (const Layered::Edge &edge : graph.edges) {
      // A long wire crosses less than a copy too early: a copy stands near its source.
      int weight = graph.nodes[edge.to].fans ? 3 : 1;
      differences.push_back({edge.from, edge.to, 1, weight});
    }
    auto values = leastDifferences(count + 2, differences);
    if (!values)
      return tl::unexpected(values.error());
    layerOf.assign(values->begin(), values->begin() + count);
    int least = *std::min_element(layerOf.begin(), layerOf.end());
    for (int i : graph.inputs)
      layerOf[i] = least;
    int most = *std::max_element(layerOf.begin(), layerOf.end());
    for (int i : graph.outputs)
      layerOf[i] = most;
    // Layers that stand empty are closed up.
    std::vector<int> used(most + 1);
    for (int layer : layerOf)
      used[layer] = 1;
    std::vector<int> rank(most + 1);
    std::exclusive_scan(used.begin(), used.end(), rank.begin(), 0);
    for (int &layer : layerOf)
      layer = rank[layer];
    layerCount = *std::max_element(layerOf.begin(), layerOf.end()) + 1;
    return {};
  }

  tl::expected<void, std::string> makeItems() {
    std::size_t passings = graph.nodes.size();
    for (const Layered::Edge &edge : graph.edges)
      passings += layerOf[edge.to] - layerOf[edge.from] - 1;
    if (passings > mostItems)
      return tl::unexpected(fmt::format("its wires pass too many operations: {} places in {} layers, at most {}",
                                        passings, layerCount, mostItems));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      items.push_back({int(i), -1, layerOf[i], graph.nodes[i].width, 0});
    constexpr double passing = 4;
    for (std::size_t e = 0; e < graph.edges.size(); ++e) {
      const Layered::Edge &edge = graph.edges[e];
      int from = edge.from;
      double offset = graph.nodes[edge.from].outs[edge.fromPort].x;
      for (int layer = layerOf[edge.from] + 1; layer < layerOf[edge.to]; ++layer) {
        items.push_back({-1, int(e), layer, passing, 0});
        int item = items.size() - 1;
        links.push_back({from, item, int(e), offset, passing / 2, items[from].node < 0 ? 8 : 3});
        from = item, offset = passing / 2;
      }
      double to = graph.nodes[edge.to].ins[edge.toPort].x;
      links.push_back({from, edge.to, int(e), offset, to, items[from].node < 0 ? 3 : 2});
    }
    above.resize(items.size());
    below.resize(items.size());
    for (std::size_t l = 0; l < links.size(); ++l) {
      below[links[l].from].push_back(l);
      above[links[l].to].push_back(l);
    }
    layers.resize(layerCount);
    placeOf.resize(items.size());
    return {};
  }

  tl::expected<void, std::string> orderLayers() {
    // The inputs become one node with ordered ports, and so do the outputs: their order is given.
    std::vector<int> vertex(items.size());
    std::vector<int> port(items.size(), -1);
    std::vector<PortedNode> nodes;
    auto terminal = [&](const std::vector<int> &members, bool top) {
      if (members.empty())
        return;
      PortedNode node;
      for (std::size_t i = 0; i < members.size(); ++i) {
        vertex[members[i]] = nodes.size();
        port[members[i]] = i;
        (top ? node.outs : node.ins).push_back(10 + 20 * i);
      }
      node.width = 20 * members.size();
      nodes.push_back(node);
    };
    terminal(graph.inputs, true);
    terminal(graph.outputs, false);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (port[i] >= 0)
        continue;
      vertex[i] = nodes.size();
      PortedNode node{int(items[i].width), {}, {}};
      if (items[i].node >= 0) {
        const Layered::Node &source = graph.nodes[items[i].node];
        if (!source.fans) {
          for (Point p : source.ins)
            node.ins.push_back(int(p.x));
          for (Point p : source.outs)
            node.outs.push_back(int(p.x));
        }
      }
      nodes.push_back(node);
    }
    std::vector<PortedEdge> edges;
    for (const Link &link : links) {
      const Layered::Edge &edge = graph.edges[link.edge];
      edges.push_back({vertex[link.from],
                       port[link.from] >= 0        ? port[link.from]
                       : items[link.from].node < 0 ? 0
                                                   : edge.fromPort,
                       vertex[link.to],
                       port[link.to] >= 0        ? port[link.to]
                       : items[link.to].node < 0 ? 0
                                                 : edge.toPort});
    }
    auto places = placesInLayers(nodes, edges);
    if (!places)
      return tl::unexpected(places.error());
    for (std::size_t i = 0; i < items.size(); ++i)
      layers[items[i].layer].push_back(i);
    for (auto &layer : layers) {
      std::stable_sort(layer.begin(), layer.end(), [&](int a, int b) {
        return std::pair((*places)[vertex[a]], port[a]) < std::pair((*places)[vertex[b]], port[b]);
      });
      for (std::size_t i = 0; i < layer.size(); ++i)
        placeOf[layer[i]] = i;
    }
    return {};
  }

  /// Where a link meets the other layer, as a key that orders ports from left to right.
  std::pair<int, double> far(const Link &link, bool up) const {
    return up ? std::pair(placeOf[link.from], link.fromOffset) : std::pair(placeOf[link.to], link.toOffset);
  }
  /// Crossings between the wires of two neighbours when a stands left of b.
  int crossings(int a, int b) const {
    int count = 0;
    for (bool up : {true, false})
      for (int l : up ? above[a] : below[a])
        for (int m : up ? above[b] : below[b])
          count += far(links[l], up) > far(links[m], up);
    return count;
  }
  void exchangeNeighbours() {
    std::vector<bool> fixed(items.size());
    for (int i : graph.inputs)
      fixed[i] = true;
    for (int i : graph.outputs)
      fixed[i] = true;
    bool better = true;
    for (int round = 0; better && round < 12; ++round) {
      better = false;
      for (auto &layer : layers)
        for (std::size_t i = 0; i + 1 < layer.size(); ++i) {
          if (fixed[layer[i]] || fixed[layer[i + 1]] ||
              crossings(layer[i + 1], layer[i]) >= crossings(layer[i], layer[i + 1]))
            continue;
          std::swap(layer[i], layer[i + 1]);
          placeOf[layer[i]] = i, placeOf[layer[i + 1]] = i + 1;
          better = true;
        }
    }
  }

  double separation(int left, int right) const {
    bool passing = items[left].node < 0 || items[right].node < 0;
    return items[left].width + (passing ? std::max(graph.nodeGap - 3, 8.0) : graph.nodeGap);
  }

  tl::expected<void, std::string> assignX() {
    std::vector<Difference> differences;
    for (const auto &layer : layers)
      for (std::size_t i = 0; i + 1 < layer.size(); ++i)
        differences.push_back({layer[i], layer[i + 1], int(std::ceil(2 * separation(layer[i], layer[i + 1]))), 0});
    int next = items.size();
    for (const Link &link : links) {
      double reach = std::max(link.fromOffset, link.toOffset);
      differences.push_back({next, link.from, int(std::lround(2 * (reach - link.fromOffset))), link.weight});
      differences.push_back({next, link.to, int(std::lround(2 * (reach - link.toOffset))), link.weight});
      ++next;
    }
    auto values = leastDifferences(next, differences);
    if (!values)
      return tl::unexpected(values.error());
    double least = (*values)[0];
    for (std::size_t i = 0; i < items.size(); ++i)
      least = std::min<double>(least, (*values)[i]);
    for (std::size_t i = 0; i < items.size(); ++i)
      items[i].x = ((*values)[i] - least) / 2.0;
    return {};
  }

  /// Where the links of one side would have the item: the least and the greatest, and how many there are.
  struct Wish {
    double low = 0, high = 0;
    std::size_t count = 0;
  };
  Wish wish(int item, bool up) const {
    Wish result;
    for (int l : up ? above[item] : below[item]) {
      const Link &link = links[l];
      double x = up ? items[link.from].x + link.fromOffset - link.toOffset
                    : items[link.to].x + link.toOffset - link.fromOffset;
      result.low = result.count ? std::min(result.low, x) : x;
      result.high = result.count ? std::max(result.high, x) : x;
      ++result.count;
    }
    return result;
  }
  /// A node whose wires on one side pull evenly both ways stands in the middle, if nothing else holds it.
  void centre() {
    for (int round = 0; round < 3; ++round)
      for (int step = 0; step < layerCount; ++step) {
        auto &layer = layers[round % 2 ? step : layerCount - 1 - step];
        for (std::size_t i = 0; i < layer.size(); ++i) {
          Item &item = items[layer[i]];
          if (item.node < 0)
            continue;
          Wish up = wish(layer[i], true), down = wish(layer[i], false);
          Wish *pull = up.count == 2 && down.count == 0 ? &up : down.count == 2 && up.count == 0 ? &down : nullptr;
          if (!pull)
            continue;
          double low = i ? items[layer[i - 1]].x + separation(layer[i - 1], layer[i]) : item.x;
          double high = i + 1 < layer.size() ? items[layer[i + 1]].x - separation(layer[i], layer[i + 1])
                                             : std::max(item.x, pull->high);
          if (i == 0)
            low = std::min(item.x, pull->low);
          if (low <= high)
            item.x = std::clamp(half((pull->low + pull->high) / 2), low, high);
        }
      }
  }

  LayeredPlaces finish() {
    LayeredPlaces result;
    double left = items[0].x;
    for (const Item &item : items)
      left = std::min(left, item.x);
    for (Item &item : items) {
      item.x -= left;
      result.width = std::max(result.width, item.x + item.width);
    }
    std::vector<double> top(layerCount), height(layerCount), bend(layerCount);
    for (const Item &item : items)
      if (item.node >= 0)
        height[item.layer] = std::max(height[item.layer], graph.nodes[item.node].height);
    for (const Link &link : links)
      bend[items[link.from].layer] =
          std::max(bend[items[link.from].layer],
                   std::abs(items[link.from].x + link.fromOffset - items[link.to].x - link.toOffset));
    double y = 0;
    for (int layer = 0; layer < layerCount; ++layer) {
      top[layer] = y;
      y += height[layer];
      if (layer + 1 < layerCount)
        y += half(graph.layerGap + std::min(bend[layer] * 0.3, 44.0));
    }
    result.height = y;
    result.corners.resize(graph.nodes.size());
    for (const Item &item : items)
      if (item.node >= 0) {
        const Layered::Node &node = graph.nodes[item.node];
        result.corners[item.node] = {item.x, top[item.layer] + half((height[item.layer] - node.height) * node.rest)};
      }
    result.routes.resize(graph.edges.size());
    for (const Link &link : links)
      extend(result, link, top, height);
    return result;
  }

  void extend(LayeredPlaces &result, const Link &link, const std::vector<double> &top,
              const std::vector<double> &height) {
    const Layered::Edge &edge = graph.edges[link.edge];
    const Item &from = items[link.from], &to = items[link.to];
    Route &route = result.routes[link.edge];
    if (from.node >= 0)
      route.start = result.corners[from.node] + graph.nodes[from.node].outs[edge.fromPort];
    auto straightTo = [&](double y) {
      if (y > route.end().y + 1e-9)
        route.lineTo({route.end().x, y});
    };
    bool fans = from.node >= 0 && graph.nodes[from.node].fans;
    double begin = top[from.layer] + height[from.layer], end = top[to.layer];
    if (!fans)
      straightTo(begin);
    Point a = route.end(), b{to.x + link.toOffset, end};
    if (a.x == b.x)
      straightTo(b.y);
    else if (fans) // a leg leaves its dot sideways, and turns
      route.curves.push_back(
          {{a.x + 0.75 * (b.x - a.x), a.y + 0.12 * (b.y - a.y)}, {b.x, a.y + 0.45 * (b.y - a.y)}, b});
    else
      route.curves.push_back({{a.x, a.y + 0.55 * (b.y - a.y)}, {b.x, b.y - 0.55 * (b.y - a.y)}, b});
    straightTo(to.node >= 0 ? result.corners[to.node].y + graph.nodes[to.node].ins[edge.toPort].y
                            : end + height[to.layer]);
  }
};

} // namespace

tl::expected<LayeredPlaces, std::string> place(const Layered &graph) { return Placing(graph).run(); }

} // namespace attnc::render
