#pragma once
// Included by Grammar.cpp alone: the Spirit X3 components that the grammar is made of. They read tokens, and
// none gives back what it has read: the grammar is decided by the next token, or two, everywhere.
#include "attnc/syntax/Grammar.h"
#include "attnc/syntax/Operators.h"
#include "attnc/syntax/Parser.h"

#include <boost/spirit/home/x3.hpp>

#include <charconv>

namespace attnc::grammar {

namespace x3 = boost::spirit::x3;
using Iterator = const Token *;

/// What the components share while one definition is read.
struct State {
  const TokenStream &stream;
  unsigned depth = 0;   // of nesting here
  unsigned deepest = 0; // reached by the expression that is being read

  std::string text(const Token &token) const { return std::string(stream.spelling(token)); }
  Span span(Iterator first, Iterator last) const {
    return {stream.file, first->begin, (last == first ? last : last - 1)->end};
  }
  [[noreturn]] void fail(Iterator at, std::string expected, std::string help = {}) const {
    throw SyntaxFailure{SyntaxFailure::Reason::Expected, index(at), std::move(expected), std::move(help)};
  }
  [[noreturn]] void fail(Iterator at, SyntaxFailure::Reason reason) const {
    throw SyntaxFailure{reason, index(at), {}, {}};
  }
  std::uint32_t index(Iterator at) const { return at - stream.tokens.data(); }
  void bound(Iterator at, unsigned height) const {
    if (height > maxNesting)
      fail(at, SyntaxFailure::Reason::NestingTooDeep);
  }
};
struct StateTag;
template <class Context> State &stateOf(const Context &context) { return x3::get<StateTag>(context); }

/// One level of nesting while it lives.
class Nested {
public:
  Nested(State &state, Iterator at) : state(state) { state.bound(at, ++state.depth); }
  ~Nested() { --state.depth; }
  Nested(const Nested &) = delete;

private:
  State &state;
};

// ---- Components

/// The next token when `Test(token)` holds. Its attribute is the token as a name.
template <class Test> struct Word : x3::parser<Word<Test>> {
  using attribute_type = ast::Name;
  static constexpr bool has_attribute = true;
  Test test;
  explicit Word(Test test) : test(test) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &attribute) const {
    if (!test(*first))
      return false;
    State &state = stateOf(context);
    x3::traits::move_to(ast::Name{state.text(*first), state.span(first, first + 1)}, attribute);
    ++first;
    return true;
  }
};

/// Looks ahead without reading.
template <class Test> struct Ahead : x3::parser<Ahead<Test>> {
  using attribute_type = x3::unused_type;
  static constexpr bool has_attribute = false;
  Test test;
  explicit Ahead(Test test) : test(test) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &) const {
    return test(first, stateOf(context));
  }
};
template <class Test> Ahead<Test> ahead(Test test) { return Ahead<Test>(test); }

/// A keyword or sign.
struct Mark : x3::parser<Mark> {
  using attribute_type = x3::unused_type;
  static constexpr bool has_attribute = false;
  TokenKind kind;
  bool required;
  constexpr Mark(TokenKind kind, bool required) : kind(kind), required(required) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &) const {
    if (first->kind == kind) {
      ++first;
      return true;
    }
    if (required)
      stateOf(context).fail(first, "'" + std::string(spelling(kind)) + "'");
    return false;
  }
};
constexpr Mark mark(TokenKind kind) { return {kind, false}; }
/// The same, where nothing else can stand.
constexpr Mark need(TokenKind kind) { return {kind, true}; }

/// An expectation point: the subject must match, or `what` is what the user is told to write.
template <class Subject> struct Need : x3::unary_parser<Subject, Need<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  const char *what;
  Need(const Subject &subject, const char *what) : x3::unary_parser<Subject, Need<Subject>>(subject), what(what) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &rule,
             Attribute &attribute) const {
    if (!this->subject.parse(first, last, context, rule, attribute))
      stateOf(context).fail(first, what);
    return true;
  }
};
template <class Subject> auto need(const char *what, const Subject &subject) {
  return Need<typename x3::extension::as_parser<Subject>::value_type>(x3::as_parser(subject), what);
}
/// subject { "," subject }
template <class Subject> auto listOf(const char *what, const Subject &subject, TokenKind separator = TokenKind::Comma) {
  return need(what, subject) >> *(mark(separator) >> need(what, subject));
}

/// One level deeper.
template <class Subject> struct Deeper : x3::unary_parser<Subject, Deeper<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  explicit Deeper(const Subject &subject) : x3::unary_parser<Subject, Deeper<Subject>>(subject) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &rule,
             Attribute &attribute) const {
    Nested nested(stateOf(context), first);
    return this->subject.parse(first, last, context, rule, attribute);
  }
};
template <class Subject> Deeper<Subject> deeper(const Subject &subject) { return Deeper<Subject>(subject); }

/// Gives the value of the rule the span of what was read; behind a reference, unless it has one already
/// because it was only put in parentheses.
template <class Subject> struct Spanned : x3::unary_parser<Subject, Spanned<Subject>> {
  static constexpr bool is_pass_through_unary = true;
  explicit Spanned(const Subject &subject) : x3::unary_parser<Subject, Spanned<Subject>>(subject) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &rule,
             Attribute &attribute) const {
    Iterator start = first;
    if (!this->subject.parse(first, last, context, rule, attribute))
      return false;
    if constexpr (requires { rule.span; })
      rule.span = stateOf(context).span(start, first);
    else if (!rule->span.valid())
      rule->span = stateOf(context).span(start, first);
    return true;
  }
};
template <class Subject> Spanned<Subject> spanned(const Subject &subject) { return Spanned<Subject>(subject); }

