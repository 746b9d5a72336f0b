#pragma once
#include "attnc/render/Picture.h"
#include "attnc/render/Theme.h"

#include <tl/expected.hpp>

namespace attnc::render {

/// The writers: pictures to bytes, the same picture to the same bytes. `scale` multiplies lengths.
struct WriteOptions {
  Theme theme = Theme::Colour;
  double scale = 1;
};

/// SVG 1.1: no scripts, no embedded fonts; tool tips, and a title and description for readers who do not see it.
std::string toSvg(const Picture &picture, const WriteOptions &options = {});
/// A LaTeX document of one page (class standalone) that pdflatex compiles.
std::string toTikz(const Picture &picture, const WriteOptions &options = {});
/// From our own SVG through librsvg and cairo, on white. The error says why it failed.
tl::expected<std::string, std::string> toPng(const Picture &picture, const WriteOptions &options = {});
/// Pixels to a unit of length that a PNG has by default: two, or as many as the largest PNG holds.
double pngScale(const Picture &picture);
/// With a fixed date of creation.
tl::expected<std::string, std::string> toPdf(const Picture &picture, const WriteOptions &options = {});

} // namespace attnc::render
