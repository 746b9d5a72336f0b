#pragma once
#include "attnc/syntax/GrammarChoices.h"

/// The productions of types, sizes and expressions. `block` is of Grammar.cpp, the only file that includes this.
namespace attnc::grammar {

// ---- Words

const auto name = Word([](const Token &token) { return token.kind == T::Name; });
const auto anyWord = Word([](const Token &) { return true; });

// ---- Types and sizes

const Sizes size(false, 0), sizeProduct(false, binaryOperator(T::Star)->level), sizeAtom(false, primaryLevel),
    axis(true, 0);

struct TypeId {};
const x3::rule<TypeId, ast::TypeExpr> type = "type";
const auto kind = mark(T::Real) | mark(T::Int)[put(&ast::TypeExpr::kind, Kind::Int)] |
                  mark(T::Bool)[put(&ast::TypeExpr::kind, Kind::Bool)];
const auto axesEnd = ahead([](Iterator at, const State &state) {
  if (at->kind == T::Plus || at->kind == T::Minus || at->kind == T::Star)
    state.fail(at, "an axis or ']'", "inside a type a blank parts two axes: write n+m or (n + m)");
  if (at->kind != T::RightBracket)
    state.fail(at, "an axis or ']'");
  return true;
});
const auto type_def =
    spanned(-kind >> (mark(T::LeftBracket)) >> *axis[push(&ast::TypeExpr::axes)] >>
            -(mark(T::DotDot) >> need("a name for the further axes", name)[set(&ast::TypeExpr::rest)]) >> axesEnd >>
            mark(T::RightBracket));

struct CapId {};
const x3::rule<CapId, Cap> cap = "cap";
static auto is(Cap value) {
  return [value](auto &context) { x3::_val(context) = value; };
}
const auto cap_def = mark(T::Simd)[is(Cap::None)] | mark(T::Sum)[is(Cap::Sum)] | mark(T::Prod)[is(Cap::Prod)] |
                     mark(T::Max)[is(Cap::Max)] | mark(T::Min)[is(Cap::Min)] | mark(T::Any)[is(Cap::Any)] |
                     mark(T::All)[is(Cap::All)];

// ---- Expressions

/// Operators by climbing over operators.def; indexing; everything else is `primary`.
struct Expressions : x3::parser<Expressions> {
  using attribute_type = ast::ExprRef;
  static constexpr bool has_attribute = true;

  unsigned level; // of the loosest operator that is read
  explicit Expressions(unsigned level = 0) : level(level) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &, Attribute &attribute) const;

private:
  template <class Context>
  static ast::ExprRef climb(Iterator &first, const Iterator &last, const Context &context, unsigned level);
  template <class Context>
  static ast::ExprRef operand(Iterator &first, const Iterator &last, const Context &context, unsigned level);
};
const Expressions expr;
const char *const anExpression = "an expression";

struct PrimaryId {};
struct BlockId {};
struct CallId {};
struct IndexId {};
struct TupleId {};
struct BoxId {};
struct ScanId {};
struct WireId {};
struct StateId {};
struct KeywordId {};
const x3::rule<PrimaryId, ast::ExprRef> primary = "primary";
const x3::rule<BlockId, ast::Block> block = "block";
const x3::rule<CallId, ast::CallExpr> call = "call";
const x3::rule<IndexId, ast::IndexExpr> index = "index";
const x3::rule<TupleId, ast::TupleExpr> tuple = "tuple";
const x3::rule<BoxId, ast::BoxExpr> box = "box";
const x3::rule<ScanId, ast::ScanExpr> scan = "scan";
const x3::rule<WireId, ast::HeaderWire> wire = "wire";
const x3::rule<StateId, ast::StateDecl> state = "state";
const x3::rule<KeywordId, ast::KeywordArgument> keyword = "keyword";

const auto keyword_def = ahead(startsKeyword) >> name[set(&ast::KeywordArgument::name)] >> mark(T::Assign) >>
                         need(anExpression, expr)[set(&ast::KeywordArgument::value)];

/// Positional arguments, then keywords, then the parenthesis; for whatever has both.
template <class Node> auto argumentsOf() {
  auto keywords = listOf("an argument 'name = value'", keyword[push(&Node::keywords)]);
  auto arguments =
      ahead(startsKeyword) >> keywords |
      need(anExpression, expr)[push(&Node::arguments)] >>
          *(mark(T::Comma) >> (ahead(startsKeyword) >> keywords | need(anExpression, expr)[push(&Node::arguments)]));
  return mark(T::LeftParen) >> (mark(T::RightParen) | arguments >> need("',' or ')'", mark(T::RightParen)));
}
const auto call_def = ahead(startsCall) >> anyWord[set(&ast::CallExpr::callee)] >> argumentsOf<ast::CallExpr>();
const auto index_def = mark(T::LeftBracket) >> listOf(anExpression, expr[push(&ast::IndexExpr::indices)]) >>
                       need("',' or ']'", mark(T::RightBracket));
const auto tuple_def = mark(T::LeftParen) >> listOf(anExpression, expr[push(&ast::TupleExpr::elements)]) >>
                       need("',' or ')'", mark(T::RightParen));

const auto bodyOfBox = [](auto &context) {
  x3::_val(context).body = std::make_shared<ast::Block>(std::move(x3::_attr(context)));
};
const auto wire_def = name[set(&ast::HeaderWire::name)] >>
                      -(mark(T::Assign) >> need(anExpression, expr)[set(&ast::HeaderWire::value)]);
