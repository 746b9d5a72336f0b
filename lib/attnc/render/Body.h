#pragma once
#include "attnc/render/Fragment.h"

namespace attnc::render {

/// How the wires of an interface stand at the border of a diagram that is drawn in a frame.
struct Terminal {
  double width = 6, height = 0;  // the room it needs there
  std::vector<Element> elements; // about its wire: x = 0 is the wire, y = 0 the border
  double reach = 0;              // how far to the left of the wire the room begins
};

/// An input that is drawn, and how it stands at the border.
struct Entry {
  std::size_t input;
  Terminal terminal;
};

/// Draws the operations of a diagram between its interface, entries and exits from left to right: `ins` of the result
/// are where the entries begin, at y = 0, and `outs` where the outputs end, at its height.
Fragment drawBody(Drawing &drawing, const Diagram &diagram, const std::vector<Entry> &entries,
                  const std::vector<Terminal> &outputs, const std::string &path, int depth, int calls);

/// How an operation with a body meets what is around it.
struct Surroundings {
  std::vector<std::size_t> order; // of the operands, from left to right; states of a scan first
  std::vector<bool> used;         // the results that go somewhere
};
/// A box or a scan with its body. `calls` counts the named boxes around that are open.
Fragment drawTube(Drawing &drawing, const Op &op, const Surroundings &around, const std::string &types,
                  const std::string &id, int depth, int calls);
/// A named box with its body.
Fragment drawRegion(Drawing &drawing, const Call &call, const std::string &types, const std::string &id, int depth,
                    int calls);
/// Is this named box drawn with what is in it?
bool isOpen(const Opening &opening, const Call &call, int calls);

} // namespace attnc::render
