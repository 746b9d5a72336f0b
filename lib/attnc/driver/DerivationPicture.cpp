#include "attnc/driver/DerivationPicture.h"

#include "attnc/render/Row.h"

#include <fmt/format.h>

namespace attnc {

static const Definition &diagramAt(const Replay &replay, std::size_t i) {
  return i == 0 ? replay.begin : replay.rewrites[i - 1].after;
}

/// What a diagram of the row is called: the first and the last have names.
static std::string captionAt(const Derivation &derivation, const Replay &replay, std::size_t i) {
  return i == 0 ? derivation.from->name : i == replay.rewrites.size() ? derivation.to->name : "";
}

static render::Role roleOf(RuleKind kind) {
  switch (kind) {
  case RuleKind::Equation:
    return render::Role::Equation;
  case RuleKind::Specialise:
    return render::Role::Specialise;
  case RuleKind::Express:
    return render::Role::Express;
  }
  return render::Role::Equation;
}

static std::string placesText(const Rewrite &rewrite) {
  return rewrite.step->everywhere && rewrite.chosen != 1 ? fmt::format("at {} places", rewrite.chosen) : "";
}

static void describeArrow(const Rewrite &rewrite, render::Panel &panel) {
  constexpr double ruleSize = 10.5, kindSize = 9;
  const Rule &rule = *rewrite.step->rule;
  panel.arrow = roleOf(rule.kind);
  render::Line title{{{rule.name}}, ruleSize};
  if (rewrite.step->reversed)
    title += {"−1", render::Face::Roman, 0.7, 0.38};
  panel.above = {title};
  panel.below = {{{{std::string(claim(rule, rewrite.step->reversed)), render::Face::Italic}}, kindSize}};
  if (std::string places = placesText(rewrite); !places.empty())
    panel.below.push_back({{{places}}, kindSize});
  for (const Constraint &condition : rewrite.assumed)
    panel.below.push_back({{{"if " + condition.str()}}, kindSize});
}

tl::expected<render::Picture, std::string> derivationPicture(const Derivation &derivation, const Replay &replay,
                                                             const render::DrawOptions &options) {
  std::vector<render::Panel> panels;
  for (std::size_t i = 0; i <= replay.rewrites.size(); ++i) {
    render::DrawOptions own = options;
    if (i < replay.rewrites.size())
      own.marked = replay.rewrites[i].places;
    auto picture = render::layout(diagramAt(replay, i), own);
    if (!picture)
      return picture;
    render::Panel panel{std::move(*picture), {}, render::Role::Equation, {}, {}};
    if (std::string caption = captionAt(derivation, replay, i); !caption.empty())
      panel.caption = {{{caption, render::Face::Bold}}, 11};
    if (i < replay.rewrites.size())
      describeArrow(replay.rewrites[i], panel);
    panels.push_back(std::move(panel));
  }
  std::string description = fmt::format("{} => {}", derivation.from->name, derivation.to->name);
  if (!derivation.doc.empty())
    description += "\n" + derivation.doc;
  return render::row(derivation.name, description, std::move(panels), options.direction);
}

tl::expected<std::string, std::string> derivationDot(const Derivation &derivation, const Replay &replay,
                                                     const render::DrawOptions &options) {
  std::vector<render::DotPanel> panels;
  for (std::size_t i = 0; i <= replay.rewrites.size(); ++i) {
    render::DotPanel panel{diagramAt(replay, i), {}, captionAt(derivation, replay, i), "", ""};
    if (i < replay.rewrites.size()) {
      const Rewrite &rewrite = replay.rewrites[i];
      const RuleKind kind = rewrite.step->rule->kind;
      panel.marked = rewrite.places;
      panel.arrow = fmt::format("{}{} ({})", rewrite.step->rule->name, rewrite.step->reversed ? " reversed" : "",
                                claim(*rewrite.step->rule, rewrite.step->reversed));
      panel.look = kind == RuleKind::Equation  ? "dir=none, style=bold"
                   : kind == RuleKind::Express ? "style=dashed"
                                               : "style=solid";
    }
    panels.push_back(std::move(panel));
  }
  return render::rowToDot(derivation.name, panels, options);
}

} // namespace attnc
