#include "attnc/driver/Commands.h"
#include "attnc/driver/DerivationPicture.h"
#include "attnc/driver/Theories.h"

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

/// The derivation that a command is about: the named one, or, of a file without diagrams, its last.
static std::shared_ptr<const Derivation> derivationOf(const Module &module, const std::string &name) {
  if (name.empty())
    return module.definitions.empty() && !module.derivations.empty() ? module.derivations.back() : nullptr;
  for (const auto &derivation : module.derivations)
    if (derivation->name == name && !module.find(name))
      return derivation;
  return nullptr;
}

/// Something to draw: a diagram, or the diagrams of a derivation.
struct Subject {
  std::string name;
  Span span;
  std::vector<const Definition *> diagrams;
  std::function<tl::expected<render::Picture, std::string>(const render::DrawOptions &)> picture;
  std::function<tl::expected<std::string, std::string>(const render::DrawOptions &)> dot;
};

static int drawSubject(const Subject &subject, const DrawCommand &options, Session &session) {
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
  for (const Definition *definition : subject.diagrams)
    namedBoxes(definition->diagram, boxes);
  for (const std::string &name : drawing.open.names) {
    if (boxes.contains(name))
      continue;
    auto report = session.diagnostics.report(Diag::NothingToOpen, subject.span, subject.name, name);
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
    bytes = subject.dot(drawing);
  } else {
    auto picture = subject.picture(drawing);
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
    session.diagnostics.report(Diag::CannotDraw, subject.span, subject.name, bytes.error());
  else
    session.write(options.output, *bytes);
  return session.finish();
}

int draw(const DrawCommand &options, Console console) {
  Session session(console);
  auto module = session.load(options.file);
  if (!module)
    return session.finish();
  if (auto derivation = derivationOf(*module, options.diagram); derivation && !session.diagnostics.hasErrors()) {
    const Replay replay = attnc::replay(*derivation);
    if (reportProblem(*derivation, replay, session.diagnostics))
      return session.finish();
    Subject subject{derivation->name,
                    derivation->span,
                    {&replay.begin},
                    [&](const render::DrawOptions &drawing) { return derivationPicture(*derivation, replay, drawing); },
                    [&](const render::DrawOptions &drawing) { return derivationDot(*derivation, replay, drawing); }};
    for (const Rewrite &rewrite : replay.rewrites)
      subject.diagrams.push_back(&rewrite.after);
    return drawSubject(subject, options, session);
  }
  auto definition = session.select(*module, options.file, options.diagram);
  if (!definition || session.diagnostics.hasErrors())
    return session.finish();
  return drawSubject({definition->name,
                      definition->span,
                      {definition.get()},
                      [&](const render::DrawOptions &drawing) { return render::layout(*definition, drawing); },
                      [&](const render::DrawOptions &drawing) { return render::toDot(*definition, drawing); }},
                     options, session);
}

} // namespace attnc
