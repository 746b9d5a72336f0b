#pragma once
#include "attnc/render/Picture.h"

namespace attnc::render {

/// Colour: tints of one blue for tubes, dark learners. Grey: no colour at all. Both are told apart by lightness
/// and shape alone, so that they survive print and colour blindness.
enum class Theme : std::uint8_t { Colour, Grey };

/// Colours are 0xRRGGBB; none paints nothing.
struct Style {
  static constexpr int none = -1;
  int fill = none, stroke = none;
  double strokeWidth = 1;
  double dash = 0; // length of dashes and gaps; 0 is solid
};

Style style(Role role, int depth, double value, Theme theme);
int colour(Ink ink, Theme theme);
/// The colour map of heat maps, 0 white … 1 dark, of falling lightness (ColorBrewer's "Blues").
int heat(double value, Theme theme);
/// `#rrggbb`.
std::string hex(int colour);

} // namespace attnc::render
