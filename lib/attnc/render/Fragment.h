#pragma once
#include "attnc/render/Leaf.h"
#include "attnc/render/Render.h"

namespace attnc::render {

/// A finished part of a picture with ports, placed as one node in what is around it. All of it is in the frame where
/// wires flow along y; `finish` turns it for Direction::Right. Texts stay upright, so their extents in the frame
/// depend on the direction.
struct Fragment {
  double width = 0, height = 0;
  std::vector<Point> ins, outs;
  std::vector<Element> elements;
  std::vector<NodeInfo> nodes;
  std::vector<Point> ports; // ends of wires inside

  /// Paints another fragment at a corner; its root nodes get `parent`.
  void place(Fragment &&other, Point corner, int parent);
};

/// What all parts of one drawing need.
struct Drawing {
  const Definition &definition;
  const DrawOptions &options;
  std::string failure; // why it cannot be drawn, once that is known

  bool right() const { return options.direction == Direction::Right; }
  /// The extents of a text across and along the flow.
  double across(const Line &line) const { return halfUp(right() ? height(line) : width(line)); }
  double along(const Line &line) const { return halfUp(right() ? width(line) : height(line)); }
};

/// The node of a leaf, with its ports.
Fragment drawLeaf(const Drawing &drawing, const Leaf &leaf, std::size_t results, const std::string &id, int depth,
                  const std::string &types);

/// A funnel about the axis x with its label, from `top` down, and the y of its tip.
double drawFunnel(const Drawing &drawing, Fragment &into, const Line &label, double x, double top,
                  const std::string &tip);
double funnelWidth(const Drawing &drawing, const Line &label);

/// A ground sign that ends a wire at a point.
void drawDelete(Fragment &into, Point at);
constexpr double deleteHeight = 7;

} // namespace attnc::render
