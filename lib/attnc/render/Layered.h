#pragma once
#include "attnc/render/Geometry.h"

#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace attnc::render {

/// Layered drawing of one graph of nodes of fixed sizes with ordered ports, in the frame where wires flow along y
/// and layers extend across x:
///
///     layer 0    in   in   in      the inputs, in their order
///                 │    │  ╱
///     layer 1    ┌┴────┴┐ │        ports are at fixed offsets; a wire that passes a layer
///                └──┬───┘ │        has a place of its own in it, so it meets no box
///     last         out   out       the outputs, in their order
///
/// Layers and crossings come first, then coordinates: layers and places by Graphviz, then adjacent places are
/// exchanged while that removes crossings (counted at the ports), then positions that minimise the bends of the
/// wires (network simplex), then nodes are centred on their ports where that costs nothing.
struct Layered {
  struct Node {
    double width = 0, height = 0;
    /// Where wires meet the node, from its top left corner: `ins` from above, `outs` from below.
    std::vector<Point> ins, outs;
    /// The wires that leave may do so in any order (copying commutes), all from outs[0].
    bool fans = false;
    /// Where the node stands in its layer: 0 at the top, 1/2 in the middle, 1 at the bottom.
    double rest = 0.5;
  };
  struct Edge {
    int from, fromPort, to, toPort;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  /// Nodes without ins; nodes without outs; in the order of the interface.
  std::vector<int> inputs, outputs;
  /// Between neighbours in a layer, and the least between layers.
  double nodeGap = 14, layerGap = 16;
};

struct LayeredPlaces {
  std::vector<Point> corners;   // of the nodes: top left
  std::vector<Route> routes;    // of the edges: from port to port
  double width = 0, height = 0; // of all
};

tl::expected<LayeredPlaces, std::string> place(const Layered &graph);

} // namespace attnc::render
