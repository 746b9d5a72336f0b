#include "attnc/render/Fragment.h"

#include <algorithm>

namespace attnc::render {

namespace {

struct Mover {
  Point by;
  Rect operator()(Rect r) const { return {r.x + by.x, r.y + by.y, r.width, r.height}; }
  void operator()(Shape &shape) const {
    shape.bounds = (*this)(shape.bounds);
    for (Point &p : shape.corners)
      p = p + by;
  }
  void operator()(Stroke &stroke) const {
    stroke.route.start = stroke.route.start + by;
    for (Curve &c : stroke.route.curves)
      c = {c.control1 + by, c.control2 + by, c.end + by};
  }
  void operator()(Text &text) const { text.centre = text.centre + by; }
};

constexpr double portGap = 14, funnelHeight = 17;

} // namespace

void Fragment::place(Fragment &&other, Point corner, int parent) {
  Mover move{corner};
  for (Element &element : other.elements) {
    std::visit(move, element);
    elements.push_back(std::move(element));
  }
  int first = nodes.size();
  for (NodeInfo &node : other.nodes) {
    node.bounds = move(node.bounds);
    node.parent = node.parent < 0 ? parent : node.parent + first;
    nodes.push_back(std::move(node));
  }
  for (Point port : other.ports)
    ports.push_back(port + corner);
}

void drawDelete(Fragment &into, Point at) {
  double y = at.y;
  for (double reach : {5.0, 3.0, 1.0}) {
    Stroke bar{Role::Delete, {{at.x - reach, y}, {}}, "deleted"};
    bar.route.lineTo({at.x + reach, y});
    into.elements.push_back(bar);
    y += 2.5;
  }
}

double funnelWidth(const Drawing &drawing, const Line &label) {
  return halfUp(drawing.across(label) + (drawing.right() ? 14 : 16));
}

/// The width of a funnel at its tip: so that the label does not meet its sides.
static double funnelTip(const Drawing &drawing, const Line &label) {
  double across = drawing.across(label);
  return drawing.right() ? across + 1 : std::max(5.0, across - 4);
}

double drawFunnel(const Drawing &drawing, Fragment &into, const Line &label, double x, double top,
                  const std::string &tip) {
  double wide = funnelWidth(drawing, label), tall = std::max(funnelHeight, drawing.along(label) + 8),
         narrow = funnelTip(drawing, label);
  Shape funnel{Role::Fold,
               {x - wide / 2, top, wide, tall},
               0,
               {{x - wide / 2, top}, {x + wide / 2, top}, {x + narrow / 2, top + tall}, {x - narrow / 2, top + tall}},
               0,
               {},
               tip};
  into.elements.push_back(funnel);
  into.elements.push_back(Text{label, {x, top + (drawing.right() ? drawing.along(label) / 2 + 3.5 : tall / 2 - 1.5)}});
  return top + tall;
}

Fragment drawLeaf(const Drawing &drawing, const Leaf &leaf, std::size_t results, const std::string &id, int depth,
                  const std::string &types) {
  Sign sign = signOf(leaf, drawing.definition);
  sign.tip += ": " + types;
  Fragment out;
  double a = drawing.across(sign.label), l = drawing.along(sign.label);
  std::size_t ports = std::max(leaf.ports.size(), results);
  bool lifted = !leaf.axes.empty();
  constexpr double lift = 2.5;
  double margin = lifted ? lift : 0;
  double w = 0, h = 0;
  bool pointed = sign.form == Form::Triangle && a > 20; // a triangle about a long label would be too wide: a house
  Shape shape{sign.role, {}, 0, {}, depth, id, sign.tip};
  switch (sign.form) {
  case Form::Disc:
    w = h = 20;
    shape.radius = 10;
    break;
  case Form::Stadium:
    w = std::max(a + 12, 18.0), h = l + 9, shape.radius = std::min(w, h) / 2;
    break;
  case Form::Rectangle:
  case Form::CutRectangle:
    w = std::max(a + 14, 22.0), h = l + 11, shape.radius = sign.form == Form::Rectangle ? 1.5 : 0;
    break;
  case Form::RoundRectangle:
    w = std::max(a + 16, 24.0), h = l + 12, shape.radius = 6;
    break;
  case Form::Crossing:
    w = 24, h = 18, shape.radius = 1.5;
    break;
  case Form::Triangle:
    h = l + 14, w = pointed ? a + 12 : (a + 5) * h / 11.5;
    break;
  case Form::Funnel:
    w = funnelWidth(drawing, sign.label), h = std::max(funnelHeight, l + 8);
    break;
  }
  if (sign.form != Form::Disc && sign.form != Form::Triangle && sign.form != Form::Funnel)
    w = std::max(w, portGap * (ports - 1.0) + 14);
  w = std::round(w / 2 + 0.49) * 2, h = halfUp(h);
  shape.bounds = {margin, margin, w, h};
  double centre = margin + w / 2, bottom = margin + h;
  Point text{centre, margin + h / 2};
  if (sign.form == Form::Triangle) {
    shape.corners = {{centre, margin}, {margin + w, bottom}, {margin, bottom}};
    if (pointed)
      shape.corners = {
          {centre, margin}, {margin + w, margin + 9}, {margin + w, bottom}, {margin, bottom}, {margin, margin + 9}};
    text.y = bottom - 3 - l / 2;
  } else if (sign.form == Form::CutRectangle) {
    shape.corners = {
        {margin, margin}, {margin + w - 6, margin}, {margin + w, margin + 6}, {margin + w, bottom}, {margin, bottom}};
  }
  if (lifted) {
    Shape outer = shape;
    outer.role = Role::Lift, outer.tip.clear(), outer.id.clear();
    outer.bounds = shape.bounds.grown(lift);
    outer.radius = shape.radius + lift;
    if (!shape.corners.empty()) {
      Point middle = shape.bounds.centre();
      for (Point &p : outer.corners) // grown about the middle, so that the lines stay parallel to the eye
        p = {p.x + (p.x < middle.x ? -lift : p.x > middle.x ? lift : 0), p.y + (p.y < middle.y ? -lift : lift)};
    }
    if (sign.form == Form::Funnel) {
      double narrow = funnelTip(drawing, sign.label);
      outer.corners = {{0, 0},
                       {w + 2 * lift, 0},
                       {centre + narrow / 2 + lift, bottom + lift},
                       {centre - narrow / 2 - lift, bottom + lift}};
    }
    out.elements.push_back(outer);
  }
  if (sign.form == Form::Funnel) {
    drawFunnel(drawing, out, sign.label, centre, margin, sign.tip);
    std::get<Shape>(out.elements[out.elements.size() - 2]).id = id;
  } else {
    out.elements.push_back(shape);
    if (sign.form == Form::Crossing)
      for (double side : {-1.0, 1.0}) {
        Stroke line{Role::Wire, {{centre - side * 5, margin}, {}}, {}};
        line.route.curves.push_back(
            {{centre - side * 5, margin + 9}, {centre + side * 5, margin + 9}, {centre + side * 5, bottom}});
        out.elements.push_back(line);
      }
    else
      out.elements.push_back(Text{sign.label, text, sign.white ? Ink::White : Ink::Dark});
  }
  double fullWidth = w + 2 * margin, fullHeight = h + 2 * margin;
  // Wires meet the outermost line of the shape; on a disc that is higher or lower by the curve.
  auto port = [&](std::size_t i, std::size_t count, bool top) -> Point {
    double gap = sign.form == Form::Disc ? 10
                                         : std::min(std::max(portGap, (w - 14) / std::max<double>(count - 1, 1) * 0.62),
                                                    (w - 8) / std::max<double>(count - 1, 1));
    double x = half(centre + (i - (count - 1) / 2.0) * gap);
    double inset = 0;
    if (shape.radius > 3 && sign.form != Form::RoundRectangle) {
      double r = shape.radius + margin, from = std::max(std::abs(x - centre) - (fullWidth / 2 - r), 0.0);
      inset = r - std::sqrt(std::max(r * r - from * from, 0.0));
    }
    return {x, top ? inset : fullHeight - inset};
  };
  for (std::size_t i = 0; i < leaf.ports.size(); ++i) {
    Point at = port(i, leaf.ports.size(), true);
    if (lifted && leaf.ports[i].shared) {
      constexpr double r = 2.5;
      out.elements.push_back(
          Shape{Role::Share, {at.x - r, at.y - 2 * r, 2 * r, 2 * r}, r, {}, depth, {}, "shared by all copies"});
      at.y -= 2 * r;
    }
    out.ins.push_back(at);
  }
  for (std::size_t i = 0; i < results; ++i)
    out.outs.push_back(port(i, results, false));
  out.nodes.push_back({id, {0, 0, fullWidth, fullHeight}, -1});
  out.width = fullWidth, out.height = fullHeight;
  if (lifted) {
    Line axes = sizeLabel(leaf.axes, 8.5);
    double wide = drawing.across(axes), tall = drawing.along(axes);
    out.elements.push_back(
        Text{axes, {fullWidth + 3 + wide / 2, std::max(fullHeight - tall / 2, fullHeight / 2)}, Ink::Soft});
    out.width = fullWidth + 3 + wide;
  }
  // Rings stand out above the node.
  double above = 0;
  for (Point at : out.ins)
    above = std::max(above, -at.y);
  if (above > 0) {
    Fragment moved;
    moved.width = out.width, moved.height = out.height + above;
    for (Point at : out.ins)
      moved.ins.push_back(at + Point{0, above});
    for (Point at : out.outs)
      moved.outs.push_back(at + Point{0, above});
    moved.place(std::move(out), {0, above}, -1);
    return moved;
  }
  return out;
}

} // namespace attnc::render
