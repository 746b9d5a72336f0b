#pragma once
#include "attnc/support/Source.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The words and signs of a file. The grammar reads tokens, so blanks, comments and lines are settled here.
namespace attnc {

enum class TokenKind : std::uint8_t {
  End, // after the last token, once
  Name,
  Number,
  String, // with its quotes
  Bad,    // bytes that begin no token
#define ATTNC_KEYWORD(TOKEN, SPELLING, ROLE) TOKEN,
#include "grammar/keywords.def"
#define ATTNC_SIGN(TOKEN, SPELLING, OTHER) TOKEN,
#include "grammar/operators.def"
  Count,
};

enum class KeywordRole : std::uint8_t { Word, Function, Cap, Operator, Item };

struct Token {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t partner = 0; // the index of the bracket that closes this one; 0: none
  TokenKind kind = TokenKind::End;
  bool blankBefore = false;   // a blank, comment or line end stands between this token and the one before
  bool newlineBefore = false; // a line end does
};

/// A `//` comment, from its slashes to the end of the line.
struct Comment {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t token = 0; // the index of the token that follows
  bool doc = false;        // begins with exactly three slashes
  bool ownLine = false;    // nothing but blanks before it on its line
};

struct TokenStream {
  FileId file;
  std::string_view text;
  std::vector<Token> tokens; // ends with End
  std::vector<Comment> comments;

  std::string_view spelling(const Token &token) const { return text.substr(token.begin, token.end - token.begin); }
};

/// Never fails: what is no token becomes Bad. Linear in the text.
TokenStream tokenise(const SourceManager &sources, FileId file);

/// How the language writes the token; for names and numbers, what it is.
std::string_view spelling(TokenKind kind);
/// The role of a keyword; nothing for other tokens.
std::optional<KeywordRole> keywordRole(TokenKind kind);

/// The offset of the first byte that is not part of valid UTF-8.
std::optional<std::uint32_t> invalidUtf8(std::string_view text);

} // namespace attnc
