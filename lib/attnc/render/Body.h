#pragma once
#include "attnc/render/Fragment.h"

namespace attnc::render {

/// How the wires of an interface stand at the border of a diagram that is drawn in a frame.
struct Terminal {
  double width = 6, height = 0; // the room it needs there
  std::vector<Element> elements; // about its wire: x = 0 is the wire, y = 0 the border
  double reach = 0;              // how far to the left of the wire the room begins
};

/// Draws the operations of a diagram between its interface: `ins` of the result are where the inputs begin, at y = 0, and
/// `outs` where the outputs end, at its height. `inputs[i]` of an input that is not drawn at all is empty.
Fragment drawBody(Drawing &drawing, const Diagram &diagram, const std::vector<std::optional<Terminal>> &inputs,
                  const std::vector<Terminal> &outputs, const std::string &path, int depth, int calls);

/// Any operation: a leaf, a tube, a named box. `calls` counts the named boxes around that are open.
Fragment drawOperation(Drawing &drawing, const Diagram &diagram, const Op &op, const std::string &id, int depth, int calls);
/// A box or a scan with its body.
Fragment drawTube(Drawing &drawing, const Op &op, const std::string &types, const std::string &id, int depth, int calls);
/// A named box with its body.
Fragment drawRegion(Drawing &drawing, const Call &call, const std::string &types, const std::string &id, int depth, int calls);
/// Is this named box drawn with what is in it?
bool isOpen(const Opening &opening, const Call &call, int calls);

} // namespace attnc::render
