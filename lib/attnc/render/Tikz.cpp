#include "attnc/render/Text.h"
#include "attnc/render/Writers.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace attnc::render {

namespace {

constexpr double points = 0.75; // big points for one unit of 1/96 inch

std::string at(Point p) { return fmt::format("({},{})", number(p.x), number(p.y)); }

/// Characters that LaTeX writes by a command of mathematics.
const std::map<char32_t, std::string_view> &commands() {
  static const std::map<char32_t, std::string_view> table = {
      {U'α', "\\alpha"},  {U'β', "\\beta"},   {U'γ', "\\gamma"}, {U'δ', "\\delta"},   {U'ε', "\\varepsilon"},
      {U'ζ', "\\zeta"},   {U'η', "\\eta"},    {U'θ', "\\theta"}, {U'ι', "\\iota"},    {U'κ', "\\kappa"},
      {U'λ', "\\lambda"}, {U'μ', "\\mu"},     {U'ν', "\\nu"},    {U'ξ', "\\xi"},      {U'π', "\\pi"},
      {U'ρ', "\\rho"},    {U'σ', "\\sigma"},  {U'τ', "\\tau"},   {U'υ', "\\upsilon"}, {U'φ', "\\varphi"},
      {U'χ', "\\chi"},    {U'ψ', "\\psi"},    {U'ω', "\\omega"}, {U'Γ', "\\Gamma"},   {U'Δ', "\\Delta"},
      {U'Θ', "\\Theta"},  {U'Λ', "\\Lambda"}, {U'Ξ', "\\Xi"},    {U'Π', "\\Pi"},      {U'Σ', "\\Sigma"},
      {U'Φ', "\\Phi"},    {U'Ψ', "\\Psi"},    {U'Ω', "\\Omega"}, {U'√', "\\surd"},    {U'∞', "\\infty"},
      {U'≤', "\\le"},     {U'≥', "\\ge"},     {U'≠', "\\ne"},    {U'−', "-"},         {U'×', "\\times"},
      {U'÷', "\\div"},    {U'·', "\\cdot"},   {U'′', "{}'"},     {U'→', "\\to"},      {U'±', "\\pm"},
      {U'≈', "\\approx"}, {U'<', "<"},        {U'>', ">"},       {U'|', "|"},         {U'=', "="},
      {U'+', "+"},        {U'∑', "\\Sigma"},  {U'∏', "\\Pi"},    {U'∂', "\\partial"}};
  return table;
}

/// Text for LaTeX. A character that plain pdflatex has no glyph for is shown as its number.
std::string latex(std::string_view text) {
  std::string result;
  for (char32_t c : codePoints(text)) {
    if (auto it = commands().find(c); it != commands().end())
      result += fmt::format("\\ensuremath{{{}}}", it->second);
    else if (c == '\\')
      result += "\\textbackslash{}";
    else if (c == '~')
      result += "\\textasciitilde{}";
    else if (c == '^')
      result += "\\textasciicircum{}";
    else if (c == ' ')
      result += "\\ ";
    else if (c < 0x80 && std::string_view("#$%&_{}").find(char(c)) != std::string_view::npos)
      result += {'\\', char(c)};
    else if (c >= 0x20 && c < 0x7F)
      result += char(c);
    else
      result += fmt::format("U+{:04X}", std::uint32_t(c));
  }
  return result;
}

struct Writer {
  const WriteOptions &options;
  std::string body;
  std::string colours;
  std::vector<int> known;

  std::string name(int colour) {
    std::string text = hex(colour).substr(1);
    if (std::find(known.begin(), known.end(), colour) == known.end()) {
      known.push_back(colour);
      colours += fmt::format("\\definecolor{{c{0}}}{{HTML}}{{{0}}}\n", text);
    }
    return "c" + text;
  }
  std::string paint(const Style &style) {
    std::string text;
    auto put = [&](const std::string &part) { text += (text.empty() ? "" : ",") + part; };
    if (style.fill >= 0)
      put("fill=" + name(style.fill));
    if (style.stroke >= 0)
      put(fmt::format("draw={},line width={}bp", name(style.stroke),
                      number(style.strokeWidth * points * options.scale)));
    if (style.dash > 0)
      put(fmt::format("dash pattern=on {0}bp off {0}bp", number(style.dash * points * options.scale)));
    return text;
  }

