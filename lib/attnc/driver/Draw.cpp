#include "attnc/driver/Commands.h"

#include "attnc/render/Render.h"
#include "attnc/render/Writers.h"
#include "attnc/support/File.h"

#include <algorithm>
#include <set>

namespace attnc {

static void namedBoxes(const Diagram &diagram, std::set<std::string> &names) {
  for (const Op &op : diagram.ops) {
    if (auto *call = std::get_if<Call>(&op.generator))
      names.insert(call->name);
    if (const DiagramRef &body = bodyOf(op.generator))
      namedBoxes(*body, names);
  }
}

int draw(const DrawCommand &options, Console console) {
  Session session(console);
  auto definition = session.definition(options.file, options.diagram);
  if (!definition)
    return session.finish();
  render::DrawOptions drawing;
  drawing.direction = options.direction == "right" ? render::Direction::Right : render::Direction::Down;
  for (const std::string &open : options.open) {
    if (open == "all")
      drawing.open.all = true;
    else if (!open.empty() && std::all_of(open.begin(), open.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
             open.size() < 6)
      drawing.open.depth = std::stoi(open);
    else
      drawing.open.names.insert(open);
  }
  std::set<std::string> boxes;
  namedBoxes(definition->diagram, boxes);
  for (const std::string &name : drawing.open.names) {
    if (boxes.contains(name))
      continue;
    auto report = session.diagnostics.report(Diag::NothingToOpen, definition->span, definition->name, name);
    if (auto near = nearest(name, {boxes.begin(), boxes.end()}))
      report.help(fmt::format("did you mean '{}'?", *near));
    else if (!boxes.empty())
      report.help(fmt::format("it has {}", fmt::join(boxes, ", ")));
  }
  if (session.diagnostics.hasErrors())
    return session.finish();
  std::string form = formOf(options.output, "svg");
  tl::expected<std::string, std::string> bytes = tl::unexpected<std::string>("");
  if (form == "dot") {
    bytes = render::toDot(*definition, drawing);
  } else {
    auto picture = render::layout(*definition, drawing);
    if (!picture)
      bytes = tl::unexpected(picture.error());
    else if (form == "svg")
      bytes = render::toSvg(*picture);
    else if (form == "tikz" || form == "tex")
      bytes = render::toTikz(*picture);
    else if (form == "pdf")
      bytes = render::toPdf(*picture);
    else if (form == "png")
      bytes = render::toPng(*picture, {.scale = render::pngScale(*picture)});
    else {
      session.diagnostics.report(Diag::UnknownPictureForm, {}, options.output).help("svg, pdf, png, dot or tikz");
      return session.finish();
    }
  }
  if (!bytes)
    session.diagnostics.report(Diag::CannotDraw, definition->span, definition->name, bytes.error());
  else
    session.write(options.output, *bytes);
  return session.finish();
}

} // namespace attnc