template <class Node> auto headerOf() {
  return need("a size", size)[set(&Node::size)] >>
         -(mark(T::As) >> need("a name for the index", name)[set(&Node::index)]);
}
template <class Node> auto wiresOf() {
  return -(mark(T::LeftParen) >> (mark(T::RightParen) | listOf("the name of a wire", wire[push(&Node::wires)]) >>
                                                            need("',' or ')'", mark(T::RightParen))));
}
const auto braceOfBox = ahead([](Iterator at, const State &state) {
  if (at->kind != T::LeftBrace)
    state.fail(at, "'{'", "a box has its body in braces; a fold of an array is written without a blank: sum(x)");
  return true;
});
const auto box_def = ahead(startsBox) >> cap[set(&ast::BoxExpr::cap)] >>
                     headerOf<ast::BoxExpr>() >> wiresOf<ast::BoxExpr>() >> braceOfBox >> block[bodyOfBox];
const auto state_def = name[set(&ast::StateDecl::name)] >> need(T::Colon) >>
                       need("a type", type)[set(&ast::StateDecl::type)] >> need(T::Assign) >>
                       need(anExpression, expr)[set(&ast::StateDecl::initial)];
const auto scan_def = mark(T::Scan) >> headerOf<ast::ScanExpr>() >> wiresOf<ast::ScanExpr>() >> need(T::From) >>
                      listOf("a state 'name: type = initial'", state[push(&ast::ScanExpr::states)]) >>
                      need("'{'", block)[bodyOfBox];

const Literals literal;

const auto nameNode = [](auto &context) {
  x3::_val(context) = std::make_shared<ast::Expr>(ast::Expr{ast::NameExpr{std::move(x3::_attr(context).text)}, {}});
};
const auto tupleNode = [](auto &context) {
  ast::TupleExpr &tuple = x3::_attr(context);
  if (tuple.elements.size() == 1)
    x3::_val(context) = std::move(tuple.elements[0]);
  else
    x3::_val(context) = std::make_shared<ast::Expr>(ast::Expr{std::move(tuple), {}});
};
const auto primary_def = literal[take] | call[node] | name[nameNode] | tuple[tupleNode] | box[node] | scan[node];

// ---- Climbing

static ast::ExprRef binary(const BinaryOperator &op, ast::ExprRef left, ast::ExprRef right, Span span) {
  return std::make_shared<ast::Expr>(ast::Expr{ast::Binary{op.op, std::move(left), std::move(right)}, span});
}

template <class Context, class RuleContext, class Attribute>
bool Expressions::parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &,
                        Attribute &attribute) const {
  ast::ExprRef value = climb(first, last, context, level);
  if (!value)
    return false;
  x3::traits::move_to(std::move(value), attribute);
  return true;
}

/// An expression of operators of at least `level`; null, with nothing read, when none begins here. The
/// height of a chain to the left counts as nesting, so that the tree is never deeper than maxNesting.
template <class Context>
ast::ExprRef Expressions::climb(Iterator &first, const Iterator &last, const Context &context, unsigned level) {
  State &state = stateOf(context);
  Nested nested(state, first);
  unsigned outer = std::exchange(state.deepest, state.depth);
  Iterator start = first;
  ast::ExprRef left = operand(first, last, context, level);
  while (left) {
    const BinaryOperator *op = binaryOperator(first->kind);
    if (!op || op->level < level)
      break;
    unsigned height = state.deepest + 1;
    state.bound(first, height);
    ++first;
    ast::ExprRef right = climb(first, last, context, rightLevel(*op));
    if (!right)
      state.fail(first, anExpression);
    left = binary(*op, std::move(left), std::move(right), state.span(start, first));
    state.deepest = std::max(state.deepest, height);
    const BinaryOperator *next = binaryOperator(first->kind);
    if (op->associativity == Associativity::None && next && next->level == op->level)
      state.fail(first, "'and' between two comparisons", "comparisons do not chain: write a < b and b < c");
  }
  state.deepest = std::max(state.deepest, outer);
  return left;
}

template <class Context>
ast::ExprRef Expressions::operand(Iterator &first, const Iterator &last, const Context &context, unsigned level) {
  State &state = stateOf(context);
  Iterator start = first;
  if (const PrefixOperator *op = prefixOperator(first->kind)) {
    if (op->level < level)
      state.fail(first, anExpression,
                 "'" + std::string(spelling(op->token)) +
                     "' binds looser than what is before it: put it in parentheses");
    ++first;
    ast::ExprRef value = climb(first, last, context, op->level);
    if (!value)
      state.fail(first, anExpression);
    return std::make_shared<ast::Expr>(ast::Expr{ast::Unary{op->op, std::move(value)}, state.span(start, first)});
  }
  ast::ExprRef value;
  if (!primary.parse(first, last, context, x3::unused, value))
    return nullptr;
  // What was in parentheses has its own span.
  if (!value->span.valid())
    value->span = state.span(start, first);
  while (first->kind == T::LeftBracket && onSameLine(*first)) {
    state.bound(first, ++state.deepest);
    ast::IndexExpr access;
    access.array = std::move(value);
    index.parse(first, last, context, x3::unused, access);
    value = std::make_shared<ast::Expr>(ast::Expr{std::move(access), state.span(start, first)});
  }
  return value;
}

} // namespace attnc::grammar
