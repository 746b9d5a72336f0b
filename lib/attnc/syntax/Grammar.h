#pragma once
#include "attnc/syntax/Ast.h"
#include "attnc/syntax/Token.h"

#include <tl/expected.hpp>

namespace attnc {

/// Why a definition cannot be read, and at which token.
struct SyntaxFailure {
  enum class Reason { Expected, NestingTooDeep, NumberTooLarge };
  Reason reason = Reason::Expected;
  std::uint32_t token = 0;
  std::string expected; // Expected only: in the user's words
  std::string help;     // may be empty
};

/// Reads the definition that begins at token `position` and moves `position` behind it; on failure
/// `position` stays. Doc comments are left to the caller.
tl::expected<ast::Item, SyntaxFailure> parseItem(const TokenStream &stream, std::uint32_t &position);

} // namespace attnc
