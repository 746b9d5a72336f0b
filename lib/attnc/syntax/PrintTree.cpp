// The layout of types, expressions and terms.
#include "attnc/syntax/Operators.h"
#include "attnc/syntax/TreePrinter.h"

#include <fmt/format.h>

namespace attnc {

using namespace layout;

template <class... Fs> struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs> Overloaded(Fs...) -> Overloaded<Fs...>;

static bool isBox(const ast::Expr &expr) {
  return std::holds_alternative<ast::BoxExpr>(expr.node) || std::holds_alternative<ast::ScanExpr>(expr.node);
}

static const BinaryOperator &operatorOf(ast::SizeExpr::Op op) {
  return describe(op == ast::SizeExpr::Op::Mul   ? ast::Binary::Op::Mul
                  : op == ast::SizeExpr::Op::Sub ? ast::Binary::Op::Sub
                                                 : ast::Binary::Op::Add);
}

static std::string sizeText(const ast::SizeExpr &size, bool tight, unsigned level) {
  if (size.op == ast::SizeExpr::Op::Number)
    return size.number >= 0 ? fmt::format("{}", size.number)
                            : fmt::format("(0 - {})", fmt::format("{}", size.number).substr(1));
  if (size.op == ast::SizeExpr::Op::Name)
    return size.name;
  const BinaryOperator &op = operatorOf(size.op);
  bool parenthesised = op.level < level;
  tight &= !parenthesised;
  bool spaced = !tight && size.op != ast::SizeExpr::Op::Mul;
  std::string text = sizeText(size.operands[0], tight, leftLevel(op)) + (spaced ? " " : "") +
                     std::string(spelling(op.token)) + (spaced ? " " : "") +
                     sizeText(size.operands[1], tight, rightLevel(op));
  return parenthesised ? "(" + text + ")" : text;
}

Doc TreePrinter::size(const ast::SizeExpr &size, bool tight, unsigned level) {
  return text(sizeText(size, tight, level));
}

Doc TreePrinter::type(const ast::TypeExpr &type) {
  std::string written = type.kind == Kind::Real ? "[" : std::string(name(type.kind)) + "[";
  for (const ast::SizeExpr &axis : type.axes)
    written += (&axis == type.axes.data() ? "" : " ") + sizeText(axis, true, 0);
  if (type.rest)
    written += (type.axes.empty() ? ".." : " ..") + type.rest->text;
  return text(written + "]");
}

Doc TreePrinter::list(std::string open, const Docs &elements, std::string close) {
  if (elements.empty())
    return text(open + close);
  return group({text(std::move(open)), nest(2, {soft(), join(elements, concat({text(","), line()}))}), soft(),
                text(std::move(close))});
}

// ---- Expressions

static std::string realText(const ast::RealLiteral &literal) {
  if (!literal.text.empty())
    return literal.text;
  std::string text = fmt::format("{}", literal.value);
  return text.find_first_of(".en") == text.npos ? text + ".0" : text;
}

static unsigned levelOf(const ast::Expr &expr) {
  unsigned negative = describe(ast::Unary::Op::Neg).level;
  return std::visit(
      Overloaded{[](const ast::Unary &unary) { return describe(unary.op).level; },
                 [](const ast::Binary &binary) { return describe(binary.op).level; },
                 [&](const ast::IntLiteral &literal) { return literal.value < 0 ? negative : primaryLevel; },
                 [&](const ast::RealLiteral &literal) { return realText(literal)[0] == '-' ? negative : primaryLevel; },
                 [](const auto &) { return primaryLevel; }},
      expr.node);
}

/// A chain to the left of one level breaks at all its operators or none, before each; none where a box
/// stands beside it, whose braces break better.
Doc TreePrinter::binary(const ast::Binary &outermost) {
  unsigned level = describe(outermost.op).level;
  std::vector<const ast::Binary *> chain{&outermost};
  while (describe(chain.back()->op).associativity == Associativity::Left) {
    const auto *left = std::get_if<ast::Binary>(&chain.back()->left->node);
    if (!left || describe(left->op).level != level)
      break;
    chain.push_back(left);
  }
  const ast::Expr *before = chain.back()->left.get();
  Doc first = expr(*before, leftLevel(describe(chain.back()->op)));
  Docs rest;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    const BinaryOperator &op = describe((*link)->op);
    const ast::Expr &right = *(*link)->right;
    std::string sign(spelling(op.token));
    if (op.op == ast::Binary::Op::Pow) {
      rest.push_back(text(sign));
    } else {
      rest.push_back(isBox(*before) || isBox(right) ? text(" ") : line());
      rest.push_back(text(sign + " "));
    }
    rest.push_back(expr(right, rightLevel(op)));
    before = &right;
  }
  return group({first, nest(2, std::move(rest))});
}

