#pragma once
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace attnc::render {

/// Two of the optimisation problems of layered drawing, solved by Graphviz's `dot` engine in this process
/// (Gansner, Koutsofios, North, Vo: A technique for drawing directed graphs, 1993). Both are deterministic. Graphviz
/// keeps state of its own: one thread at a time.

/// value(to) - value(from) >= length, at a cost of weight for each unit by which it is more.
struct Difference {
  int from, to, length, weight;
};
/// Integers, the smallest of them 0, that meet all differences at the least cost: the network simplex of
/// `dot`. The differences must hold no cycle.
tl::expected<std::vector<int>, std::string> leastDifferences(int count, const std::vector<Difference> &differences);

/// A node with ordered ports at whole offsets from its left side; a node without offsets takes its wires at one point.
struct PortedNode {
  int width;
  std::vector<int> ins, outs;
};
struct PortedEdge {
  int from, fromPort, to, toPort; // a port is an index into `outs` or `ins`
};
/// For each node its place in its layer (from the left, 0 first), with few crossings. Every edge leads from a layer to
/// the next; the graph is connected.
tl::expected<std::vector<int>, std::string> placesInLayers(const std::vector<PortedNode> &nodes,
                                                           const std::vector<PortedEdge> &edges);

} // namespace attnc::render
