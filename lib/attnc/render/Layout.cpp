#include "attnc/render/Body.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::render {

namespace {

constexpr double border = 10, nameSize = 12, typeSize = 10;

/// How many operations would be drawn; too deep or too many end the count.
bool withinBounds(Drawing &drawing, const Diagram &diagram, unsigned depth, int calls, std::size_t &count) {
  const DrawOptions &options = drawing.options;
  if (depth > options.maxDepth) {
    drawing.failure = fmt::format("its boxes are nested more than {} deep", options.maxDepth);
    return false;
  }
  count += diagram.ops.size() + diagram.inputs.size() + diagram.outputs.size();
  if (count > options.maxOps) {
    drawing.failure = fmt::format(
        "it has more than {} operations and ports to draw; leave named boxes closed, or draw a part", options.maxOps);
    return false;
  }
  for (const Op &op : diagram.ops) {
    auto *call = std::get_if<Call>(&op.generator);
    if (call && !isOpen(options.open, *call, calls))
      continue;
    if (const DiagramRef &body = bodyOf(op.generator);
        body && !withinBounds(drawing, *body, depth + 1, calls + (call != nullptr), count))
      return false;
  }
  return true;
}

/// `q [n d]` at the border: outside of the first layer, or of the last.
Terminal interfaceLabel(const Drawing &drawing, const std::string &name, const Type &type, bool input) {
  Line label = name.empty() ? Line{{}, nameSize} : symbol(name, nameSize);
  if (!name.empty())
    label += {" ", Face::Roman};
  for (Run run : typeLabel(type, typeSize).runs) {
    run.scale *= typeSize / nameSize;
    label += run;
  }
  double wide = drawing.across(label), tall = drawing.along(label) + 3;
  double y = input ? (tall - 3) / 2 : 3 + (tall - 3) / 2;
  return {wide, halfUp(tall), {Text{label, {0, y}}}, wide / 2};
}

/// Turns the frame of wires that flow down into one where they flow to the right.
struct Turn {
  void operator()(Shape &shape) const {
    shape.bounds = shape.bounds.swapped();
    for (Point &p : shape.corners)
      p = p.swapped();
  }
  void operator()(Stroke &stroke) const {
    stroke.route.start = stroke.route.start.swapped();
    for (Curve &c : stroke.route.curves)
      c = {c.control1.swapped(), c.control2.swapped(), c.end.swapped()};
  }
  void operator()(Text &text) const { text.centre = text.centre.swapped(); }
};

} // namespace

tl::expected<Picture, std::string> layout(const Definition &definition, const DrawOptions &options) {
  Drawing drawing{definition, options, {}};
  std::size_t count = 0;
  if (!withinBounds(drawing, definition.diagram, 0, 0, count))
    return tl::unexpected(drawing.failure);
  const Diagram &diagram = definition.diagram;
  std::vector<Entry> inputs;
  double tallest = 0;
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i) {
    const Wire &wire = diagram.wire(diagram.inputs[i]);
    inputs.push_back({i, interfaceLabel(drawing, wire.name, wire.type, true)});
    tallest = std::max(tallest, inputs.back().terminal.height);
  }
  // Labels stand on one line, next to their wires.
  for (auto &[input, terminal] : inputs) {
    std::get<Text>(terminal.elements[0]).centre.y += tallest - terminal.height;
    terminal.height = tallest;
  }
  std::vector<Terminal> outputs;
  for (std::size_t i = 0; i < diagram.outputs.size(); ++i)
    outputs.push_back(interfaceLabel(drawing, i < definition.outputNames.size() ? definition.outputNames[i] : "",
                                     diagram.type(diagram.outputs[i]), false));
  Fragment body = drawBody(drawing, diagram, inputs, outputs, "op", 0, 0);
  if (!drawing.failure.empty())
    return tl::unexpected(drawing.failure);

  Fragment whole;
  whole.width = body.width + 2 * border, whole.height = body.height + 2 * border;
  whole.place(std::move(body), {border, border}, -1);
  Picture picture{halfUp(whole.width),       halfUp(whole.height),   definition.name,       definition.signature(),
                  std::move(whole.elements), std::move(whole.nodes), std::move(whole.ports)};
  if (!definition.doc.empty())
    picture.description += "\n" + definition.doc;
  if (options.direction == Direction::Right) {
    std::swap(picture.width, picture.height);
    for (Element &element : picture.elements)
      std::visit(Turn{}, element);
    for (NodeInfo &node : picture.nodes)
      node.bounds = node.bounds.swapped();
    for (Point &port : picture.ports)
      port = port.swapped();
  }
  return picture;
}

} // namespace attnc::render
