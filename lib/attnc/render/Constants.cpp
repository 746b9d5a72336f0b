#include "attnc/render/Constants.h"

#include <fmt/format.h>

namespace attnc::render {

namespace {

constexpr double size = 10;
constexpr std::size_t longest = 12; // characters

Line withText(std::string text) {
  if (text.starts_with('-'))
    text = "−" + text.substr(1);
  return {{{std::move(text)}}, size};
}

struct Literal {
  Line operator()(double v) const {
    return withText(std::isinf(v) ? std::string(v < 0 ? "-∞" : "∞") : std::isnan(v) ? "NaN" : fmt::format("{:.6g}", v));
  }
  Line operator()(std::int64_t v) const { return withText(std::to_string(v)); }
  Line operator()(bool v) const { return withText(v ? "true" : "false"); }
};

/// A label with how tightly it is bound: 0 a sum, 1 a product, 2 an atom; and the axes along which it is copied.
struct Written {
  Line line;
  int binding;
  std::vector<Size> axes = {};
};

Written joined(const Written &a, std::string_view sign, const Written &b, int binding, bool rightTighter) {
  Line line{{}, size};
  auto put = [&](const Written &part, bool enclose) {
    if (enclose)
      line += {"("};
    line.runs.insert(line.runs.end(), part.line.runs.begin(), part.line.runs.end());
    if (enclose)
      line += {")"};
  };
  put(a, a.binding < binding);
  line += {std::string(sign)};
  put(b, b.binding < binding || (rightTighter && b.binding == binding));
  return {line, binding};
}

std::optional<Written> written(PointwiseFn fn, const std::vector<Written> &operands) {
  switch (fn) {
  case PointwiseFn::ToReal:
    return operands[0];
  case PointwiseFn::Add:
    return joined(operands[0], " + ", operands[1], 0, false);
  case PointwiseFn::Sub:
    return joined(operands[0], " − ", operands[1], 0, true);
  case PointwiseFn::Mul:
    return joined(operands[0], "·", operands[1], 1, false);
  case PointwiseFn::Div:
    return joined(operands[0], "/", operands[1], 1, true);
  case PointwiseFn::Neg:
    return joined({{{}, size}, 2}, "−", operands[0], 1, true);
  case PointwiseFn::Sqrt:
    return Written{joined({{{}, size}, 2}, "√", operands[0], 2, false).line, 2};
  default:
    return std::nullopt;
  }
}

} // namespace

void append(Line &line, const Size &length) {
  for (char c : length.str()) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '\'';
    Face face = letter ? Face::Italic : Face::Roman;
    std::string piece = c == '*' ? "·" : c == '-' ? "−" : std::string(1, c);
    if (!line.runs.empty() && line.runs.back().face == face && line.runs.back().rise == 0 &&
        line.runs.back().scale == 1)
      line.runs.back().text += piece;
    else
      line += {piece, face};
  }
}

std::string_view infixSign(PointwiseFn fn) {
  switch (fn) {
  case PointwiseFn::Add:
    return "+";
  case PointwiseFn::Sub:
    return "−";
  case PointwiseFn::Mul:
    return "×";
  case PointwiseFn::Div:
    return "÷";
  case PointwiseFn::Less:
    return "<";
  case PointwiseFn::LessEqual:
    return "≤";
  case PointwiseFn::Equal:
    return "=";
  case PointwiseFn::NotEqual:
    return "≠";
  default:
    return {};
  }
}

/// The operand of a box that does nothing but copy it along an axis.
static std::optional<WireId> spreadOperand(const Op &op) {
  auto *box = std::get_if<Box>(&op.generator);
  if (!box || box->cap != Cap::None || box->modes != std::vector{Mode::Share} || !box->body->ops.empty() ||
      box->body->outputs != std::vector{box->body->inputs.back()} || box->body->inputs.size() != 1u + box->indexed)
    return std::nullopt;
  return op.operands[0];
}

std::vector<std::optional<Line>> constantLabels(const Diagram &diagram) {
  std::vector<std::optional<Written>> all(diagram.wires.size());
  for (const Op &op : diagram.ops) {
    std::optional<Written> result;
    if (auto *constant = std::get_if<Const>(&op.generator)) {
      Line line = std::visit(Literal{}, constant->value);
      result = Written{line, line.runs[0].text.starts_with("−") ? 0 : 2};
    } else if (auto *length = std::get_if<SizeValue>(&op.generator)) {
      Line line{{}, size};
      append(line, length->size);
      const auto &terms = length->size.polynomial();
      result = Written{line, terms.size() > 1 ? 0 : length->size.asVariable() || length->size.isConstant() ? 2 : 1};
    } else if (auto *pointwise = std::get_if<Pointwise>(&op.generator)) {
      std::vector<Written> operands;
      for (WireId wire : op.operands)
        if (all[wire.index()])
          operands.push_back(*all[wire.index()]);
      if (operands.size() == op.operands.size() && !operands.empty())
        result = written(pointwise->fn, operands);
      if (result && codePoints(plain(result->line)).size() > longest)
        result.reset();
    }
    if (auto spread = spreadOperand(op); spread && all[spread->index()]) {
      result = all[spread->index()];
      result->axes.insert(result->axes.begin(), std::get<Box>(op.generator).size);
    }
    if (result)
      all[op.results[0].index()] = result;
  }
  std::vector<std::optional<Line>> lines;
  for (auto &one : all) {
    lines.push_back(one ? std::optional(one->line) : std::nullopt);
    if (!one || one->axes.empty())
      continue;
    Line axes{{}, size};
    for (const Size &axis : one->axes) {
      append(axes, axis);
      axes += {" "};
    }
    axes.runs.pop_back();
    for (const Run &run : axes.runs)
      subscript(*lines.back(), run.text, run.face);
  }
  return lines;
}

} // namespace attnc::render
