#include "attnc/syntax/Token.h"
#include "attnc/syntax/Parser.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace attnc {

namespace {

struct KeywordEntry {
  std::string_view spelling;
  TokenKind kind;
  KeywordRole role;
};
constexpr KeywordEntry keywords[] = {
#define ATTNC_KEYWORD(TOKEN, SPELLING, ROLE) {SPELLING, TokenKind::TOKEN, KeywordRole::ROLE},
#include "grammar/keywords.def"
};

struct SignEntry {
  std::string_view spelling, other;
  TokenKind kind;
};
constexpr SignEntry signs[] = {
#define ATTNC_SIGN(TOKEN, SPELLING, OTHER) {SPELLING, OTHER, TokenKind::TOKEN},
#include "grammar/operators.def"
};

const std::unordered_map<std::string_view, TokenKind> &keywordTable() {
  static const auto table = [] {
    std::unordered_map<std::string_view, TokenKind> table;
    for (const KeywordEntry &entry : keywords)
      table.emplace(entry.spelling, entry.kind);
    return table;
  }();
  return table;
}

/// The longest sign that `text` begins with; its length is 0 if there is none.
std::pair<TokenKind, std::size_t> longestSign(std::string_view text) {
  // Candidates by first byte, longest first, so that the first match decides.
  struct Candidate {
    std::string_view spelling;
    TokenKind kind;
  };
  static const auto byFirst = [] {
    std::array<std::vector<Candidate>, 256> table;
    for (const SignEntry &sign : signs)
      for (std::string_view spelling : {sign.spelling, sign.other})
        if (!spelling.empty())
          table[static_cast<unsigned char>(spelling[0])].push_back({spelling, sign.kind});
    for (auto &list : table)
      std::sort(list.begin(), list.end(),
                [](const Candidate &a, const Candidate &b) { return a.spelling.size() > b.spelling.size(); });
    return table;
  }();
  for (const Candidate &candidate : byFirst[static_cast<unsigned char>(text[0])])
    if (text.substr(0, candidate.spelling.size()) == candidate.spelling)
      return {candidate.kind, candidate.spelling.size()};
  return {TokenKind::Bad, 0};
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool startsName(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continuesName(char c) { return startsName(c) || isDigit(c) || c == '\''; }

class Lexer {
public:
  Lexer(std::string_view text, TokenStream &out) : text(text), out(out) {}

  void run() {
    if (text.substr(0, 3) == "\xEF\xBB\xBF")
      at = 3;
    for (;;) {
      skipBlanks();
      Token token;
      token.begin = at;
      token.blankBefore = blank;
      token.newlineBefore = newline;
      blank = newline = false;
      token.kind = at < text.size() ? next() : TokenKind::End;
      token.end = at;
      match(token);
      out.tokens.push_back(token);
      if (token.kind == TokenKind::End)
        return;
    }
  }

private:
  char peek(std::size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

  void skipBlanks() {
    if (at == 0)
      blank = newline = true;
    while (at < text.size()) {
      char c = text[at];
      if (c == ' ' || c == '\t' || c == '\r') {
        ++at;
      } else if (c == '\n') {
        ++at;
        newline = true;
      } else if (c == '/' && peek(1) == '/') {
        Comment comment;
        comment.begin = at;
        comment.doc = peek(2) == '/' && peek(3) != '/';
        comment.ownLine = newline || out.tokens.empty();
        comment.token = out.tokens.size();
        at = std::min(text.find('\n', at), text.size());
        std::size_t end = at;
        while (text[end - 1] == ' ' || text[end - 1] == '\t' || text[end - 1] == '\r')
          --end;
        comment.end = end;
        out.comments.push_back(comment);
      } else {
        return;
      }
      blank = true;
    }
  }

  TokenKind next() {
    char c = text[at];
    if (startsName(c))
      return word();
    if (isDigit(c))
      return number();
    if (c == '"')
      return string();
    auto [kind, length] = longestSign(text.substr(at));
    if (length > 0) {
      at += length;
      return kind;
    }
    // One whole character, and for a number without its first digit the rest of it.
    if (c == '.' && isDigit(peek(1))) {
      ++at;
      number();
      return TokenKind::Bad;
    }
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
      ++at;
    return TokenKind::Bad;
  }

  TokenKind word() {
    std::size_t begin = at;
    while (at < text.size() && continuesName(text[at]))
      ++at;
    auto found = keywordTable().find(text.substr(begin, at - begin));
    return found == keywordTable().end() ? TokenKind::Name : found->second;
  }

  void digits() {
    while (isDigit(peek()))
      ++at;
  }

  /// digits [ "." digits ] [ ("e" | "E") [ "+" | "-" ] digits ]; no letter may follow.
  TokenKind number() {
    TokenKind kind = TokenKind::Number;
    digits();
    if (peek() == '.' && peek(1) != '.') {
      ++at;
      if (!isDigit(peek()))
        kind = TokenKind::Bad;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      bool sign = peek(1) == '+' || peek(1) == '-';
      if (isDigit(peek(sign ? 2 : 1))) {
        at += sign ? 2 : 1;
        digits();
      }
    }
    while (continuesName(peek())) {
      kind = TokenKind::Bad;
      ++at;
    }
    return kind;
  }

  TokenKind string() {
    ++at;
    while (at < text.size() && text[at] != '"' && text[at] != '\n')
      ++at;
    if (peek() != '"')
      return TokenKind::Bad;
    ++at;
    return TokenKind::String;
  }

  /// Pairs brackets. A `}` closes what was left open inside it; a definition closes everything.
  void match(const Token &token) {
    auto opens = [](TokenKind kind) {
      return kind == TokenKind::LeftParen || kind == TokenKind::LeftBracket || kind == TokenKind::LeftBrace;
    };
    auto closer = [](TokenKind kind) {
      return kind == TokenKind::LeftParen     ? TokenKind::RightParen
             : kind == TokenKind::LeftBracket ? TokenKind::RightBracket
                                              : TokenKind::RightBrace;
    };
    std::uint32_t index = out.tokens.size();
    if (opens(token.kind)) {
      open.push_back(index);
    } else if (token.kind == TokenKind::Diagram || token.kind == TokenKind::Import) {
      open.clear();
    } else if (token.kind == TokenKind::RightBrace) {
      while (!open.empty() && out.tokens[open.back()].kind != TokenKind::LeftBrace)
        open.pop_back();
    }
    if (!open.empty() && open.back() < index && closer(out.tokens[open.back()].kind) == token.kind) {
      out.tokens[open.back()].partner = index;
      open.pop_back();
    }
  }

  std::string_view text;
  TokenStream &out;
  std::size_t at = 0;
  bool blank = false, newline = false;
  std::vector<std::uint32_t> open;
};

} // namespace

TokenStream tokenise(const SourceManager &sources, FileId file) {
  TokenStream stream;
  stream.file = file;
  stream.text = sources.text(file);
  stream.tokens.reserve(stream.text.size() / 4 + 1);
  Lexer(stream.text, stream).run();
  return stream;
}

std::string_view spelling(TokenKind kind) {
  static const auto table = [] {
    std::array<std::string_view, std::size_t(TokenKind::Count)> table{};
    table[std::size_t(TokenKind::End)] = "the end of the file";
    table[std::size_t(TokenKind::Name)] = "a name";
    table[std::size_t(TokenKind::Number)] = "a number";
    table[std::size_t(TokenKind::String)] = "a text in quotes";
    for (const KeywordEntry &entry : keywords)
      table[std::size_t(entry.kind)] = entry.spelling;
    for (const SignEntry &sign : signs)
      table[std::size_t(sign.kind)] = sign.spelling;
    return table;
  }();
  return table[std::size_t(kind)];
}

std::optional<KeywordRole> keywordRole(TokenKind kind) {
  auto first = std::size_t(keywords[0].kind);
  auto index = std::size_t(kind) - first;
  if (std::size_t(kind) < first || index >= std::size(keywords))
    return std::nullopt;
  return keywords[index].role;
}

bool isKeyword(std::string_view word) { return keywordTable().count(word) > 0; }

std::optional<std::uint32_t> invalidUtf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  for (std::size_t i = 0; i < text.size();) {
    unsigned c = byte(i);
    if (c < 0x80) {
      ++i;
      continue;
    }
    // The second byte's range excludes overlong forms, surrogates and what lies past U+10FFFF.
    std::size_t length = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    unsigned low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (length == 0 || byte(i + 1) < low || byte(i + 1) > high)
      return i;
    for (std::size_t k = 2; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80)
        return i;
    i += length;
  }
  return std::nullopt;
}

} // namespace attnc
