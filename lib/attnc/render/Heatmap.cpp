#include "attnc/render/Heatmap.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::render {

namespace {

constexpr double cell = 15, labelSize = 10, titleSize = 13, border = 10, gap = 5;

Line label(const std::string &text, double size, Face face = Face::Roman) { return {{{text, face}}, size}; }

double widest(const std::vector<std::string> &labels) {
  double most = 0;
  for (const std::string &text : labels)
    most = std::max(most, width(label(text, labelSize)));
  return most;
}

Stroke tick(Point from, Point to) {
  Stroke stroke{Role::Tick, {from, {}}, {}};
  stroke.route.lineTo(to);
  return stroke;
}

} // namespace

tl::expected<Picture, std::string> layout(const Heatmap &heatmap) {
  std::size_t rows = heatmap.rows.size(), columns = heatmap.columns.size();
  constexpr std::size_t most = 512;
  if (rows > most || columns > most)
    return tl::unexpected(fmt::format(
        "a heat map of {} × {} cells is too large to be read; at most {} rows and columns", rows, columns, most));
  if (heatmap.values.size() != rows * columns)
    return tl::unexpected(fmt::format("{} values for {} rows and {} columns", heatmap.values.size(), rows, columns));
  double low = heatmap.low, high = heatmap.high;
  if (!(high > low)) {
    low = 0, high = 0;
    for (double value : heatmap.values)
      if (std::isfinite(value))
        high = std::max(high, value), low = std::min(low, value);
    if (high == low)
      high = low + 1;
  }

  Picture picture;
  picture.title = heatmap.title;
  picture.description = fmt::format("{} rows ({}) by {} columns ({}), values from {:.4g} to {:.4g}", rows,
                                    heatmap.rowAxis, columns, heatmap.columnAxis, low, high);
  double left = border + width(label(heatmap.rowAxis, labelSize, Face::Italic)) + 2 * gap + widest(heatmap.rows) + gap;
  double lineHeight = 12.5, top = border + titleSize + 2 * gap + lineHeight + widest(heatmap.columns) + gap;
  Rect grid{left, top, columns * cell, rows * cell};

  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      double value = heatmap.values[r * columns + c];
      Shape shape{Role::Cell, {left + c * cell, top + r * cell, cell, cell}, 0, {}, 0, {}, {}};
      shape.value = std::isnan(value) ? 0 : std::clamp((value - low) / (high - low), 0.0, 1.0);
      shape.tip = fmt::format("{} → {}: {:.4g}", heatmap.rows[r], heatmap.columns[c], value);
      picture.elements.push_back(std::move(shape));
    }
  picture.elements.push_back(Shape{Role::Frame, grid, 0, {}, 0, {}, {}});
  for (std::size_t r = 0; r < rows; ++r) {
    Line text = label(heatmap.rows[r], labelSize);
    double y = top + (r + 0.5) * cell;
    picture.elements.push_back(Text{text, {left - gap - width(text) / 2, y}});
    picture.elements.push_back(tick({left - 3, y}, {left, y}));
  }
  for (std::size_t c = 0; c < columns; ++c) {
    Line text = label(heatmap.columns[c], labelSize);
    double x = left + (c + 0.5) * cell;
    picture.elements.push_back(Text{text, {x, top - gap - width(text) / 2}, Ink::Dark, true});
    picture.elements.push_back(tick({x, top - 3}, {x, top}));
  }

  // Axes and title.
  Line rowAxis = label(heatmap.rowAxis, labelSize, Face::Italic),
       columnAxis = label(heatmap.columnAxis, labelSize, Face::Italic), title = label(heatmap.title, titleSize);
  picture.elements.push_back(Text{rowAxis, {border + width(rowAxis) / 2, grid.centre().y}, Ink::Soft});
  double heading = border + titleSize + gap;
  double barX = grid.right() + 22;
  double titleX = std::max(half(grid.centre().x), border + width(title) / 2);
  picture.elements.push_back(Text{title, {titleX, border + titleSize / 2}});
  picture.elements.push_back(Text{
      columnAxis, {std::max(grid.centre().x, border + width(columnAxis) / 2), heading + lineHeight / 2}, Ink::Soft});

  // The colour bar, from the high end down.
  constexpr int steps = 32;
  double tall = std::max(grid.height, 80.0), wide = 10, ends = 0;
  for (int i = 0; i < steps; ++i) {
    Shape shape{
        Role::Cell, {barX, top + i * tall / steps, wide, tall / steps + (i + 1 < steps ? 0.3 : 0)}, 0, {}, 0, {}, {}};
    shape.value = 1 - (i + 0.5) / steps;
    picture.elements.push_back(std::move(shape));
  }
  picture.elements.push_back(Shape{Role::Frame, {barX, top, wide, tall}, 0, {}, 0, {}, {}});
  for (double part : {0.0, 0.5, 1.0}) {
    Line text = label(fmt::format("{:.3g}", low + part * (high - low)), labelSize - 1);
    double y = top + (1 - part) * tall;
    picture.elements.push_back(tick({barX + wide, y}, {barX + wide + 3, y}));
    picture.elements.push_back(Text{text, {barX + wide + gap + width(text) / 2, y}});
    ends = std::max(ends, barX + wide + gap + width(text));
  }
  picture.width = halfUp(std::max(ends, titleX + width(title) / 2) + border);
  picture.height = halfUp(top + tall + border);
  return picture;
}

} // namespace attnc::render
