#include "Mechanisms.h"

#include "attnc/render/Constants.h"
#include "attnc/render/Graphviz.h"
#include "attnc/render/Layered.h"
#include "attnc/render/Row.h"
#include "attnc/render/Writers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <random>

using namespace attnc;
using namespace attnc::render;

namespace {

constexpr double slack = 1e-6;

Rect extents(const Text &text) {
  double w = width(text.line), h = height(text.line);
  if (text.turned)
    std::swap(w, h);
  return {text.centre.x - w / 2, text.centre.y - h / 2, w, h};
}
bool overlap(const Rect &a, const Rect &b) {
  return a.x < b.right() - slack && b.x < a.right() - slack && a.y < b.bottom() - slack && b.y < a.bottom() - slack;
}
bool inside(const Rect &in, const Rect &out) {
  return in.x >= out.x - slack && in.y >= out.y - slack && in.right() <= out.right() + slack &&
         in.bottom() <= out.bottom() + slack;
}
/// Boxes whose borders text must not meet: the small things on rims (bars, rings, dots) are part of wires.
bool hasBorder(Role role) {
  switch (role) {
  case Role::Tube:
  case Role::Region:
  case Role::Operation:
  case Role::NamedBox:
  case Role::Constant:
  case Role::Linear:
  case Role::Affine:
  case Role::Universal:
  case Role::Hole:
  case Role::Lift:
  case Role::Label:
    return true;
  default:
    return false;
  }
}

/// The laws of Picture.h; the first that is broken, or nothing.
std::string broken(const Picture &picture) {
  Rect canvas{0, 0, picture.width, picture.height};
  std::vector<const Text *> texts;
  std::vector<Rect> covers; // opaque things on rims, with their own text
  for (const Element &element : picture.elements) {
    if (auto *text = std::get_if<Text>(&element)) {
      if (!text->line.runs.empty())
        texts.push_back(text);
      if (!inside(extents(*text), canvas))
        return "text outside: " + plain(text->line);
    } else if (auto *shape = std::get_if<Shape>(&element)) {
      if (!inside(shape->bounds, canvas))
        return "shape outside: " + shape->tip;
      if (shape->role == Role::Label || shape->role == Role::Fold)
        covers.push_back(shape->bounds);
    } else {
      const Route &route = std::get<Stroke>(element).route;
      std::vector<Point> points{route.start};
      for (const Curve &c : route.curves)
        points.insert(points.end(), {c.control1, c.control2, c.end});
      for (Point p : points)
        if (!inside({p.x, p.y, 0, 0}, canvas))
          return "wire outside: " + std::get<Stroke>(element).tip;
    }
  }
  for (std::size_t i = 0; i < picture.nodes.size(); ++i) {
    const NodeInfo &a = picture.nodes[i];
    if (a.parent >= 0 && !inside(a.bounds, picture.nodes[a.parent].bounds))
      return a.id + " leaves " + picture.nodes[a.parent].id;
    for (std::size_t j = 0; j < i; ++j) {
      const NodeInfo &b = picture.nodes[j];
      if (a.parent == b.parent && overlap(a.bounds, b.bounds))
        return a.id + " overlaps " + b.id;
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Rect extent = extents(*texts[i]);
    for (std::size_t j = 0; j < i; ++j)
      if (overlap(extent, extents(*texts[j])))
        return "texts meet: " + plain(texts[i]->line) + ", " + plain(texts[j]->line);
    for (const Element &element : picture.elements)
      if (auto *shape = std::get_if<Shape>(&element); shape && hasBorder(shape->role)) {
        bool covered =
            std::any_of(covers.begin(), covers.end(), [&](const Rect &cover) { return inside(extent, cover); });
        if (overlap(extent, shape->bounds) && !inside(extent, shape->bounds) && !(covered && shape->role == Role::Tube))
          return "text '" + plain(texts[i]->line) + "' meets the border of " + shape->tip;
      }
  }
  for (const Element &element : picture.elements)
    if (auto *stroke = std::get_if<Stroke>(&element); stroke && stroke->onPorts)
      for (Point end : {stroke->route.start, stroke->route.end()})
        if (std::find(picture.ports.begin(), picture.ports.end(), end) == picture.ports.end())
          return "a wire ends at no port: " + stroke->tip;
  return {};
}

/// Where a wire that runs along `vertical` meets boxes: only at the borders of the boxes it is inside of.
std::string wireMeetsBox(const Picture &picture) {
  for (const Element &element : picture.elements) {
    auto *stroke = std::get_if<Stroke>(&element);
    if (!stroke || !stroke->onPorts)
      continue;
    Point from = stroke->route.start;
    for (const Curve &c : stroke->route.curves) {
      for (int step = 0; step <= 16; ++step) {
        double t = step / 16.0, s = 1 - t;
        Point p = s * s * s * from + 3 * s * s * t * c.control1 + 3 * s * t * t * c.control2 + t * t * t * c.end;
        for (const NodeInfo &node : picture.nodes) {
          Rect core = node.bounds.grown(-0.75);
          bool ends = false; // a box around, or the box at an end (a disc's wires end within its bounds)
          for (Point end : {stroke->route.start, stroke->route.end()})
            ends |= inside({end.x, end.y, 0, 0}, node.bounds.grown(0.01));
          if (!ends && inside({p.x, p.y, 0, 0}, core))
            return stroke->tip + " runs through " + node.id;
        }
      }
      from = c.end;
    }
  }
  return {};
}

Picture drawn(const Definition &definition, const DrawOptions &options = {}) {
  auto picture = layout(definition, options);
  if (!picture)
    FAIL(definition.name << ": " << picture.error());
  return *picture;
}

std::vector<DrawOptions> variants() {
  std::vector<DrawOptions> result;
  for (Direction direction : {Direction::Down, Direction::Right})
    for (bool open : {false, true})
      for (bool compact : {true, false}) {
        DrawOptions options;
        options.direction = direction, options.open.all = open, options.compact = compact;
        result.push_back(options);
      }
  return result;
}

std::size_t count(const Picture &picture, Role role) {
  return std::count_if(picture.elements.begin(), picture.elements.end(), [&](const Element &e) {
    auto *shape = std::get_if<Shape>(&e);
    return shape && shape->role == role;
  });
}

} // namespace

TEST_CASE("pictures keep the laws: nothing overlaps, wires end at ports, all is on the canvas", "[render]") {
  for (const Definition &definition : test::mechanisms())
    for (const DrawOptions &options : variants()) {
      INFO(definition.name << " direction " << int(options.direction) << " open " << options.open.all << " compact "
                           << options.compact);
      Picture picture = drawn(definition, options);
      CHECK(broken(picture) == "");
      CHECK(wireMeetsBox(picture) == "");
    }
}

TEST_CASE("pictures of random definitions keep the laws", "[render][property]") {
  for (unsigned seed = 0; seed < 150; ++seed) {
    Definition definition = test::random(seed);
    DrawOptions options = variants()[seed % variants().size()];
    INFO("seed " << seed);
    Picture picture = drawn(definition, options);
    CHECK(broken(picture) == "");
    CHECK(wireMeetsBox(picture) == "");
  }
}

TEST_CASE("a row keeps the laws, and what is in two diagrams stands in line", "[render]") {
  for (Direction direction : {Direction::Down, Direction::Right}) {
    DrawOptions plain, marked;
    plain.direction = marked.direction = direction;
    marked.marked = {"op0", "op0.1"};
    std::vector<Panel> panels;
    for (const DrawOptions &options : {marked, plain})
      panels.push_back({drawn(test::bahdanau(), options),
                        {{{"bahdanau", Face::Bold}}, 11},
                        Role::Express,
                        {{{{"a rule"}}, 10}},
                        {{{{"express", Face::Italic}}, 9}, {{{"if m >= 1"}}, 9}}});
    panels.push_back({drawn(test::sdpa(), plain), {}, Role::Equation, {}, {}});
    std::size_t marks = count(panels[0].picture, Role::Match);
    CHECK(marks == 2);
    Picture picture = row("two and one", "", panels, direction);
    CHECK(broken(picture) == "");
    CHECK(count(picture, Role::Match) == marks);
    CHECK(count(picture, Role::Head) == 2);
    // The same operation of the first two is as high (or, where the row goes down, as far to the left).
    std::map<std::string, Rect> nodes;
    for (const NodeInfo &node : picture.nodes)
      nodes[node.id] = node.bounds;
    std::size_t both = 0;
    for (const auto &[id, bounds] : nodes)
      if (id.starts_with("s0.")) {
        const Rect other = nodes.at("s1." + id.substr(3));
        CHECK((direction == Direction::Down ? other.y == bounds.y : other.x == bounds.x));
        ++both;
      }
    CHECK(both > 3);
  }
}

TEST_CASE("wires leave boxes perpendicular, but for the legs of copies", "[render]") {
  Picture picture = drawn(test::sdpa());
  std::size_t bent = 0;
  for (const Element &element : picture.elements)
    if (auto *stroke = std::get_if<Stroke>(&element); stroke && stroke->onPorts) {
      CHECK(stroke->route.curves.front().control1.x == Approx(stroke->route.start.x));
      CHECK(stroke->route.curves.back().control2.x == Approx(stroke->route.end().x));
      bent += stroke->route.start.x != stroke->route.end().x;
    }
  CHECK(bent > 0);
}

TEST_CASE("each part of the legend appears where it is meant", "[render]") {
  Picture sdpa = drawn(test::sdpa());
  CHECK(count(sdpa, Role::Tube) == 3);
  CHECK(count(sdpa, Role::Fold) == 1);
  CHECK(count(sdpa, Role::NamedBox) == 1); // dot
  CHECK(count(sdpa, Role::Share) == 4);    // k and v into the outer, q into the inner, a beside the lifted ×
  CHECK(count(sdpa, Role::Slice) == 6);    // q; k; a and v; out of two plain tubes
  CHECK(count(sdpa, Role::Copy) == 0);
  Picture retention = drawn(test::retention());
  CHECK(count(retention, Role::State) == 1);
  CHECK(count(retention, Role::Arrow) == 1);
  CHECK(count(retention, Role::Copy) == 1);
  Picture bahdanau = drawn(test::bahdanau());
  CHECK(count(bahdanau, Role::Linear) == 3);
  Picture zoo = drawn(test::zoo());
  CHECK(count(zoo, Role::Universal) == 1);
  CHECK(count(zoo, Role::Hole) == 1);
  CHECK(count(zoo, Role::Parameter) == 2);
  CHECK(count(zoo, Role::Affine) == 1);
  std::size_t grounds = std::count_if(zoo.elements.begin(), zoo.elements.end(), [](const Element &e) {
    auto *stroke = std::get_if<Stroke>(&e);
    return stroke && stroke->role == Role::Delete;
  });
  CHECK(grounds == 2 * 3); // the unused input and the indices of top-k, three bars each
}

TEST_CASE("named boxes open by name, by depth, or all", "[render]") {
  Definition layers = test::twoLayers();
  auto regions = [&](Opening open) {
    DrawOptions options;
    options.open = open;
    return count(drawn(layers, options), Role::Region);
  };
  CHECK(regions({}) == 0);
  CHECK(regions({false, 1, {}}) == 2);
  CHECK(regions({false, 2, {}}) == 4);
  CHECK(regions({true, 0, {}}) == 6);
  CHECK(regions({false, 0, {"multihead"}}) == 2);
  CHECK(regions({false, 0, {"dot"}}) == 0); // its boxes are closed
}

TEST_CASE("numbers are written as in mathematics", "[render]") {
  std::vector<Learner> none;
  Definition sdpa = test::sdpa();
  const auto &outer = std::get<Box>(sdpa.diagram.ops[0].generator).body;
  const auto &inner = std::get<Box>(outer->ops[0].generator).body;
  auto labels = constantLabels(*inner);
  std::vector<std::string> texts;
  for (const auto &label : labels)
    if (label)
      texts.push_back(plain(*label));
  CHECK(texts == std::vector<std::string>{"d", "d", "√d"});
}

TEST_CASE("text is measured by the table", "[render]") {
  CHECK(width(Line{{{"mm"}}, 10}) == Approx(2 * 0.778 * 10).margin(0.51));
  CHECK(width(Line{{{""}}, 10}) == 0);
  CHECK(width(symbol("alpha", 10)) < width(symbol("alphabet", 10)));
  CHECK(plain(symbol("k12", 10)) == "k12");
  CHECK(symbol("k12", 10).runs.size() == 2);
  CHECK(plain(symbol("S'", 10)) == "S′");
  CHECK(codePoints("a\xC3\xA9\xFF").size() == 3);
  CHECK(codePoints("\xF0\x9D").back() == 0xFFFD);
}

TEST_CASE("what is too large or too deep is refused, with the reason", "[render][hostile]") {
  auto large = layout(test::chain(10000));
  REQUIRE_FALSE(large);
  CHECK(large.error().find("more than 2000") != std::string::npos);
  auto deep = layout(test::nest(300));
  REQUIRE_FALSE(deep);
  CHECK(deep.error().find("nested more than 48 deep") != std::string::npos);
}

TEST_CASE("a wire that passes hundreds of operations is drawn, one that passes too many is refused",
          "[render][hostile]") {
  auto ladder = [](int rungs) {
    Layered graph;
    graph.nodes.push_back({10, 5, {}, {{5, 5}}});
    graph.inputs = {0};
    graph.nodes.push_back({6, 5, {{3, 2}}, {{3, 2}}, true, 1});
    graph.edges.push_back({0, 0, 1, 0});
    for (int i = 0; i < rungs; ++i) {
      graph.nodes.push_back({20, 20, {{5, 0}, {15, 0}}, {{10, 20}}});
      graph.edges.push_back({1, 0, i + 2, 0});
      graph.edges.push_back({i + 1, 0, i + 2, 1});
    }
    return graph;
  };
  CHECK(place(ladder(20)));
  auto refused = place(ladder(1500));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("pass too many operations") != std::string::npos);
}