// ---- Actions

template <class Member> auto set(Member member) {
  return [member](auto &context) { x3::_val(context).*member = std::move(x3::_attr(context)); };
}
template <class Member> auto push(Member member) {
  return [member](auto &context) { (x3::_val(context).*member).push_back(std::move(x3::_attr(context))); };
}
template <class Member, class Value> auto put(Member member, Value value) {
  return [member, value](auto &context) { x3::_val(context).*member = value; };
}
/// The attribute itself, as the rule's value or one alternative of it.
inline constexpr auto take = [](auto &context) { x3::_val(context) = std::move(x3::_attr(context)); };
/// The attribute as the node of a new Expr or Term.
inline constexpr auto node = [](auto &context) {
  using Node = typename std::remove_reference_t<decltype(x3::_val(context))>::element_type;
  x3::_val(context) = std::make_shared<Node>(Node{std::move(x3::_attr(context)), {}});
};

// ---- Numbers

/// The value of a Number token, which must fit.
template <class Value> Value numberOf(Iterator token, const State &state) {
  Value value = 0;
  std::string_view text = state.stream.spelling(*token);
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
    state.fail(token, SyntaxFailure::Reason::NumberTooLarge);
  return value;
}
inline bool isReal(std::string_view number) { return number.find_first_of(".eE") != number.npos; }

/// A whole number.
struct Naturals : x3::parser<Naturals> {
  using attribute_type = std::int64_t;
  static constexpr bool has_attribute = true;
  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &attribute) const {
    State &state = stateOf(context);
    if (first->kind != TokenKind::Number || isReal(state.stream.spelling(*first)))
      return false;
    x3::traits::move_to(numberOf<std::int64_t>(first, state), attribute);
    ++first;
    return true;
  }
};

/// A number, `true` or `false`.
struct Literals : x3::parser<Literals> {
  using attribute_type = ast::ExprRef;
  static constexpr bool has_attribute = true;
  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &attribute) const {
    ast::Expr literal;
    State &state = stateOf(context);
    if (first->kind == TokenKind::Number && isReal(state.stream.spelling(*first)))
      literal.node = ast::RealLiteral{numberOf<double>(first, state), state.text(*first)};
    else if (first->kind == TokenKind::Number)
      literal.node = ast::IntLiteral{numberOf<std::int64_t>(first, state)};
    else if (first->kind == TokenKind::True || first->kind == TokenKind::False)
      literal.node = ast::BoolLiteral{first->kind == TokenKind::True};
    else
      return false;
    literal.span = state.span(first, first + 1);
    ++first;
    x3::traits::move_to(std::make_shared<ast::Expr>(std::move(literal)), attribute);
    return true;
  }
};
/// sizes (EBNF: size, product, sizeAtom; axis when `tight`): operators by climbing over operators.def.
struct Sizes : x3::parser<Sizes> {
  using attribute_type = ast::SizeExpr;
  static constexpr bool has_attribute = true;
  bool tight; // no blank around operators, as inside a type
  unsigned level;
  Sizes(bool tight, unsigned level) : tight(tight), level(level) {}

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &, const Context &context, RuleContext &, Attribute &attribute) const {
    if (first->kind != TokenKind::Name && first->kind != TokenKind::Number && first->kind != TokenKind::LeftParen)
      return false;
    x3::traits::move_to(climb(first, stateOf(context), tight, level), attribute);
    return true;
  }

  static std::optional<ast::SizeExpr::Op> operation(TokenKind kind) {
    switch (kind) {
    case TokenKind::Plus:
      return ast::SizeExpr::Op::Add;
    case TokenKind::Minus:
      return ast::SizeExpr::Op::Sub;
    case TokenKind::Star:
      return ast::SizeExpr::Op::Mul;
    default:
      return std::nullopt;
    }
  }

  static ast::SizeExpr climb(Iterator &first, State &state, bool tight, unsigned level) {
    Nested nested(state, first);
    unsigned outer = std::exchange(state.deepest, state.depth);
    Iterator start = first;
    ast::SizeExpr left = atom(first, state);
    for (;;) {
      auto op = operation(first->kind);
      unsigned opLevel = op ? binaryOperator(first->kind)->level : 0;
      if (!op || opLevel < level || (tight && (first->blankBefore || first[1].blankBefore)))
        break;
      unsigned height = state.deepest + 1;
      state.bound(first, height);
      ++first;
      ast::SizeExpr right = climb(first, state, tight, opLevel + 1);
      state.deepest = std::max(state.deepest, height);
      ast::SizeExpr both;
      both.op = *op;
      both.operands.push_back(std::move(left));
      both.operands.push_back(std::move(right));
      both.span = state.span(start, first);
      left = std::move(both);
    }
    state.deepest = std::max(state.deepest, outer);
    return left;
  }

private:
  static ast::SizeExpr atom(Iterator &first, State &state) {
    ast::SizeExpr size;
    size.span = state.span(first, first + 1);
    if (first->kind == TokenKind::Name) {
      size.op = ast::SizeExpr::Op::Name;
      size.name = state.text(*first);
    } else if (first->kind == TokenKind::Number && !isReal(state.stream.spelling(*first))) {
      size.number = numberOf<std::int64_t>(first, state);
    } else if (first->kind == TokenKind::LeftParen) {
      ++first;
      size = climb(first, state, false, 0);
      if (first->kind != TokenKind::RightParen)
        state.fail(first, "')'");
    } else {
      state.fail(first, "a size");
    }
    ++first;
    return size;
  }
};

} // namespace attnc::grammar