Doc TreePrinter::arguments(const std::vector<ast::ExprRef> &arguments,
                           const std::vector<ast::KeywordArgument> &keywords) {
  Docs docs;
  unsigned boxes = 0;
  for (const ast::ExprRef &argument : arguments) {
    docs.push_back(expr(*argument));
    boxes += isBox(*argument);
  }
  for (const ast::KeywordArgument &keyword : keywords) {
    docs.push_back(concat({text(keyword.name.text + " = "), expr(*keyword.value)}));
    boxes += isBox(*keyword.value);
  }
  // A single box among the arguments is the part that breaks.
  if (boxes == 1)
    return concat({text("("), join(docs, text(", ")), text(")")});
  return list("(", docs, ")");
}

template <class Box> std::string TreePrinter::header(std::string_view cap, const Box &box) {
  return std::string(cap) + " " + sizeText(box.size, false, 0) + (box.index ? " as " + box.index->text : "") + " ";
}

Doc TreePrinter::wires(const std::vector<ast::HeaderWire> &wires) {
  if (wires.empty())
    return text("");
  Docs docs;
  for (const ast::HeaderWire &wire : wires)
    docs.push_back(wire.value ? concat({text(wire.name.text + " = "), expr(*wire.value)}) : text(wire.name.text));
  return concat({list("(", docs, ")"), text(" ")});
}

Doc TreePrinter::state(const ast::StateDecl &state) {
  return concat({text(state.name.text + ": "), type(state.type), text(" = "), expr(*state.initial)});
}

/// Would it go on with a value before it?
bool beginsWithMinus(const ast::Expr &expr) {
  if (const auto *binary = std::get_if<ast::Binary>(&expr.node))
    return levelOf(*binary->left) >= leftLevel(describe(binary->op)) && beginsWithMinus(*binary->left);
  if (const auto *unary = std::get_if<ast::Unary>(&expr.node))
    return unary->op == ast::Unary::Op::Neg;
  return levelOf(expr) < primaryLevel;
}

Doc TreePrinter::block(const ast::Block &block, bool mayBeFlat) {
  std::vector<Item> list;
  for (const ast::Statement &written : block.statements)
    list.push_back(
        {std::visit([](const auto &s) { return s.span; }, written), [this, &written] { return statement(written); }});
  bool apart = !block.statements.empty() && std::holds_alternative<ast::Binding>(block.statements.back()) &&
               beginsWithMinus(*block.result);
  list.push_back({block.result->span, [this, &block, apart] { return expr(*block.result, apart ? primaryLevel : 0); }});
  return braces(block.span, list, mayBeFlat && block.statements.empty());
}

