#include "attnc/render/Body.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::render {

namespace {

constexpr double radius = 10, rimLabel = 9.5, nameSize = 9, side = 12;
constexpr double loopGap = 8, barLength = 9, barWidth = 3.4, ring = 2.8;

/// What a box and a scan have in common.
struct Shell {
  const Size &size;
  const Diagram &body;
  const std::vector<Mode> &modes;
  bool index = false; // indexed, and the body uses the index
  std::size_t first;  // the body's first input that is an operand
  std::size_t states = 0;
  Cap cap = Cap::None;
};

bool uses(const Diagram &body, WireId wire) {
  for (const Op &op : body.ops)
    if (std::find(op.operands.begin(), op.operands.end(), wire) != op.operands.end())
      return true;
  return std::find(body.outputs.begin(), body.outputs.end(), wire) != body.outputs.end();
}

Shell shellOf(const Op &op) {
  auto make = [](const auto &g) {
    bool index = g.indexed && uses(*g.body, g.body->inputs[0]);
    return Shell{g.size, *g.body, g.modes, index, std::size_t(g.indexed), 0, Cap::None};
  };
  if (auto *scan = std::get_if<Scan>(&op.generator)) {
    Shell shell = make(*scan);
    shell.states = scan->states;
    return shell;
  }
  const Box &box = std::get<Box>(op.generator);
  Shell shell = make(box);
  shell.cap = box.cap;
  return shell;
}

Stroke line(Role role, Point from, Point to, std::string tip = {}) {
  Stroke stroke{role, {from, {}}, std::move(tip)};
  stroke.route.lineTo(to);
  return stroke;
}

/// A name beside a wire that begins at the border.
Terminal named(const Drawing &drawing, const Wire &wire) {
  Terminal terminal{8, 0, {}, 4};
  if (!drawing.options.wireNames || wire.name.empty())
    return terminal;
  Line label = symbol(wire.name, nameSize);
  double wide = drawing.across(label), tall = drawing.along(label);
  terminal.elements.push_back(Text{label, {3.5 + wide / 2, 1 + tall / 2}, Ink::Soft});
  terminal.width = 4 + 3.5 + wide, terminal.height = tall + 2;
  return terminal;
}

/// Makes the stubs of all wires equally long: their length.
double alignStubs(std::vector<Entry> &entries) {
  double stub = 0;
  for (const Entry &entry : entries)
    stub = std::max(stub, entry.terminal.height);
  for (Entry &entry : entries)
    entry.terminal.height = stub;
  return stub;
}

class TubeDrawer {
public:
  TubeDrawer(Drawing &drawing, const Shell &shell, const Surroundings &around, const std::string &id, int depth)
      : drawing(drawing), shell(shell), around(around), id(id), depth(depth) {}

  Fragment draw(const std::string &types, int calls) {
    std::vector<Entry> entries;
    if (shell.index)
      entries.push_back({0, named(drawing, shell.body.wire(shell.body.inputs[0]))});
    for (std::size_t operand : around.order)
      entries.push_back(
          {shell.first + operand, named(drawing, shell.body.wire(shell.body.inputs[shell.first + operand]))});
    stub = alignStubs(entries);
    Line cap = capLabel(shell.cap, 10.5);
    double exit = shell.cap == Cap::None ? 10 : funnelWidth(drawing, cap);
    inner =
        drawBody(drawing, shell.body, entries,
                 std::vector<Terminal>(shell.body.outputs.size(), {exit, 0, {}, exit / 2}), id + ".", depth + 1, calls);
    if (!drawing.failure.empty())
      return {};

    Line axis = sizeLabel({shell.size}, rimLabel);
    if (shell.index) {
      const std::string &name = shell.body.wire(shell.body.inputs[0]).name;
      Line indexed = symbol(name.empty() ? "i" : name, rimLabel);
      indexed += {" : "};
      for (Run &run : axis.runs)
        indexed += run;
      axis = indexed;
    }
    double pillWide = drawing.across(axis) + (drawing.right() ? 5 : 8),
           pillTall = drawing.along(axis) + (drawing.right() ? 8 : 5);
    double inside = std::min(pillWide / 2, 9.0), outside = halfUp(pillWide - inside);
    double loops = loopGap * shell.states;
    stub = halfUp(stub);
    double top = 13 + loops + (shell.states ? 4 : 0), bottom = 11 + loops + (shell.states ? 2 : 0);
    if (shell.index)
      top = halfUp(std::max(top, radius + pillTall / 2 + 9));
    double left = halfUp(std::max(side, inside + 6) + (shell.states ? loops + 4 : 0));
    double wide = std::max(left + inner.width + side, 2 * radius + 16),
           tall = std::max(halfUp(top + inner.height + bottom), radius * 2 + pillTall + 2);
    body = {outside + left, top};
    bodyBottom = top + inner.height;
    rim = {outside, 0, halfUp(wide), tall};

    Fragment out;
    out.nodes.push_back({id, rim, -1});
    out.elements.push_back(Shape{Role::Tube, rim, radius, {}, depth, id, tip() + ": " + types});
    out.width = rim.right(), out.height = rim.bottom();
    Fragment content = std::move(inner);
    std::vector<Point> ins = content.ins, outs = content.outs;
    inner = Fragment{0, content.height, ins, outs, {}, {}, {}};
    out.place(std::move(content), body, 0);
    Shape pill{Role::Label, {0, radius + 1, pillWide, pillTall}, std::min(pillWide, pillTall) / 2, {}, depth, {},
               tip()};
    if (shell.index)
      drawIndex(out, pill);
    out.elements.push_back(pill);
    out.elements.push_back(Text{axis, pill.bounds.centre()});
    for (std::size_t i = 0; i < shell.states; ++i)
      drawLoop(out, i);
    drawEntries(out);
    drawExits(out, cap);
    return out;
  }

private:
  Drawing &drawing;
  const Shell &shell;
  const Surroundings &around;
  const std::string &id;
  int depth;
  Fragment inner;
  double stub = 0;
  Point body; // where the body begins
  double bodyBottom = 0;
  Rect rim;

