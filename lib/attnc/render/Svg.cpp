#include "attnc/render/Text.h"
#include "attnc/render/Writers.h"

#include <fmt/format.h>

namespace attnc::render {

namespace {

/// XML text: markup escaped; control characters and bytes that are no UTF-8 replaced, for XML admits neither.
std::string escaped(std::string_view text) {
  std::string result;
  for (char32_t c : codePoints(text)) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if ((c < 32 && c != '\n' && c != '\t') || c == 0xFFFE || c == 0xFFFF)
      result += utf8({0xFFFD});
    else
      result += utf8({c});
  }
  return result;
}

struct Writer {
  const WriteOptions &options;
  std::string out;

  std::string paint(const Style &style) const {
    std::string text = fmt::format(" fill=\"{}\"", style.fill < 0 ? "none" : hex(style.fill));
    if (style.stroke >= 0)
      text += fmt::format(" stroke=\"{}\" stroke-width=\"{}\"", hex(style.stroke), number(style.strokeWidth));
    if (style.dash > 0)
      text += fmt::format(" stroke-dasharray=\"{0} {0}\"", number(style.dash));
    return text;
  }

  void element(const std::string &tag, const std::string &attributes, const std::string &tip) {
    if (tip.empty())
      out += fmt::format("<{} {}/>\n", tag, attributes);
    else
      out += fmt::format("<{} {}><title>{}</title></{}>\n", tag, attributes, escaped(tip), tag);
  }

  void operator()(const Shape &shape) {
    std::string look = paint(style(shape.role, shape.depth, shape.value, options.theme));
    std::string id = shape.id.empty() ? "" : fmt::format("id=\"{}\" ", escaped(shape.id));
    const Rect &r = shape.bounds;
    if (!shape.corners.empty()) {
      std::string points;
      for (Point p : shape.corners)
        points += fmt::format("{}{},{}", points.empty() ? "" : " ", number(p.x), number(p.y));
      element("polygon", fmt::format("{}points=\"{}\" stroke-linejoin=\"round\"{}", id, points, look), shape.tip);
    } else if (shape.radius > 0 && 2 * shape.radius >= std::max(r.width, r.height)) {
      element("circle",
              fmt::format("{}cx=\"{}\" cy=\"{}\" r=\"{}\"{}", id, number(r.centre().x), number(r.centre().y),
                          number(r.width / 2), look),
              shape.tip);
    } else {
      std::string round = shape.radius > 0 ? fmt::format(" rx=\"{}\"", number(shape.radius)) : "";
      element("rect",
              fmt::format("{}x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}{}", id, number(r.x), number(r.y),
                          number(r.width), number(r.height), round, look),
              shape.tip);
    }
  }

  void operator()(const Stroke &stroke) {
    std::string path = fmt::format("M{} {}", number(stroke.route.start.x), number(stroke.route.start.y));
    Point at = stroke.route.start;
    for (const Curve &c : stroke.route.curves) {
      bool straight = (at.x == c.end.x && at.x == c.control1.x && at.x == c.control2.x) ||
                      (at.y == c.end.y && at.y == c.control1.y && at.y == c.control2.y);
      if (straight)
        path += fmt::format("L{} {}", number(c.end.x), number(c.end.y));
      else
        path += fmt::format("C{} {} {} {} {} {}", number(c.control1.x), number(c.control1.y), number(c.control2.x),
                            number(c.control2.y), number(c.end.x), number(c.end.y));
      at = c.end;
    }
    element("path", fmt::format("d=\"{}\"{}", path, paint(style(stroke.role, 0, 0, options.theme))), stroke.tip);
  }

  void operator()(const Text &text) {
    if (text.line.runs.empty())
      return;
    std::string turn =
        text.turned ? fmt::format(" transform=\"rotate(-90 {} {})\"", number(text.centre.x), number(text.centre.y))
                    : "";
    out += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{}>", number(text.centre.x),
                       number(text.centre.y + baseline(text.line)), number(text.line.size),
                       hex(colour(text.ink, options.theme)), turn);
    double raised = 0;
    for (const Run &run : text.line.runs) {
      std::string look;
      if (run.face == Face::Italic)
        look += " font-style=\"italic\"";
      if (run.face == Face::Bold)
        look += " font-weight=\"bold\"";
      if (run.scale != 1)
        look += fmt::format(" font-size=\"{}\"", number(run.scale * text.line.size));
      double rise = run.rise * text.line.size;
      if (rise != raised)
        look += fmt::format(" dy=\"{}\"", number(raised - rise));
      raised = rise;
      out += look.empty() ? escaped(run.text) : fmt::format("<tspan{}>{}</tspan>", look, escaped(run.text));
    }
    out += "</text>\n";
  }
};

} // namespace

std::string toSvg(const Picture &picture, const WriteOptions &options) {
  Writer writer{options, {}};
  for (const Element &element : picture.elements)
    std::visit(writer, element);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-labelledby=\"picture-title picture-description\" xml:space=\"preserve\" text-anchor=\"middle\" "
      "font-family=\"'Liberation Serif', 'Times New Roman', Tinos, Times, serif\">\n"
      "<title id=\"picture-title\">{}</title>\n<desc id=\"picture-description\">{}</desc>\n{}</svg>\n",
      number(picture.width * options.scale), number(picture.height * options.scale), number(picture.width),
      number(picture.height), escaped(picture.title), escaped(picture.description), writer.out);
}

} // namespace attnc::render
