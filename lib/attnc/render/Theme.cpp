#include "attnc/render/Theme.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::render {

namespace {
int grey(int colour) {
  double luma = 0.299 * (colour >> 16 & 255) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255);
  int level = std::lround(luma);
  return level << 16 | level << 8 | level;
}
constexpr int tints[] = {0xF1F5FB, 0xDFE9F6, 0xCBDBEF, 0xB6CCE7};

Style colourStyle(Role role, int depth, double value, Theme theme) {
  constexpr int ink = 0x1C2430, rim = 0x4A6A96, white = 0xFFFFFF;
  switch (role) {
  case Role::Tube:
    return {tints[std::min(depth, 3)], rim, 1.1, 0};
  case Role::Region:
    return {Style::none, 0x7A8594, 0.8, 2.5};
  case Role::Operation:
    return {white, ink, 0.9, 0};
  case Role::NamedBox:
    return {0xFFF8E6, ink, 1.1, 0};
  case Role::Fold:
    return {white, ink, 0.9, 0};
  case Role::Constant:
    return {0xF4F4F4, 0x5C6672, 0.8, 0};
  case Role::Linear:
    return {0x33475F, ink, 0.9, 0};
  case Role::Affine:
    return {0x33475F, ink, 0.9, 0};
  case Role::Parameter:
    return {0x33475F, ink, 0.9, 0};
  case Role::Universal:
    return {0x000000, 0x000000, 0.9, 0};
  case Role::Hole:
    return {white, ink, 1.1, 3};
  case Role::Lift:
    return {Style::none, rim, 0.7, 0};
  case Role::Label:
    return {white, rim, 0.8, 0};
  case Role::Slice:
    return {rim, Style::none, 0, 0};
  case Role::Share:
    return {white, rim, 1.1, 0};
  case Role::State:
    return {white, ink, 0.9, 0};
  case Role::Copy:
    return {ink, Style::none, 0, 0};
  case Role::Delete:
    return {Style::none, ink, 1.1, 0};
  case Role::Wire:
    return {Style::none, ink, 1.1, 0};
  case Role::SharedWire:
    return {Style::none, ink, 1.1, 2};
  case Role::Feedback:
    return {Style::none, 0x8A4B08, 1.2, 0};
  case Role::Arrow:
    return {0x8A4B08, Style::none, 0, 0};
  case Role::Cell:
    return {heat(value, theme), Style::none, 0, 0};
  case Role::Match:
    return {0xFFD98A, Style::none, 0, 0};
  case Role::Equation:
  case Role::Specialise:
    return {Style::none, ink, 1.3, 0};
  case Role::Express:
    return {Style::none, ink, 1.3, 3.5};
  case Role::Head:
    return {ink, Style::none, 0, 0};
  case Role::Frame:
    return {Style::none, 0x5C6672, 0.8, 0};
  case Role::Tick:
    return {Style::none, 0x5C6672, 0.8, 0};
  }
  return {};
}
} // namespace

int heat(double value, Theme theme) {
  constexpr int stops[] = {0xFFFFFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B};
  constexpr int last = std::size(stops) - 1;
  double at = std::clamp(std::isnan(value) ? 0.0 : value, 0.0, 1.0) * last;
  int i = std::min(int(at), last - 1);
  int mixed = 0;
  for (int shift : {16, 8, 0}) {
    double a = stops[i] >> shift & 255, b = stops[i + 1] >> shift & 255;
    mixed |= int(std::lround(a + (at - i) * (b - a))) << shift;
  }
  return theme == Theme::Grey ? grey(mixed) : mixed;
}

Style style(Role role, int depth, double value, Theme theme) {
  Style result = colourStyle(role, depth, value, theme);
  if (theme == Theme::Grey) {
    result.fill = result.fill < 0 ? result.fill : grey(result.fill);
    result.stroke = result.stroke < 0 ? result.stroke : grey(result.stroke);
  }
  return result;
}

int colour(Ink ink, Theme) { return ink == Ink::White ? 0xFFFFFF : ink == Ink::Soft ? 0x505A66 : 0x10161E; }

std::string hex(int colour) { return fmt::format("#{:06X}", colour); }

} // namespace attnc::render