  std::string tip() const {
    std::string what = shell.states ? "scan" : std::string(name(shell.cap));
    return what + " " + shell.size.str();
  }
  double entryX(std::size_t i) const { return body.x + inner.ins[i].x; }

  void drawIndex(Fragment &out, const Shape &pill) {
    Point from{pill.bounds.right(), pill.bounds.centre().y}, to{entryX(0), body.y + stub};
    Stroke wire{Role::Wire, {from, {}}, "the index, int[]"};
    wire.route.curves.push_back({{from.x + 0.6 * (to.x - from.x), from.y}, {to.x, from.y + 0.1 * (to.y - from.y)}, to});
    out.elements.push_back(wire);
  }

  /// Where the loop of a state leaves its wire.
  double tap(std::size_t state) const { return bodyBottom + 5 + loopGap * state; }

  /// From below the next state, up along the side, to the state.
  void drawLoop(Fragment &out, std::size_t state) {
    double bend = 6, gap = loopGap * state;
    Point from{body.x + inner.outs[state].x, tap(state)}, to{entryX(shell.index + state), body.y - 5 - gap};
    double x = body.x - 6 - gap;
    double low = from.y + bend, high = to.y - bend;
    Stroke loop{Role::Feedback, {from, {}}, "the state, to the next step"};
    Route &route = loop.route;
    route.curves.push_back({{from.x, from.y + bend * 0.6}, {from.x - bend * 0.4, low}, {from.x - bend, low}});
    route.lineTo({x + bend, low});
    route.curves.push_back({{x + bend * 0.4, low}, {x, low - bend * 0.4}, {x, low - bend}});
    route.lineTo({x, high + bend});
    route.curves.push_back({{x, high + bend * 0.4}, {x + bend * 0.4, high}, {x + bend, high}});
    route.lineTo({to.x - bend, high});
    route.curves.push_back({{to.x - bend * 0.4, high}, {to.x, high + bend * 0.4}, to});
    out.elements.push_back(loop);
    double middle = half((low + high) / 2);
    out.elements.push_back(Shape{Role::Arrow,
                                 {x - 3.2, middle - 3, 6.4, 6},
                                 0,
                                 {{x, middle - 3}, {x + 3.2, middle + 3}, {x - 3.2, middle + 3}},
                                 depth,
                                 {},
                                 {}});
  }

  void drawEntries(Fragment &out) {
    out.ins.resize(around.order.size());
    for (std::size_t place = 0; place < around.order.size(); ++place) {
      std::size_t operand = around.order[place];
      double x = entryX(shell.index + place), begin = body.y + stub;
      Point at{x, rim.y};
      bool state = operand < shell.states;
      Mode mode = state ? Mode::Share : shell.modes[operand - shell.states];
      if (state) {
        out.elements.push_back(line(Role::Wire, at, {x, begin}, "the state"));
        double y = body.y - 5 - loopGap * operand, r = 3.4;
        out.elements.push_back(Shape{Role::State,
                                     {x - r, y - r, 2 * r, 2 * r},
                                     0,
                                     {{x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}},
                                     depth,
                                     {},
                                     "a state, from before the first step or from the step before"});
      } else if (mode == Mode::Share) {
        double dashes = rim.y + std::max(body.y - 2, 9.0);
        out.elements.push_back(line(Role::SharedWire, at, {x, dashes}, "shared by all copies"));
        if (begin > dashes)
          out.elements.push_back(line(Role::Wire, {x, dashes}, {x, begin}));
        out.elements.push_back(Shape{
            Role::Share, {x - ring, rim.y - ring, 2 * ring, 2 * ring}, ring, {}, depth, {}, "shared by all copies"});
        at.y -= ring;
      } else {
        out.elements.push_back(line(Role::Wire, at, {x, begin}, "one slice along " + shell.size.str()));
        out.elements.push_back(bar(x, rim.y));
      }
      out.ins[operand] = at;
    }
    if (!out.ins.empty() && std::any_of(out.ins.begin(), out.ins.end(), [](Point p) { return p.y < 0; })) {
      std::vector<Point> ins = out.ins;
      Fragment moved;
      moved.width = out.width, moved.height = out.height + ring;
      moved.place(std::move(out), {0, ring}, -1);
      out = std::move(moved);
      for (Point at : ins)
        out.ins.push_back(at + Point{0, ring});
      rim.y += ring, body.y += ring, bodyBottom += ring;
    }
  }

