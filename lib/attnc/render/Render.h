#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/render/Picture.h"
#include "attnc/render/Theme.h"

#include <set>
#include <tl/expected.hpp>

namespace attnc::render {

/// Drawing: a definition as a string diagram with SIMD boxes, in one style for papers.
///
///     Definition ─layout→ Picture ─┬─ toSvg ──┬─ toPng
///         └────────toDot           ├─ toTikz  └─ toPdf
///                                  └─ (Writers.h)
///
/// The legend:
///   * tube: a SIMD box; a round region, tinted by depth, its axis on the rim (`i : n` when the body uses the index)
///   * bar on the rim: the axis is peeled off a wire (mapped), or put back on a result
///   * ring on the rim, then dashes: the wire is shared, the same for every copy
///   * funnel: an axis is folded away (Σ, Π, max …); on the rim the cap of a tube, alone a fold of a whole array
///   * loop along the rim of a tube: the state of a scan, from one step to the next, in by a diamond
///   * dot: copying; ground sign: deletion
///   * double line around an operation, axes beside it: that operation in SIMD boxes; rings mark its shared operands
///   * dark box: a learner; linear with square corners, affine with one cut, universal round and black; param a
///     triangle, or a house about a long name
///   * dashed box: a box that has yet to be given
///   * round end: a constant; its text the value
///   * amber behind an operation, or about a tube: what the next rewrite replaces
///   * cream box: a named diagram, closed; open, a dotted region with its name
enum class Direction : std::uint8_t { Down, Right };

/// Which named boxes are drawn with what is in them.
struct Opening {
  bool all = false;
  int depth = 0; // levels of named boxes, from the outside
  std::set<std::string, std::less<>> names;
};

struct DrawOptions {
  Direction direction = Direction::Down;
  Opening open;
  bool wireNames = true;        // the source's names beside inner wires
  std::set<std::string> marked; // operations that a mark lies behind, by their places: "op2.0"
  bool compact = true;          // a lifted single operation as one node, not as a tube
  std::size_t maxOps = 2000;    // operations that would be drawn: more are refused
  unsigned maxDepth = 48;       // boxes inside each other: more are refused
};

/// The drawing of a definition; or why it cannot be drawn (too large, too deep, Graphviz fails), in lower case.
tl::expected<Picture, std::string> layout(const Definition &definition, const DrawOptions &options = {});

/// The same as a graph for Graphviz, boxes as clusters, for people who want to lay it out themselves. No limit but
/// depth.
tl::expected<std::string, std::string> toDot(const Definition &definition, const DrawOptions &options = {});

} // namespace attnc::render
