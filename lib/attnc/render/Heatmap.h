#pragma once
#include "attnc/render/Picture.h"
#include "attnc/render/Theme.h"

#include <span>
#include <tl/expected.hpp>

namespace attnc::render {

/// A matrix as a picture: attention weights, one row a query and one column a key, their tokens on the axes.
struct Heatmap {
  std::span<const double> values;         // row-major, rows.size() × columns.size()
  std::vector<std::string> rows, columns; // labels, may be empty strings
  std::string title;
  std::string rowAxis = "query", columnAxis = "key";
  /// The values of the ends of the colour bar; values beyond are shown as the ends. Empty: 0 and the greatest value.
  double low = 0, high = 0;
};

/// The picture; or why there is none: the number of values is not that of the labels, more than 512 rows or columns.
/// A value that is no number is shown as the low end, and says so in its tool tip.
tl::expected<Picture, std::string> layout(const Heatmap &heatmap);

} // namespace attnc::render
