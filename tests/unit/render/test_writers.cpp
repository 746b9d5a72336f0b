#include "../Folder.h"
#include "Mechanisms.h"

#include "attnc/render/GraphPicture.h"
#include "attnc/render/Heatmap.h"
#include "attnc/render/Render.h"
#include "attnc/render/Writers.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <graphviz/cgraph.h>
#include <librsvg/rsvg.h>
#include <sstream>

using namespace attnc;
using namespace attnc::render;
namespace fs = std::filesystem;

namespace {

const fs::path goldens = fs::path(ATTNC_SOURCE_DIR) / "tests/golden/render";

std::string slurp(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Compares with tests/golden/render; ATTNC_REFRESH_GOLDEN=1 writes the file instead.
void checkGolden(const std::string &file, const std::string &bytes) {
  if (std::getenv("ATTNC_REFRESH_GOLDEN")) {
    fs::create_directories(goldens);
    std::ofstream(goldens / file, std::ios::binary) << bytes;
  }
  INFO("golden " << file
                 << "; after a wanted change run test_render with ATTNC_REFRESH_GOLDEN=1 and look at the picture");
  CHECK(slurp(goldens / file) == bytes);
}

Picture picture(const Definition &definition, const DrawOptions &options = {}) {
  auto result = layout(definition, options);
  REQUIRE(result);
  return *result;
}

Heatmap example(const std::vector<double> &values) {
  Heatmap map;
  map.values = values;
  map.rows = {"the", "animal", "it"};
  map.columns = {"the", "animal", "was <tired> & ö"};
  map.title = "head 3";
  return map;
}

} // namespace

TEST_CASE("every mechanism is drawn as its golden picture", "[render][golden]") {
  for (const Definition &definition : test::mechanisms()) {
    checkGolden(definition.name + ".svg", toSvg(picture(definition)));
    DrawOptions right;
    right.direction = Direction::Right;
    right.open.all = true;
    checkGolden(definition.name + "_right_open.svg", toSvg(picture(definition, right)));
  }
  std::vector<double> values = {0.5, 0.25, 0.25, 0.1, 0.9, 0, 0.05, 0.8, 0.15};
  checkGolden("heatmap.svg", toSvg(*layout(example(values))));
  checkGolden("bahdanau.tex", toTikz(picture(test::bahdanau())));
  checkGolden("retention.dot", *toDot(test::retention()));
}

TEST_CASE("the same picture gives the same bytes", "[render]") {
  for (const Definition &definition : test::mechanisms()) {
    Picture first = picture(definition), second = picture(definition);
    CHECK(toSvg(first) == toSvg(second));
    CHECK(toTikz(first) == toTikz(second));
    CHECK(*toPng(first) == *toPng(second));
    CHECK(*toPdf(first) == *toPdf(second));
    CHECK(*toDot(definition) == *toDot(definition));
  }
}

TEST_CASE("files are of their kinds", "[render]") {
  Picture sdpa = picture(test::sdpa());
  CHECK(toPng(sdpa)->substr(0, 8) == "\x89PNG\r\n\x1a\n");
  CHECK(toPdf(sdpa)->substr(0, 5) == "%PDF-");
  CHECK(toPdf(sdpa)->find("2000") != std::string::npos);
  std::string svg = toSvg(sdpa);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find("@font-face") == std::string::npos);
  CHECK(svg.find("<title id=\"picture-title\">sdpa</title>") != std::string::npos);
  CHECK(svg.find("sdpa(q: [n d], k: [m d], v: [m e]) -&gt; [n e]") != std::string::npos);
  // A scale changes the size alone.
  WriteOptions twice;
  twice.scale = 2;
  std::string large = toSvg(sdpa, twice);
  CHECK(large.substr(large.find("<title")) == svg.substr(svg.find("<title")));
  CHECK(large != svg);
}

TEST_CASE("a PNG beyond the bounds is refused", "[render]") {
  Picture sdpa = picture(test::sdpa());
  for (double scale : {1e9, 0.0, -1.0, std::nan("")}) {
    WriteOptions options;
    options.scale = scale;
    CHECK_FALSE(toPng(sdpa, options));
  }
}

TEST_CASE("in grey no colour is left", "[render]") {
  WriteOptions options;
  options.theme = Theme::Grey;
  std::string svg = toSvg(picture(test::retention()), options);
  for (const char *attribute : {"fill=\"#", "stroke=\"#"})
    for (std::size_t at = svg.find(attribute); at != std::string::npos; at = svg.find(attribute, at + 1)) {
      std::string hex = svg.substr(svg.find('#', at) + 1, 6);
      bool grey = hex.substr(0, 2) == hex.substr(2, 2) && hex.substr(2, 2) == hex.substr(4, 2);
      bool text = hex == "10161E" || hex == "505A66";
      CHECK((grey || text));
    }
}