Doc TreePrinter::expr(const ast::Expr &expr, unsigned level) {
  Doc doc = std::visit(
      Overloaded{
          [](const ast::RealLiteral &literal) { return text(realText(literal)); },
          [](const ast::IntLiteral &literal) { return text(fmt::format("{}", literal.value)); },
          [](const ast::BoolLiteral &literal) { return text(literal.value ? "true" : "false"); },
          [](const ast::NameExpr &wire) { return text(wire.name); },
          [&](const ast::Unary &unary) {
            const PrefixOperator &op = describe(unary.op);
            std::string sign(spelling(op.token));
            return concat({text(keywordRole(op.token) ? sign + " " : sign), this->expr(*unary.operand, op.level)});
          },
          [&](const ast::Binary &operation) { return binary(operation); },
          [&](const ast::CallExpr &call) {
            return concat({text(call.callee.text), arguments(call.arguments, call.keywords)});
          },
          [&](const ast::IndexExpr &index) {
            Docs indices;
            for (const ast::ExprRef &i : index.indices)
              indices.push_back(this->expr(*i));
            return concat({this->expr(*index.array, primaryLevel), list("[", indices, "]")});
          },
          [&](const ast::TupleExpr &tuple) {
            Docs elements;
            for (const ast::ExprRef &element : tuple.elements)
              elements.push_back(this->expr(*element));
            return list("(", elements, ")");
          },
          [&](const ast::BoxExpr &box) {
            return concat({text(header(name(box.cap), box)), wires(box.wires), block(*box.body)});
          },
          [&](const ast::ScanExpr &scan) {
            Docs states;
            for (const ast::StateDecl &declared : scan.states)
              states.push_back(state(declared));
            Doc from = group({text("from "), nest(5, {join(states, concat({text(","), line()}))}), text(" ")});
            return concat({text(header("scan", scan)), wires(scan.wires), from, block(*scan.body)});
          },
      },
      expr.node);
  return levelOf(expr) < level ? concat({text("("), doc, text(")")}) : doc;
}

// ---- Terms

static std::string modesText(const std::vector<Mode> &modes) {
  if (modes.empty())
    return "";
  std::string written = "(";
  for (Mode mode : modes)
    written += std::string(written.size() == 1 ? "" : ", ") + (mode == Mode::Map ? "map" : "share");
  return written + ") ";
}

/// The steps of `f ; g ; h`, each but the first led by its `;`; a term that is no sequence is one step.
std::vector<TreePrinter::Item> TreePrinter::steps(const ast::Term &whole) {
  std::vector<Item> list;
  if (const auto *seq = std::get_if<ast::SeqTerm>(&whole.node)) {
    for (const ast::TermRef &step : seq->terms)
      list.push_back({step->span, [this, step, lead = list.empty() ? "" : "; "] {
                        return concat({text(lead), nest(2, {term(*step)})});
                      }});
  } else {
    list.push_back({whole.span, [this, &whole] { return term(whole); }});
  }
  return list;
}

Doc TreePrinter::term(const ast::Term &whole, bool inTensor) {
  return std::visit(Overloaded{
                        [&](const ast::AtomTerm &atom) {
                          Docs parts{text(atom.name.text)};
                          if (!atom.arguments.empty() || !atom.keywords.empty())
                            parts.push_back(arguments(atom.arguments, atom.keywords));
                          if (atom.type)
                            parts.push_back(concat({text(atom.type->kind == Kind::Real ? "" : " "), type(*atom.type)}));
                          return concat(std::move(parts));
                        },
                        [&](const ast::LiteralTerm &literal) { return expr(*literal.value); },
                        [&](const ast::SeqTerm &seq) {
                          Docs parts;
                          for (const ast::TermRef &step : seq.terms) {
                            if (!parts.empty())
                              parts.push_back(concat({line(), text("; ")}));
                            parts.push_back(nest(2, {term(*step)}));
                          }
                          Doc doc = group(std::move(parts));
                          return inTensor ? concat({text("("), nest(1, {doc}), text(")")}) : doc;
                        },
                        [&](const ast::TensorTerm &tensor) {
                          Docs parts;
                          for (const ast::TermRef &factor : tensor.terms) {
                            if (!parts.empty())
                              parts.push_back(concat({line(), text("@ ")}));
                            parts.push_back(nest(2, {term(*factor, true)}));
                          }
                          return group(std::move(parts));
                        },
                        [&](const ast::BoxTerm &box) {
                          return concat({text(header(name(box.cap), box) + modesText(box.modes)),
                                         braces(whole.span, steps(*box.body), true)});
                        },
                        [&](const ast::ScanTerm &scan) {
                          Docs states;
                          for (const ast::TypeExpr &declared : scan.states)
                            states.push_back(type(declared));
                          return concat({text(header("scan", scan) + modesText(scan.modes) + "from "),
                                         join(states, text(", ")), text(" "),
                                         braces(whole.span, steps(*scan.body), true)});
                        },
                    },
                    whole.node);
}

} // namespace attnc