  Shape bar(double x, double y) const {
    return Shape{Role::Slice,
                 {x - barLength / 2, y - barWidth / 2, barLength, barWidth},
                 barWidth / 2,
                 {},
                 depth,
                 {},
                 "along " + shell.size.str()};
  }

  void drawExits(Fragment &out, const Line &cap) {
    double below = rim.bottom();
    auto leave = [&](std::size_t i) {
      double x = body.x + inner.outs[i].x;
      if (shell.cap != Cap::None) {
        double begin = rim.bottom() - 9;
        out.elements.push_back(line(Role::Wire, {x, bodyBottom}, {x, begin}));
        double tip =
            drawFunnel(drawing, out, cap, x, begin, fmt::format("{} along {}", name(shell.cap), shell.size.str()));
        below = std::max(below, tip);
        out.outs.push_back({x, tip});
        return;
      }
      bool ends = i < shell.states && !around.used[shell.body.outputs.size() - shell.states + i];
      out.elements.push_back(line(Role::Wire, {x, bodyBottom}, {x, ends ? tap(i) : rim.bottom()}));
      if (i >= shell.states)
        out.elements.push_back(bar(x, rim.bottom()));
      out.outs.push_back({x, rim.bottom()});
    };
    for (std::size_t i = shell.states; i < inner.outs.size(); ++i)
      leave(i);
    for (std::size_t i = 0; i < shell.states; ++i)
      leave(i);
    out.height = std::max(out.height, below);
    out.nodes[0].bounds.height = below - rim.y;
  }
};

} // namespace

Fragment drawTube(Drawing &drawing, const Op &op, const Surroundings &around, const std::string &types,
                  const std::string &id, int depth, int calls) {
  Shell shell = shellOf(op);
  return TubeDrawer(drawing, shell, around, id, depth).draw(types, calls);
}

Fragment drawRegion(Drawing &drawing, const Call &call, const std::string &types, const std::string &id, int depth,
                    int calls) {
  const Diagram &diagram = *call.body;
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i)
    entries.push_back({i, named(drawing, diagram.wire(diagram.inputs[i]))});
  double stub = alignStubs(entries);
  Fragment inner = drawBody(drawing, diagram, entries, std::vector<Terminal>(diagram.outputs.size(), {8, 0, {}, 4}),
                            id + ".", depth, calls + 1);
  if (!drawing.failure.empty())
    return {};
  // The name stands in the corner, where no wire enters.
  Line label{{{call.name}}, 9.5};
  double wide = drawing.across(label), tall = drawing.along(label), top = 10, left = 9, right = 9;
  double firstIn = inner.ins.empty() ? inner.width : inner.ins.front().x;
  bool atEnd = false;
  if (drawing.right()) {
    left += tall + 3;
  } else {
    double need = wide + 10, lastIn = inner.ins.empty() ? 0 : inner.ins.back().x + 8;
    top = tall + 9;
    atEnd = left + firstIn < need && inner.width - lastIn + right >= need;
    if (!atEnd)
      left = std::max(left, need - firstIn);
  }
  Fragment out;
  Rect frame{0, 0, halfUp(left + inner.width + right), halfUp(top + inner.height + 9)};
  if (drawing.right())
    frame.height = std::max(frame.height, wide + 12);
  out.nodes.push_back({id, frame, -1});
  out.elements.push_back(Shape{Role::Region, frame, 4, {}, depth, id, "named box " + call.name + ": " + types});
  out.elements.push_back(Text{label, {atEnd ? frame.width - 6 - wide / 2 : 6 + wide / 2, 5 + tall / 2}, Ink::Soft});
  out.width = frame.width, out.height = frame.height;
  Point corner{halfUp(left), top};
  for (Point at : inner.ins) {
    double x = corner.x + at.x;
    out.elements.push_back(line(Role::Wire, {x, 0}, {x, top + stub}));
    out.ins.push_back({x, 0});
  }
  for (Point at : inner.outs) {
    double x = corner.x + at.x;
    out.elements.push_back(line(Role::Wire, {x, top + inner.height}, {x, frame.height}));
    out.outs.push_back({x, frame.height});
  }
  out.place(std::move(inner), corner, 0);
  return out;
}

} // namespace attnc::render
