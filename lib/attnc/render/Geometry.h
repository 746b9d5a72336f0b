#pragma once
#include <cmath>
#include <vector>

namespace attnc::render {

struct Point {
  double x = 0, y = 0;
  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  bool operator==(const Point &) const = default;
  Point swapped() const { return {y, x}; }
};

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
  Point centre() const { return {x + width / 2, y + height / 2}; }
  Rect swapped() const { return {y, x, height, width}; }
  Rect grown(double by) const { return {x - by, y - by, width + 2 * by, height + 2 * by}; }
};

/// A cubic Bézier curve that goes on where another ended.
struct Curve {
  Point control1, control2, end;
};
/// A chain of curves.
struct Route {
  Point start;
  std::vector<Curve> curves;
  Point end() const { return curves.empty() ? start : curves.back().end; }
  void lineTo(Point to) { curves.push_back({end() + (1.0 / 3) * (to - end()), end() + (2.0 / 3) * (to - end()), to}); }
};

/// Lengths are whole multiples of half a unit, so that aligned things are aligned exactly.
inline double half(double length) { return std::round(length * 2) / 2; }
inline double halfUp(double length) { return std::ceil(length * 2 - 1e-9) / 2; }

} // namespace attnc::render