TEST_CASE("long and deep definitions are drawn", "[render][hostile]") {
  Picture chain = drawn(test::chain(400));
  Picture nest = drawn(test::nest(47));
  CHECK(chain.nodes.size() == 400);
  CHECK(count(nest, Role::Tube) == 47);
  CHECK(broken(nest) == "");
}

TEST_CASE("differences are met at the least cost: against all assignments", "[render][graphviz]") {
  std::mt19937 rng(7);
  for (int round = 0; round < 40; ++round) {
    int n = 2 + rng() % 3;
    std::vector<Difference> differences;
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j)
        if (rng() % 3)
          differences.push_back({i, j, int(rng() % 3), int(rng() % 4)});
    auto cost = [&](const std::vector<int> &x) {
      int total = 0;
      for (const Difference &d : differences) {
        int over = x[d.to] - x[d.from] - d.length;
        if (over < 0)
          return 1 << 20;
        total += over * d.weight;
      }
      return total;
    };
    auto found = leastDifferences(n, differences);
    REQUIRE(found);
    int best = 1 << 20;
    std::vector<int> x(n);
    for (int code = 0; code < std::pow(9, n); ++code) {
      for (int i = 0, c = code; i < n; ++i, c /= 9)
        x[i] = c % 9;
      best = std::min(best, cost(x));
    }
    CHECK(cost(*found) == best);
  }
}

TEST_CASE("layered drawing keeps the order of the interface", "[render][graphviz]") {
  // Inputs that cross on their way to the outputs: no order of layers may change either side.
  Layered graph;
  for (int i = 0; i < 4; ++i) {
    graph.nodes.push_back({10, 5, {}, {{5, 5}}});
    graph.inputs.push_back(i);
  }
  for (int i = 0; i < 4; ++i) {
    graph.nodes.push_back({10, 5, {{5, 0}}, {}});
    graph.outputs.push_back(4 + i);
    graph.edges.push_back({i, 0, 7 - i, 0});
  }
  auto places = place(graph);
  REQUIRE(places);
  for (int i = 0; i < 3; ++i) {
    CHECK(places->corners[i].x < places->corners[i + 1].x);
    CHECK(places->corners[4 + i].x < places->corners[5 + i].x);
  }
  CHECK(place(Layered{}));
}
