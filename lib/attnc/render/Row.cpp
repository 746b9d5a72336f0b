#include "attnc/render/Row.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace attnc::render {

namespace {

constexpr double gap = 10, border = 8, shortest = 54, head = 8, lineGap = 2.5, captionHeight = 14;

/// Moves what one diagram is made of, and sets its ids apart.
struct Placer {
  Point by;
  std::string prefix;

  Rect moved(Rect r) const { return {r.x + by.x, r.y + by.y, r.width, r.height}; }
  void operator()(Shape &shape) const {
    shape.bounds = moved(shape.bounds);
    for (Point &p : shape.corners)
      p = p + by;
    if (!shape.id.empty())
      shape.id = prefix + shape.id;
  }
  void operator()(Stroke &stroke) const {
    stroke.route.start = stroke.route.start + by;
    for (Curve &c : stroke.route.curves)
      c = {c.control1 + by, c.control2 + by, c.end + by};
  }
  void operator()(Text &text) const { text.centre = text.centre + by; }
};

double widest(const std::vector<Line> &lines) {
  double result = 0;
  for (const Line &line : lines)
    result = std::max(result, width(line));
  return halfUp(result);
}

double stacked(const std::vector<Line> &lines) {
  double result = 0;
  for (const Line &line : lines)
    result += halfUp(height(line)) + lineGap;
  return result;
}

/// Lines of text below each other, from `top`, each about x (or, with `left`, from x on).
void write(Picture &into, const std::vector<Line> &lines, double x, double top, Ink ink, bool left = false) {
  for (const Line &line : lines) {
    double tall = halfUp(height(line));
    into.elements.emplace_back(Text{line, {left ? half(x + width(line) / 2) : x, top + tall / 2}, ink});
    top += tall + lineGap;
  }
}

/// An arrow along y = at.y (or x, when it goes down), from `at` on.
void drawArrow(Picture &into, Role role, Point at, double length, bool down) {
  auto turned = [&](double along, double across) {
    return down ? Point{at.x + across, at.y + along} : Point{at.x + along, at.y + across};
  };
  auto stroke = [&](double from, double to, double across) {
    Stroke one{role, {turned(from, across), {}}, {}};
    one.route.lineTo(turned(to, across));
    into.elements.emplace_back(std::move(one));
  };
  if (role == Role::Equation) {
    stroke(0, length, -2);
    stroke(0, length, 2);
    return;
  }
  stroke(0, length - head + 1, 0);
  std::vector<Point> corners{turned(length, 0), turned(length - head, -3.5), turned(length - head, 3.5)};
  Rect bounds =
      down ? Rect{at.x - 3.5, at.y + length - head, 7, head} : Rect{at.x + length - head, at.y - 3.5, head, 7};
  into.elements.emplace_back(Shape{Role::Head, bounds, 0, std::move(corners), 0, {}, {}});
}

} // namespace

namespace {

/// How far the next diagram is moved across the row so that most of what both have stands in line.
double offset(const Picture &here, const Picture &next, bool down) {
  auto across = [&](const Shape &shape) { return down ? shape.bounds.x : shape.bounds.y; };
  double middle = down ? (here.width - next.width) / 2 : (here.height - next.height) / 2;
  std::map<double, int> votes;
  for (const Element &one : here.elements)
    for (const Element &other : next.elements) {
      auto *a = std::get_if<Shape>(&one), *b = std::get_if<Shape>(&other);
      if (a && b && !a->id.empty() && !b->id.empty() && a->role == b->role && a->tip == b->tip)
        ++votes[half(across(*a) - across(*b))];
    }
  double best = half(middle);
  int most = 0;
  for (auto [by, count] : votes)
    if (count > most || (count == most && std::abs(by - middle) < std::abs(best - middle)))
      best = by, most = count;
  return best;
}

} // namespace

