#pragma once
#include "attnc/render/Geometry.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace attnc::render {

enum class Face : std::uint8_t { Roman, Italic, Bold };

/// A piece of a line of text: in one face, at a scale of the line's size, raised by a part of it.
struct Run {
  std::string text; // UTF-8
  Face face = Face::Roman;
  double scale = 1, rise = 0;
};

/// One line of text about its centre, always upright.
struct Line {
  std::vector<Run> runs;
  double size = 11;
};

/// Widths come from an embedded table of Liberation Serif's metrics, which Times New Roman shares, so that a layout is
/// the same on every machine, whatever fonts it has. A character that is not in the table counts one em.
double width(const Line &line);
/// From the descender to the height of capitals.
double height(const Line &line);
/// The base line lies this far below the middle of the line.
double baseline(const Line &line);

/// The code points of UTF-8 text; bytes that are not UTF-8 become U+FFFD.
std::vector<char32_t> codePoints(std::string_view text);
/// UTF-8 of code points; what is no character becomes U+FFFD.
std::string utf8(const std::vector<char32_t> &codes);
/// The text of all runs.
std::string plain(const Line &line);

/// A name as mathematics writes it: Greek where it is spelled out, a trailing number lowered (k1), as is
/// a small letter after a capital (Wq); a prime is kept.
Line symbol(std::string_view name, double size, Face face = Face::Italic);
/// Puts a lowered, smaller text after a line.
void subscript(Line &line, std::string_view text, Face face = Face::Italic);
Line &operator+=(Line &line, Run run);

/// At most two decimals, without trailing zeros: the shortest text for a coordinate.
std::string number(double value);

} // namespace attnc::render
