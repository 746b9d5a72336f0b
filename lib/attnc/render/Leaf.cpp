#include "attnc/render/Leaf.h"

#include "attnc/render/Constants.h"

#include <algorithm>
#include <fmt/format.h>

namespace attnc::render {

namespace {

constexpr double labelSize = 11;

template <class... Cases> struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;

/// A capped box around its one mapped wire, or such a box around another of the same cap.
bool isFold(const Box &box, std::vector<Size> &axes) {
  const Diagram &body = *box.body;
  if (box.cap == Cap::None || body.outputs.size() != 1 || box.modes != std::vector{Mode::Map})
    return false;
  axes.push_back(box.size);
  if (body.ops.empty())
    return body.outputs[0] == body.inputs.back() && body.inputs.size() == 1u + box.indexed;
  auto *inner = std::get_if<Box>(&body.ops[0].generator);
  return body.ops.size() == 1 && inner && inner->cap == box.cap &&
         body.ops[0].operands == std::vector{body.inputs.back()} && body.outputs == body.ops[0].results &&
         isFold(*inner, axes);
}

/// A binary function, whose sign can hold a constant in the place of an operand.
bool takesConstant(const Generator &generator) {
  auto *function = std::get_if<Pointwise>(&generator);
  return function && info(function->fn).arity == 2 && function->fn != PointwiseFn::Uniform;
}

bool isTube(const Generator &generator) {
  return std::holds_alternative<Box>(generator) || std::holds_alternative<Scan>(generator);
}

std::string_view word(PointwiseFn fn) {
  switch (fn) {
  case PointwiseFn::Min:
    return "min";
  case PointwiseFn::Max:
    return "max";
  case PointwiseFn::Neg:
    return "−";
  case PointwiseFn::Abs:
    return "| · |";
  case PointwiseFn::Sqrt:
    return "√";
  case PointwiseFn::FloorDiv:
    return "div";
  case PointwiseFn::ToReal:
    return "ℝ";
  default:
    return info(fn).name;
  }
}

} // namespace

std::optional<Leaf> leafOf(const Op &op, bool lifted) {
  Leaf leaf;
  leaf.core = &op.generator;
  for (std::size_t i = 0; i < op.operands.size(); ++i)
    leaf.ports.push_back({i});
  auto *box = std::get_if<Box>(leaf.core);
  if (box && lifted && isFold(*box, leaf.folds))
    return leaf;
  leaf.folds.clear();
  while ((box = std::get_if<Box>(leaf.core))) {
    const Diagram &body = *box->body;
    if (!lifted || box->cap != Cap::None || body.ops.empty())
      return std::nullopt;
    const Op &inner = body.ops.back();
    std::vector<std::optional<Line>> constantOf = constantLabels(body);
    // All before the last operation are parts of constants.
    for (std::size_t i = 0; i + 1 < body.ops.size(); ++i)
      if (body.ops[i].results.size() != 1 || !constantOf[body.ops[i].results[0].index()])
        return std::nullopt;
    std::vector<Leaf::Port> ports;
    for (std::size_t k = 0; k < inner.operands.size(); ++k) {
      const Wire &wire = body.wire(inner.operands[k]);
      if (wire.producer.valid()) {
        if (!takesConstant(inner.generator) || leaf.leftConstant || leaf.rightConstant)
          return std::nullopt;
        (k == 0 ? leaf.leftConstant : leaf.rightConstant) = constantOf[inner.operands[k].index()];
        continue;
      }
      if (box->indexed && wire.port == 0)
        return std::nullopt;
      std::size_t entering = wire.port - box->indexed;
      Leaf::Port port = leaf.ports[entering];
      port.shared |= box->modes[entering] == Mode::Share;
      ports.push_back(port);
    }
    bool constants = leaf.leftConstant || leaf.rightConstant;
    if ((body.ops.size() > 1 && !constants) || body.outputs != inner.results || ports.empty())
      return std::nullopt;
    leaf.axes.push_back(box->size);
    leaf.core = &inner.generator;
    leaf.ports = std::move(ports);
    auto *fold = std::get_if<Box>(leaf.core);
    if (fold && isFold(*fold, leaf.folds))
      return leaf;
    leaf.folds.clear();
    if (constants && isTube(*leaf.core))
      return std::nullopt;
  }
  if (isTube(*leaf.core))
    return std::nullopt;
  return leaf;
}

void holdConstants(Leaf &leaf, const Op &op, const std::vector<std::optional<Line>> &constantOf) {
  if (!takesConstant(*leaf.core) || leaf.ports.size() != 2)
    return;
  const auto &left = constantOf[op.operands[leaf.ports[0].operand].index()],
             &right = constantOf[op.operands[leaf.ports[1].operand].index()];
  if (left.has_value() == right.has_value())
    return;
  (left ? leaf.leftConstant : leaf.rightConstant) = left ? left : right;
  leaf.ports.erase(leaf.ports.begin() + (left ? 0 : 1));
}

Line sizeLabel(const std::vector<Size> &sizes, double size) {
  Line line{{}, size};
  for (const Size &axis : sizes) {
    if (!line.runs.empty())
      line += {" "};
    append(line, axis);
  }
  return line;
}

Line typeLabel(const Type &type, double size) {
  Line line{{}, size};
  if (type.kind != Kind::Real)
    line += {std::string(name(type.kind))};
  line += {"["};
  for (std::size_t i = 0; i < type.axes.size(); ++i) {
    if (i)
      line += {" "};
    append(line, type.axes[i]);
  }
  line += {"]"};
  return line;
}

Line capLabel(Cap cap, double size) {
  switch (cap) {
  case Cap::Sum:
    return {{{"Σ"}}, size};
  case Cap::Prod:
    return {{{"Π"}}, size};
  default:
    return {{{std::string(name(cap))}}, size - 1};
  }
}

std::string typesOf(const Diagram &diagram, const Op &op) {
  std::vector<Type> from, to;
  for (WireId wire : op.operands)
    from.push_back(diagram.type(wire));
  for (WireId wire : op.results)
    to.push_back(diagram.type(wire));
  return (from.empty() ? "" : str(from) + " ") + "→ " + str(to);
}

Sign signOf(const Leaf &leaf, const Definition &definition) {
  auto box = [](std::string text, Face face = Face::Roman) {
    return Sign{Form::Rectangle, Role::Operation, {{{std::move(text), face}}, labelSize}, {}};
  };
  if (leaf.constant)
    return {Form::Stadium, Role::Constant, *leaf.constant, "constant " + plain(*leaf.constant)};
  Sign sign = std::visit(
      Overloaded{[&](const Const &) { return box(describe(*leaf.core)); },
                 [&](const SizeValue &s) {
                   Sign result = box("");
                   append(result.label, s.size);
                   return result;
                 },
                 [&](const Pointwise &p) {
                   std::string_view between = infixSign(p.fn);
                   bool constant = leaf.leftConstant || leaf.rightConstant;
                   if (!constant)
                     return between.empty()
                                ? box(std::string(word(p.fn)))
                                : Sign{Form::Disc, Role::Operation, {{{std::string(between)}}, labelSize + 2}, {}};
                   Sign result = box("");
                   Line &line = result.label;
                   line.runs.clear();
                   auto put = [&](const std::optional<Line> &value, bool dot) {
                     if (value)
                       line.runs.insert(line.runs.end(), value->runs.begin(), value->runs.end());
                     else if (dot)
                       line += {"·"};
                   };
                   if (between.empty())
                     line += {std::string(word(p.fn)) + "("};
                   put(leaf.leftConstant, between.empty());
                   line += {between.empty()     ? ", "
                            : leaf.leftConstant ? fmt::format(" {}", between)
                                                : fmt::format("{} ", between)};
                   put(leaf.rightConstant, between.empty());
                   if (between.empty())
                     line += {")"};
                   std::erase_if(line.runs, [](const Run &run) { return run.text.empty(); });
                   return result;
                 },
                 [&](const Gather &) { return box("gather"); }, [&](const Scatter &) { return box("scatter"); },
                 [&](const TopK &t) {
                   Sign result = box("top ");
                   append(result.label, t.count);
                   return result;
                 },
                 [&](const Softmax &) { return box("softmax"); },
                 [&](const Transpose &) { return Sign{Form::Crossing, Role::Operation, {}, {}}; },
                 [&](const Reshape &r) {
                   Sign result = box("");
                   result.label = typeLabel(Type{Kind::Real, r.axes}, labelSize - 1);
                   return result;
                 },
                 [&](const Box &b) {
                   Sign result{Form::Funnel, Role::Fold, capLabel(b.cap, labelSize), {}};
                   Line axes = sizeLabel(leaf.folds, labelSize);
                   for (const Run &run : axes.runs)
                     subscript(result.label, run.text, run.face);
                   return result;
                 },
                 [&](const Scan &) { return box("scan"); },
                 [&](const Call &c) {
                   return Sign{Form::RoundRectangle, Role::NamedBox, {{{c.name}}, labelSize}, "named box " + c.name};
                 },
                 [&](const Apply &a) {
                   const Learner &learner = definition.learner(a.learner);
                   constexpr Form forms[] = {Form::Rectangle, Form::CutRectangle, Form::Triangle, Form::RoundRectangle,
                                             Form::Rectangle};
                   constexpr Role roles[] = {Role::Linear, Role::Affine, Role::Parameter, Role::Universal, Role::Hole};
                   int kind = static_cast<int>(learner.kind);
                   Line label = symbol(learner.label, labelSize + 1);
                   for (std::size_t i = 0; i < learner.per.size(); ++i) {
                     Line per = sizeLabel({learner.per[i]}, labelSize);
                     if (label.runs.back().rise < 0) // W_q per h
                       subscript(label, ",", Face::Roman);
                     for (const Run &run : per.runs)
                       subscript(label, run.text, run.face);
                   }
                   return Sign{forms[kind], roles[kind], label, fmt::format("{} {}", name(learner.kind), learner.label),
                               learner.kind != LearnerKind::Hole};
                 }},
      *leaf.core);
  if (sign.tip.empty())
    sign.tip = leaf.folds.empty() ? describe(*leaf.core)
                                  : fmt::format("{} over {}", name(std::get<Box>(*leaf.core).cap),
                                                str({Type{Kind::Real, leaf.folds}}));
  if (!leaf.axes.empty())
    sign.tip += " in boxes " + Type{Kind::Real, leaf.axes}.str();
  return sign;
}

} // namespace attnc::render
