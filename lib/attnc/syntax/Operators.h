#pragma once
#include "attnc/syntax/Ast.h"
#include "attnc/syntax/Token.h"

/// Precedence and associativity, read from grammar/operators.def by parser and printer alike.
namespace attnc {

enum class Associativity : std::uint8_t { Left, Right, None };

struct BinaryOperator {
  ast::Binary::Op op;
  TokenKind token;
  unsigned level; // higher binds tighter
  Associativity associativity;
};
struct PrefixOperator {
  ast::Unary::Op op;
  TokenKind token;
  unsigned level;
};

/// Null when the token is no such operator.
const BinaryOperator *binaryOperator(TokenKind token);
const PrefixOperator *prefixOperator(TokenKind token);
const BinaryOperator &describe(ast::Binary::Op op);
const PrefixOperator &describe(ast::Unary::Op op);

/// The lowest level at which the operands may stand without parentheses.
unsigned leftLevel(const BinaryOperator &op);
unsigned rightLevel(const BinaryOperator &op);

/// Tighter than every operator.
inline constexpr unsigned primaryLevel = 100;

} // namespace attnc