TEST_CASE("names of any bytes give a well-formed SVG", "[render]") {
  Definition definition = test::sdpa();
  definition.name = "a<b>&\"\x01\xff\xC3";
  definition.diagram.wires[0].name = "q<&>\xF0\x28\x8C";
  definition.doc = "]]> \x08 <!-- --";
  std::string svg = toSvg(picture(definition));
  GError *error = nullptr;
  RsvgHandle *handle = rsvg_handle_new_from_data(reinterpret_cast<const guint8 *>(svg.data()), svg.size(), &error);
  CHECK(handle);
  if (handle)
    g_object_unref(handle);
  CHECK(toPdf(picture(definition)));
}

TEST_CASE("the graph for Graphviz can be read by it, with a node or more for each operation", "[render]") {
  for (const Definition &definition : test::mechanisms())
    for (bool open : {false, true}) {
      DrawOptions options;
      options.open.all = open;
      auto text = toDot(definition, options);
      REQUIRE(text);
      Agraph_t *graph = agmemread(text->c_str());
      REQUIRE(graph);
      CHECK(agnnodes(graph) >= int(definition.diagram.inputs.size() + definition.diagram.outputs.size() + 1));
      CHECK(agnedges(graph) >= agnnodes(graph) - 1);
      agclose(graph);
    }
  CHECK_FALSE(toDot(test::nest(200)));
}

TEST_CASE("TikZ compiles", "[render][tikz]") {
  if (std::system("pdflatex --version > /dev/null 2>&1") != 0) {
    WARN("pdflatex is not installed: the TikZ is not compiled");
    return;
  }
  test::Folder folder;
  auto compiles = [&](const std::string &name, const std::string &text) {
    std::ofstream(folder / (name + ".tex")) << text;
    std::string command = "cd '" + folder.path.string() + "' && pdflatex -interaction=nonstopmode -halt-on-error " +
                          name + ".tex > /dev/null 2>&1";
    CHECK(std::system(command.c_str()) == 0);
    std::string pdf = slurp(folder / (name + ".pdf"));
    CHECK(pdf.substr(0, 5) == "%PDF-");
    std::string log = slurp(folder / (name + ".log"));
    CHECK(log.find("(1 page") != std::string::npos);
    CHECK(log.find("Overfull") == std::string::npos);
  };
  compiles("zoo", toTikz(picture(test::zoo())));
  compiles("retention", toTikz(picture(test::retention())));
  Definition odd = test::sdpa();
  odd.name = "a_b%c\n\\x{";
  odd.diagram.wires[0].name = "q_\\#$&~^é中";
  compiles("odd", toTikz(picture(odd)));
  std::vector<double> values(9, 0.5);
  compiles("heatmap", toTikz(*layout(example(values))));
}

TEST_CASE("heat maps", "[render][heatmap]") {
  std::vector<double> values = {0, 1, 0.5, NAN, INFINITY, -INFINITY, 0.25, 2, -1};
  auto map = layout(example(values));
  REQUIRE(map);
  std::size_t cells = 0;
  for (const Element &element : map->elements)
    if (auto *shape = std::get_if<Shape>(&element); shape && shape->role == Role::Cell && !shape->tip.empty()) {
      CHECK(shape->value >= 0);
      CHECK(shape->value <= 1);
      ++cells;
    }
  CHECK(cells == 9);
  CHECK(toSvg(*map).find("was &lt;tired&gt; &amp; ö") != std::string::npos);

  Heatmap wrong = example(values);
  wrong.rows.pop_back();
  CHECK_FALSE(layout(wrong));
  Heatmap none;
  CHECK(layout(none));
  std::vector<double> one{0.5};
  Heatmap single;
  single.values = one;
  single.rows = {"a long label that is wider than all else"};
  single.columns = {""};
  CHECK(layout(single));
  std::vector<double> many(513);
  Heatmap large;
  large.values = many;
  large.rows.resize(513);
  large.columns.resize(1);
  CHECK_FALSE(layout(large));
}

TEST_CASE("darkness falls as weights rise", "[render][heatmap]") {
  for (Theme theme : {Theme::Colour, Theme::Grey}) {
    double before = 256;
    for (int i = 0; i <= 20; ++i) {
      int colour = heat(i / 20.0, theme);
      double luma = 0.299 * (colour >> 16 & 255) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255);
      CHECK(luma < before);
      before = luma;
    }
    CHECK(heat(NAN, theme) == heat(0, theme));
    CHECK(heat(-3, theme) == heat(0, theme));
    CHECK(heat(9, theme) == heat(1, theme));
  }
}

TEST_CASE("a graph is drawn again as before") { // under the sanitizers: nothing is kept of the first
  const std::string dot = "digraph g { node [fontname=\"Helvetica\"]; a [label=<<b>x</b> y>]; a -> b }";
  auto first = drawGraph(dot, "svg"), second = drawGraph(dot, "svg");
  REQUIRE(first);
  CHECK(first->find("</svg>") != std::string::npos);
  CHECK(first == second);
  CHECK_FALSE(drawGraph("digraph g {", "svg"));
}