  void operator()(const Shape &shape) {
    std::string look = paint(style(shape.role, shape.depth, shape.value, options.theme));
    const Rect &r = shape.bounds;
    if (!shape.corners.empty()) {
      body += fmt::format("\\path[{},line join=round] ", look);
      for (Point p : shape.corners)
        body += at(p) + " -- ";
      body += "cycle;\n";
      return;
    }
    if (shape.radius > 0 && 2 * shape.radius >= std::max(r.width, r.height)) {
      body += fmt::format("\\path[{}] {} circle[radius={}];\n", look, at(r.centre()), number(r.width / 2));
      return;
    }
    if (shape.radius > 0)
      look += fmt::format(",rounded corners={}bp",
                          number(std::min({shape.radius, r.width / 2, r.height / 2}) * points * options.scale));
    body += fmt::format("\\path[{}] {} rectangle {};\n", look, at({r.x, r.y}), at({r.right(), r.bottom()}));
  }

  void operator()(const Stroke &stroke) {
    body += fmt::format("\\path[{}] {}", paint(style(stroke.role, 0, 0, options.theme)), at(stroke.route.start));
    for (const Curve &c : stroke.route.curves)
      body += fmt::format(" .. controls {} and {} .. {}", at(c.control1), at(c.control2), at(c.end));
    body += ";\n";
  }

  void operator()(const Text &text) {
    if (text.line.runs.empty())
      return;
    std::string content;
    double size = text.line.size * points * options.scale;
    for (const Run &run : text.line.runs) {
      std::string piece = fmt::format("\\fontsize{{{0}bp}}{{{0}bp}}\\selectfont{{}}", number(run.scale * size));
      piece += run.face == Face::Italic ? "\\itshape{}" : run.face == Face::Bold ? "\\bfseries{}" : "";
      piece += latex(run.text);
      content +=
          run.rise != 0 ? fmt::format("\\raisebox{{{}bp}}{{{}}}", number(run.rise * size), piece) : "{" + piece + "}";
    }
    double below = baseline(text.line);
    Point base = text.centre + (text.turned ? Point{below, 0} : Point{0, below});
    body += fmt::format("\\node[anchor=base,inner sep=0pt,outer sep=0pt,text={}{}] at {} {{{}}};\n",
                        name(colour(text.ink, options.theme)), text.turned ? ",rotate=90" : "", at(base), content);
  }
};

} // namespace

std::string toTikz(const Picture &picture, const WriteOptions &options) {
  Writer writer{options, {}, {}, {}};
  for (const Element &element : picture.elements)
    std::visit(writer, element);
  double unit = points * options.scale;
  return fmt::format("% {}\n"
                     "\\documentclass{{article}}\n"
                     "\\usepackage[T1]{{fontenc}}\n\\usepackage{{mathptmx}}\n\\usepackage{{tikz}}\n"
                     "\\usepackage[paperwidth={}bp,paperheight={}bp,margin=0pt]{{geometry}}\n"
                     "\\pagestyle{{empty}}\\parindent0pt\\topskip0pt\n"
                     "{}\\begin{{document}}%\n"
                     "\\begin{{tikzpicture}}[x={}bp,y=-{}bp]\n"
                     "\\useasboundingbox (0,0) rectangle ({},{});\n{}"
                     "\\end{{tikzpicture}}%\n\\end{{document}}\n",
                     latex(picture.title), number(picture.width * unit + 0.1), number(picture.height * unit + 0.1),
                     writer.colours, number(unit), number(unit), number(picture.width), number(picture.height),
                     writer.body);
}

} // namespace attnc::render
