#include "attnc/elaborate/Elaborator.h"

namespace attnc::elaboration {

/// The structure maps of the point-free notation: how many wires each takes.
static std::optional<std::size_t> structureArity(const std::string &name) {
  static const std::map<std::string, std::size_t, std::less<>> arities = {{"id", 1},        {"copy", 1},  {"del", 1},
                                                                          {"swap", 2},      {"zip", 2},   {"unzip", 2},
                                                                          {"broadcast", 1}, {"scale", 1}, {"size", 0}};
  auto found = arities.find(name);
  return found == arities.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> Elaborator::arity(const ast::AtomTerm &atom, Span span) {
  const std::string &name = atom.name.text;
  std::optional<std::size_t> wires;
  if (auto label = labels.find(name); label != labels.end()) {
    if (label->second.learner)
      wires = definition.learner(*label->second.learner).domain.size();
    else if (auto callee = loader.definition(*label->second.entry, span))
      wires = callee->diagram.inputs.size();
    return wires;
  }
  if (auto structure = structureArity(name))
    return structure;
  auto entryArity = [&](Entry &entry) -> std::optional<std::size_t> {
    auto callee = loader.definition(entry, span);
    if (!callee)
      return std::nullopt;
    std::size_t inputs = callee->diagram.inputs.size();
    return inputs >= atom.arguments.size() ? inputs - atom.arguments.size() : 0;
  };
  if (Entry *own = loader.find(scope, name, true))
    return entryArity(*own);
  if (name == "gather" || name == "scatter")
    return 2;
  if (name == "softmax") {
    for (const ast::KeywordArgument &keyword : atom.keywords)
      if (keyword.name.text == "sink")
        return 2;
    return 1;
  }
  for (const char *unary : {"topk", "transpose", "split", "merge", "sum", "prod", "max", "min", "any", "all"})
    if (name == unary)
      return 1;
  if (auto fn = pointwiseNamed(name))
    return info(*fn).arity - std::min<std::size_t>(info(*fn).arity, atom.arguments.size());
  auto found = entry(atom.name);
  return found ? entryArity(**found) : std::nullopt;
}

std::optional<std::size_t> Elaborator::arity(const ast::Term &term) {
  if (tooDeep(term.span))
    return std::nullopt;
  Deeper deeper(loader);
  if (auto *atom = std::get_if<ast::AtomTerm>(&term.node))
    return arity(*atom, term.span);
  if (auto *seq = std::get_if<ast::SeqTerm>(&term.node))
    return arity(*seq->terms.front());
  if (auto *tensor = std::get_if<ast::TensorTerm>(&term.node)) {
    std::size_t sum = 0;
    for (const ast::TermRef &part : tensor->terms) {
      auto count = arity(*part);
      if (!count)
        return std::nullopt;
      sum += *count;
    }
    return sum;
  }
  if (auto *box = std::get_if<ast::BoxTerm>(&term.node))
    return box->modes.size();
  if (auto *scan = std::get_if<ast::ScanTerm>(&term.node))
    return scan->states.size() + scan->modes.size();
  return 0;
}

std::optional<Values> Elaborator::atom(const ast::AtomTerm &atom, Values inputs, Frame &frame, Span span) {
  const std::string &name = atom.name.text;
  auto typed = [&](Values values) -> std::optional<Values> {
    if (!atom.type)
      return values;
    auto wanted = type(*atom.type);
    if (!wanted)
      return std::nullopt;
    if (!inputs.empty() && inputs[0].type() != *wanted) {
      diagnostics.report(Diag::TypeMismatch, span, fmt::format("the wire at '{}'", name), inputs[0].type().str(),
                         wanted->str());
      return std::nullopt;
    }
    return values;
  };
  bool shadowed = labels.count(name) || loader.find(scope, name, true);
  if (!shadowed && structureArity(name)) {
    if (name == "id" || name == "zip" || name == "unzip")
      return typed(inputs);
    if (name == "copy")
      return typed({inputs[0], inputs[0]});
    if (name == "del")
      return typed({});
    if (name == "swap")
      return typed({inputs[1], inputs[0]});
    if (atom.arguments.size() != 1) {
      wrongCount(name, 1, atom.arguments.size(), span);
      return std::nullopt;
    }
    if (name == "scale") {
      auto factor = one(*atom.arguments[0], frame);
      auto product = factor ? pointwise(PointwiseFn::Mul, {inputs[0], *factor}, frame, span) : std::nullopt;
      return product ? std::optional(Values{*product}) : std::nullopt;
    }
    auto length = sizeOf(*atom.arguments[0]);
    if (!length)
      return std::nullopt;
    if (name == "size")
      return Values{{&frame, *frame.builder.add1(SizeValue{*length}, {}, span)}};
    return inBox(frame, Cap::None, *length, false, {}, span,
                 [&](Frame &, const Values &) { return std::optional(Values{inputs[0]}); });
  }
  for (const ast::ExprRef &argument : atom.arguments) {
    auto value = one(*argument, frame);
    if (!value)
      return std::nullopt;
    inputs.push_back(*value);
  }
  return apply(atom.name, std::move(inputs), atom.keywords, frame, span);
}

std::optional<Values> Elaborator::term(const ast::Term &term, Values inputs, Frame &frame) {
  if (tooDeep(term.span) || tooLarge(1, term.span))
    return std::nullopt;
  Deeper deeper(loader);
  if (auto *seq = std::get_if<ast::SeqTerm>(&term.node)) {
    std::optional<Values> values = std::move(inputs);
    for (const ast::TermRef &part : seq->terms)
      if (values)
        values = this->term(*part, std::move(*values), frame);
    return values;
  }
  auto wanted = arity(term);
  if (!wanted)
    return std::nullopt;
  if (inputs.size() != *wanted) {
    auto report = diagnostics.report(Diag::WireCount, term.span, *wanted, inputs.size());
    std::vector<Type> given;
    for (const Value &value : inputs)
      given.push_back(value.type());
    report.note({}, fmt::format("they have types {}", str(given)));
    return std::nullopt;
  }
  if (auto *atom = std::get_if<ast::AtomTerm>(&term.node))
    return this->atom(*atom, std::move(inputs), frame, term.span);
  if (auto *literal = std::get_if<ast::LiteralTerm>(&term.node)) {
    auto value = one(*literal->value, frame);
    return value ? std::optional(Values{*value}) : std::nullopt;
  }
  if (auto *tensor = std::get_if<ast::TensorTerm>(&term.node)) {
    Values results;
    std::size_t next = 0;
    for (const ast::TermRef &part : tensor->terms) {
      std::size_t count = *arity(*part);
      auto values = this->term(*part, {inputs.begin() + next, inputs.begin() + next + count}, frame);
      if (!values)
        return std::nullopt;
      next += count;
      results.insert(results.end(), values->begin(), values->end());
    }
    return results;
  }

  auto *box = std::get_if<ast::BoxTerm>(&term.node);
  auto *scan = std::get_if<ast::ScanTerm>(&term.node);
  const std::vector<Mode> &modes = box ? box->modes : scan->modes;
  std::size_t states = scan ? scan->states.size() : 0;
  bool indexed = box ? box->index.has_value() : scan->index.has_value();
  auto length = size(box ? box->size : scan->size);
  if (!length)
    return std::nullopt;
  Frame inside(definition.learners, &frame, length);
  Values inner;
  if (indexed)
    inner.push_back({&inside, inside.builder.input({Kind::Int, {}}, "")});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Type wire = inputs[i].type();
    if (i < states) {
      auto state = type(scan->states[i]);
      if (!state)
        return std::nullopt;
      if (*state != wire) {
        diagnostics.report(Diag::TypeMismatch, scan->states[i].span, "the state", wire.str(), state->str());
        return std::nullopt;
      }
    } else if (modes[i - states] == Mode::Map) {
      if (wire.isScalar() || wire.axes[0] != *length) {
        diagnostics.report(Diag::BoxSizeMismatch, term.span, length->str(), fmt::format("wire {}", i + 1),
                           wire.isScalar() ? "none" : wire.axes[0].str());
        return std::nullopt;
      }
      wire = wire.slice();
    }
    inner.push_back({&inside, inside.builder.input(wire, inputs[i].frame->builder.name(inputs[i].wire))});
  }
  auto results = this->term(box ? *box->body : *scan->body, std::move(inner), inside);
  if (!results)
    return std::nullopt;
  std::vector<WireId> outputs, operands;
  for (const Value &value : *results)
    outputs.push_back(inside.import(value));
  for (const Value &value : inputs)
    operands.push_back(frame.import(value));
  // Constants of sizes are made inside, so nothing of the frames around can have been captured.
  auto body = std::make_shared<Diagram>(std::move(inside.builder).finish(outputs));
  if (box)
    return generator(Box{box->cap, *length, indexed, modes, body}, {}, frame, term.span, operands);
  return generator(Scan{*length, indexed, static_cast<unsigned>(states), modes, body}, {}, frame, term.span, operands);
}

} // namespace attnc::elaboration
