#include "attnc/diagram/Theory.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace attnc {

std::string_view name(RuleKind kind) {
  constexpr std::string_view names[] = {"equation", "specialise", "express"};
  return names[std::size_t(kind)];
}

std::string_view claim(const Rule &rule, bool reversed) {
  return reversed && !rule.bothWays && rule.kind != RuleKind::Equation ? "generalise" : name(rule.kind);
}

std::string_view name(Cap cap) {
  constexpr std::string_view names[] = {"simd", "sum", "prod", "max", "min", "any", "all"};
  return names[static_cast<std::size_t>(cap)];
}

std::string_view name(LearnerKind kind) {
  constexpr std::string_view names[] = {"linear", "affine", "param", "universal", "box"};
  return names[static_cast<std::size_t>(kind)];
}

namespace {
template <class... Cases> struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;
} // namespace

std::string describe(const Generator &generator) {
  return std::visit(Overloaded{[](const Const &) -> std::string { return "constant"; },
                               [](const SizeValue &) -> std::string { return "size"; },
                               [](const Pointwise &p) { return std::string(info(p.fn).name); },
                               [](const Gather &) -> std::string { return "gather"; },
                               [](const Scatter &) -> std::string { return "scatter"; },
                               [](const TopK &) -> std::string { return "topk"; },
                               [](const Softmax &) -> std::string { return "softmax"; },
                               [](const Transpose &) -> std::string { return "transpose"; },
                               [](const Reshape &) -> std::string { return "reshape"; },
                               [](const Box &b) { return fmt::format("{} box", name(b.cap)); },
                               [](const Scan &) -> std::string { return "scan"; }, [](const Call &c) { return c.name; },
                               [](const Apply &) -> std::string { return "learner"; }},
                    generator);
}

const DiagramRef &bodyOf(const Generator &generator) {
  static const DiagramRef none;
  if (auto *box = std::get_if<Box>(&generator))
    return box->body;
  if (auto *scan = std::get_if<Scan>(&generator))
    return scan->body;
  if (auto *call = std::get_if<Call>(&generator))
    return call->body;
  return none;
}

static std::vector<Type> types(const Diagram &diagram, const std::vector<WireId> &wires) {
  std::vector<Type> result;
  for (WireId wire : wires)
    result.push_back(diagram.type(wire));
  return result;
}

std::vector<Type> Diagram::inputTypes() const { return types(*this, inputs); }
std::vector<Type> Diagram::outputTypes() const { return types(*this, outputs); }

std::size_t Diagram::opCount() const {
  std::size_t count = ops.size();
  for (const Op &op : ops)
    if (const DiagramRef &body = bodyOf(op.generator))
      count += body->opCount();
  return count;
}

namespace {
/// Gathers size names in order of first sight.
struct SizeNames {
  std::vector<std::string> order;
  std::unordered_set<std::string> seen;

  void add(const Size &size) {
    for (const Size::Term &term : size.polynomial())
      for (const std::string &name : term.names)
        if (seen.insert(name).second)
          order.push_back(name);
  }
  void add(const Type &type) {
    for (const Size &axis : type.axes)
      add(axis);
  }
  void add(const Diagram &diagram) {
    for (WireId input : diagram.inputs)
      add(diagram.type(input));
    for (WireId output : diagram.outputs)
      add(diagram.type(output));
    for (const Wire &wire : diagram.wires)
      add(wire.type);
    for (const Op &op : diagram.ops) {
      std::visit(Overloaded{[&](const SizeValue &s) { add(s.size); }, [&](const Box &b) { add(b.size); },
                            [&](const Scan &s) { add(s.size); }, [&](const Scatter &s) { add(s.size); },
                            [&](const TopK &t) { add(t.count); }, [](const auto &) {}},
                 op.generator);
      if (const DiagramRef &body = bodyOf(op.generator))
        add(*body);
    }
  }
};
} // namespace

bool Constraint::holds(std::int64_t reached, std::int64_t bound) const {
  switch (relation) {
  case Relation::Equal:
    return reached == bound;
  case Relation::AtLeast:
    return reached >= bound;
  case Relation::AtMost:
    return reached <= bound;
  }
  return false;
}

std::string Constraint::str() const {
  std::string text = left.str();
  if (modulus)
    text = fmt::format("{} % {}", left.polynomial().size() > 1 ? "(" + text + ")" : text, modulus->str());
  const char *sign = relation == Relation::Equal ? "==" : relation == Relation::AtLeast ? ">=" : "<=";
  auto atom = [](const Size &size) {
    return size.isConstant() || size.asVariable() ? size.str() : "(" + size.str() + ")";
  };
  return fmt::format("{} {} {}", text, sign, exponent ? atom(right) + " ^ " + atom(*exponent) : right.str());
}

Constraint Constraint::substitute(const Size::Bindings &bindings) const {
  auto each = [&](const std::optional<Size> &size) {
    return size ? std::optional(size->substitute(bindings)) : std::nullopt;
  };
  return {left.substitute(bindings), right.substitute(bindings), each(modulus), span, relation, each(exponent)};
}

std::vector<std::string> Definition::sizeNames() const {
  SizeNames names;
  names.add(diagram);
  for (const Learner &learner : learners) {
    for (const Size &size : learner.per)
      names.add(size);
    for (const Type &type : learner.domain)
      names.add(type);
    for (const Type &type : learner.codomain)
      names.add(type);
    names.add(learner.width);
  }
  for (const Constraint &constraint : constraints) {
    names.add(constraint.left);
    names.add(constraint.right);
    names.add(constraint.modulus.value_or(Size()));
    names.add(constraint.exponent.value_or(Size()));
  }
  return names.order;
}

std::string Definition::signature() const {
  std::string text = name + "(";
  for (std::size_t i = 0; i < diagram.inputs.size(); ++i) {
    const Wire &wire = diagram.wire(diagram.inputs[i]);
    text += fmt::format("{}{}: {}", i ? ", " : "", wire.name, wire.type.str());
  }
  return text + ") -> " + str(diagram.outputTypes());
}

} // namespace attnc
