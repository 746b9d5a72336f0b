#include "attnc/web/Parts.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <cmath>
#include <limits>

namespace attnc {

namespace {

/// Links of weight above 0, as long as −log of what they are worth: the shortest path is the best.
using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property,
                                    boost::property<boost::edge_weight_t, double>>;

Graph graphOf(const Web &web) {
  Graph graph(web.nodes.size());
  for (const Web::Link &link : web.links)
    if (link.weight > 0)
      boost::add_edge(link.source, link.target, -std::log(std::min(link.weight, 1.0)), graph);
  return graph;
}

constexpr double largest = std::numeric_limits<double>::max();

constexpr Web::Id nowhere = std::numeric_limits<Web::Id>::max();

} // namespace

Web kept(const Web &web, const std::vector<Web::Id> &nodes) {
  Web result;
  std::vector<Web::Id> places(web.nodes.size(), nowhere);
  for (Web::Id id : nodes)
    if (places[id] == nowhere) {
      places[id] = result.nodes.size();
      result.nodes.push_back(web.nodes[id]);
    }
  for (Web::Link link : web.links) {
    link.source = places[link.source];
    link.target = places[link.target];
    if (link.source != nowhere && link.target != nowhere)
      result.links.push_back(std::move(link));
  }
  return result;
}

std::vector<Web::Id> around(const Web &web, Web::Id node, unsigned links) {
  Graph graph = graphOf(web);
  std::vector<unsigned> steps(web.nodes.size(), std::numeric_limits<unsigned>::max());
  steps[node] = 0;
  boost::breadth_first_search(
      graph, node,
      boost::visitor(boost::make_bfs_visitor(boost::record_distances(steps.data(), boost::on_tree_edge()))));
  std::vector<Web::Id> result;
  for (Web::Id id = 0; id < steps.size(); ++id)
    if (steps[id] <= links && steps[id] != std::numeric_limits<unsigned>::max())
      result.push_back(id);
  std::ranges::stable_sort(result, {}, [&](Web::Id id) { return steps[id]; });
  return result;
}

Web merged(const Web &web, const std::vector<Web::Id> &nodes) {
  if (nodes.empty())
    return web;
  Web result;
  std::vector<Web::Id> places(web.nodes.size());
  std::vector<bool> joins(web.nodes.size());
  for (Web::Id id : nodes)
    joins[id] = true;
  for (Web::Id id = 0; id < web.nodes.size(); ++id)
    if (!joins[id] || id == nodes.front()) {
      places[id] = result.nodes.size();
      result.nodes.push_back(web.nodes[id]);
    }
  Web::Node &one = result.nodes[places[nodes.front()]];
  double total = 0;
  // A mean is a number also where the sum is beyond float64.
  std::map<std::string, long double> sums, counts;
  for (Web::Id id = 0; id < web.nodes.size(); ++id) {
    if (!joins[id])
      continue;
    const Web::Node &node = web.nodes[id];
    places[id] = places[nodes.front()];
    total = std::min(total + node.multiplicity, largest);
    for (const auto &[name, value] : node.metadata) {
      one.metadata.emplace(name, value);
      if (auto *number = std::get_if<double>(&value)) {
        sums[name] += static_cast<long double>(node.multiplicity) * *number;
        counts[name] += node.multiplicity;
      }
    }
  }
  one.multiplicity = total;
  for (auto &[name, value] : one.metadata)
    if (std::holds_alternative<double>(value) && counts[name] > 0)
      value = static_cast<double>(sums[name] / counts[name]);

  auto types = web.typeNumbers();
  types[""] = -1;
  std::map<std::pair<Web::Id, Web::Id>, std::size_t> known;
  for (Web::Link link : web.links) {
    link.source = places[link.source];
    link.target = places[link.target];
    auto [before, isNew] = known.emplace(std::pair(link.source, link.target), result.links.size());
    if (isNew) {
      result.links.push_back(std::move(link));
      continue;
    }
    Web::Link &sum = result.links[before->second];
    sum.weight = std::min(sum.weight + link.weight, largest);
    if (types[link.type] > types[sum.type])
      sum.type = link.type;
  }
  return result;
}

Path bestPath(const Web &web, Web::Id source, Web::Id target) {
  Graph graph = graphOf(web);
  std::vector<Web::Id> before(web.nodes.size());
  std::vector<double> length(web.nodes.size());
  boost::dijkstra_shortest_paths(graph, source, boost::predecessor_map(before.data()).distance_map(length.data()));
  if (source != target && before[target] == target)
    return {};
  std::vector<double> weights(web.nodes.size()); // of the links that best paths take, by where they lead to
  for (const Web::Link &link : web.links)
    if (before[link.target] == link.source)
      weights[link.target] = std::min(link.weight, 1.0);
  Path path{{target}, 1};
  for (Web::Id at = target; at != source; at = before[at]) {
    path.weight *= weights[at];
    path.nodes.push_back(before[at]);
  }
  std::ranges::reverse(path.nodes);
  return path;
}

} // namespace attnc
