#include "attnc/syntax/Operators.h"

#include <array>

namespace attnc {

static constexpr BinaryOperator binaries[] = {
#define ATTNC_BINARY(OP, TOKEN, LEVEL, ASSOCIATIVITY)                                                                  \
  {ast::Binary::Op::OP, TokenKind::TOKEN, LEVEL, Associativity::ASSOCIATIVITY},
#include "grammar/operators.def"
};
static constexpr PrefixOperator prefixes[] = {
#define ATTNC_PREFIX(OP, TOKEN, LEVEL) {ast::Unary::Op::OP, TokenKind::TOKEN, LEVEL},
#include "grammar/operators.def"
};

template <class T, std::size_t N> static constexpr auto indexByToken(const T (&table)[N]) {
  std::array<const T *, std::size_t(TokenKind::Count)> index{};
  for (const T &entry : table)
    index[std::size_t(entry.token)] = &entry;
  return index;
}
static constexpr auto binaryByToken = indexByToken(binaries);
static constexpr auto prefixByToken = indexByToken(prefixes);

const BinaryOperator *binaryOperator(TokenKind token) { return binaryByToken[std::size_t(token)]; }
const PrefixOperator *prefixOperator(TokenKind token) { return prefixByToken[std::size_t(token)]; }

// Ast.h declares the operators in the order of the table, which a test holds.
const BinaryOperator &describe(ast::Binary::Op op) { return binaries[std::size_t(op)]; }
const PrefixOperator &describe(ast::Unary::Op op) {
  for (const PrefixOperator &prefix : prefixes)
    if (prefix.op == op)
      return prefix;
  return prefixes[0];
}

unsigned leftLevel(const BinaryOperator &op) {
  return op.associativity == Associativity::Left ? op.level : op.level + 1;
}
unsigned rightLevel(const BinaryOperator &op) {
  return op.associativity == Associativity::Right ? op.level - 1 : op.level + 1;
}

} // namespace attnc
