#pragma once
#include "attnc/render/Render.h"

namespace attnc::render {

/// One diagram of a row, and the arrow that leads to the next.
struct Panel {
  Picture picture;
  Line caption; // below it; may be empty
  Role arrow = Role::Equation;
  std::vector<Line> above, below; // along the arrow
};

/// Diagrams next to each other with arrows between them (below each other where wires flow to the right): a double line
/// for an equation, an arrow for a rule that specialises, a dashed one for one that is a matter of what can be
/// expressed. The ids of the nodes get `s0.`, `s1.` … by diagram.
Picture row(const std::string &title, const std::string &description, std::vector<Panel> panels, Direction direction);

/// The same for Graphviz: a cluster for each diagram, an edge from cluster to cluster for each arrow.
struct DotPanel {
  Definition definition;
  std::set<std::string> marked;
  std::string caption, arrow, look; // the text and the look of the arrow to the next
};
tl::expected<std::string, std::string> rowToDot(const std::string &title, const std::vector<DotPanel> &panels,
                                                const DrawOptions &options = {});

} // namespace attnc::render