Picture row(const std::string &title, const std::string &description, std::vector<Panel> panels, Direction direction) {
  const bool down = direction == Direction::Right; // then the row goes down
  Picture result;
  result.title = title, result.description = description;
  // Where each diagram begins across the row, and the whole of it: texts stand beside the arrows.
  std::vector<double> starts{0};
  for (std::size_t i = 1; i < panels.size(); ++i)
    starts.push_back(starts.back() + offset(panels[i - 1].picture, panels[i].picture, down));
  auto breadth = [&](std::size_t i) { return down ? panels[i].picture.width : panels[i].picture.height; };
  // Arrows run where both diagrams are.
  auto arrowAt = [&](std::size_t i) {
    double from = std::max(starts[i], starts[i + 1]),
           to = std::min(starts[i] + breadth(i), starts[i + 1] + breadth(i + 1));
    return half((from + to) / 2);
  };
  double low = 0, high = 0;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    double middle = starts[i] + breadth(i) / 2, caption = width(panels[i].caption) / 2;
    low = std::min({low, starts[i], down ? middle - caption : starts[i]});
    high =
        std::max({high, starts[i] + breadth(i), down ? middle + caption : starts[i] + breadth(i) + 4 + captionHeight});
    if (i + 1 == panels.size())
      break;
    std::vector<Line> lines = panels[i].above;
    lines.insert(lines.end(), panels[i].below.begin(), panels[i].below.end());
    low = std::min(low, down ? low : arrowAt(i) - 7 - stacked(panels[i].above));
    high = std::max(high, arrowAt(i) + (down ? 10 + widest(lines) : 7 + stacked(panels[i].below)));
  }
  low = std::floor(low) - border, high = std::ceil(high) + border;
  double at = border;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    Panel &panel = panels[i];
    const double start = starts[i] - low, middle = half(start + breadth(i) / 2);
    const double extent = down ? panel.picture.height : std::max(panel.picture.width, halfUp(width(panel.caption)));
    Point corner = down ? Point{start, at} : Point{half(at + (extent - panel.picture.width) / 2), start};
    const Placer placer{corner, fmt::format("s{}.", i)};
    const int first = result.nodes.size();
    for (Element &element : panel.picture.elements) {
      std::visit(placer, element);
      result.elements.push_back(std::move(element));
    }
    for (NodeInfo &node : panel.picture.nodes)
      result.nodes.push_back(
          {placer.prefix + node.id, placer.moved(node.bounds), node.parent < 0 ? -1 : node.parent + first});
    for (Point port : panel.picture.ports)
      result.ports.push_back(port + corner);
    at += extent;
    if (!panel.caption.runs.empty()) {
      Text caption{panel.caption, down ? Point{middle, at + 2 + captionHeight / 2}
                                       : Point{half(at - extent / 2), start + breadth(i) + captionHeight / 2}};
      result.elements.emplace_back(std::move(caption));
      at += down ? captionHeight + 2 : 0;
    }
    if (i + 1 == panels.size())
      break;
    const double axis = arrowAt(i) - low;
    if (down) { // the text stands on the right of the arrow
      double tall = stacked(panel.above) + stacked(panel.below), length = std::max(shortest * 0.7, tall + 4);
      drawArrow(result, panel.arrow, {axis, at + gap}, length, true);
      double top = at + gap + (length - tall) / 2;
      write(result, panel.above, axis + 10, top, Ink::Dark, true);
      write(result, panel.below, axis + 10, top + stacked(panel.above), Ink::Soft, true);
      at += 2 * gap + length;
    } else {
      double length = std::max(shortest, std::max(widest(panel.above), widest(panel.below)) + 10);
      drawArrow(result, panel.arrow, {at + gap, axis}, length, false);
      write(result, panel.above, half(at + gap + length / 2), axis - 6 - stacked(panel.above), Ink::Dark);
      write(result, panel.below, half(at + gap + length / 2), axis + 7, Ink::Soft);
      at += 2 * gap + length;
    }
  }
  result.width = down ? high - low : at + border;
  result.height = down ? at + border : high - low;
  return result;
}

} // namespace attnc::render
