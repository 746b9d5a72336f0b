#pragma once
#include "attnc/render/Text.h"

#include <string>
#include <variant>
#include <vector>

namespace attnc::render {

/// What a thing in the picture means; the theme says how it looks.
enum class Role : std::uint8_t {
  Tube,
  Region,
  Operation,
  NamedBox,
  Fold,
  Constant,
  Linear,
  Affine,
  Universal,
  Parameter,
  Hole,
  Lift,
  Label,
  Slice,
  Share,
  State,
  Copy,
  Delete,
  Wire,
  SharedWire,
  Feedback,
  Arrow,
  Cell,
  Frame,
  Tick,
  Match,    // behind what a rewrite replaces
  Equation, // arrows from diagram to diagram, by the kind of the rule
  Specialise,
  Express,
  Head
};

/// A filled outline: a rectangle with round corners (a disc when the radius is half its width), or a polygon.
struct Shape {
  Role role;
  Rect bounds;
  double radius = 0;
  std::vector<Point> corners; // of a polygon; then `bounds` is its bounding box
  int depth = 0;              // how many tubes are around it
  std::string id;             // e.g. "op2.0": the operations' places from the outside in; may be empty
  std::string tip;            // what it is, in words
  double value = 0;           // of a cell of a heat map, 0 … 1
};

/// A wire or another stroke.
struct Stroke {
  Role role;
  Route route;
  std::string tip;
  bool onPorts = false; // both ends are ports of the picture
};

enum class Ink : std::uint8_t { Dark, Soft, White };
struct Text {
  Line line;
  Point centre;
  Ink ink = Ink::Dark;
  bool turned = false; // read from the bottom to the top
};

using Element = std::variant<Shape, Stroke, Text>;

/// An operation's place, for tools and tests.
struct NodeInfo {
  std::string id;
  Rect bounds; // of its outline with its caps, without labels
  int parent;  // the node around it, or -1
};

/// A drawing apart from any device, in units of 1/96 inch: elements in the order in which they are painted.
///
/// Invariants (each tested): everything lies inside width × height; nodes of one parent do not overlap, and a node
/// lies within its parent; no text meets a border or another text; a wire that is `onPorts` starts and ends at ports.
struct Picture {
  double width = 0, height = 0;
  std::string title, description;
  std::vector<Element> elements;
  std::vector<NodeInfo> nodes;
  std::vector<Point> ports;
};

} // namespace attnc::render
