#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Grammar.h"
#include "attnc/syntax/Token.h"

#include <algorithm>

namespace attnc {

namespace {

class FileReader {
public:
  FileReader(const TokenStream &stream, Diagnostics &diagnostics) : stream(stream), diagnostics(diagnostics) {}

  ast::File run() {
    ast::File file{stream.file, {}};
    while (token().kind != TokenKind::End) {
      std::uint32_t begin = at;
      auto item = parseItem(stream, at);
      if (!item) {
        report(item.error());
        skip();
        continue;
      }
      std::visit(
          [&](auto &one) {
            if constexpr (requires { one.doc; })
              one.doc = docBefore(begin);
          },
          *item);
      file.items.push_back(std::move(*item));
    }
    return file;
  }

private:
  const Token &token() const { return stream.tokens[at]; }
  Span span(std::uint32_t index) const { return {stream.file, stream.tokens[index].begin, stream.tokens[index].end}; }

  void report(const SyntaxFailure &failure) {
    const Token &culprit = stream.tokens[failure.token];
    Span place = span(failure.token);
    if (culprit.kind == TokenKind::End && failure.token > 0)
      place.begin = place.end = stream.tokens[failure.token - 1].end;
    std::string_view text = stream.spelling(culprit);
    auto role = keywordRole(culprit.kind);
    switch (failure.reason) {
    case SyntaxFailure::Reason::NestingTooDeep:
      diagnostics.report(Diag::SyntaxNestingTooDeep, place, maxNesting);
      return;
    case SyntaxFailure::Reason::NumberTooLarge:
      diagnostics.report(Diag::SyntaxNumberTooLarge, place,
                         text.size() <= 40 ? std::string(text) : std::string(text.substr(0, 40)) + "…");
      return;
    case SyntaxFailure::Reason::Expected:
      break;
    }
    if (culprit.kind == TokenKind::Bad && invalidUtf8(text)) {
      diagnostics.report(Diag::SyntaxInvalidUtf8, place);
      return;
    }
    auto report = diagnostics.report(Diag::SyntaxExpected, place, failure.expected);
    if (!failure.help.empty())
      report.help(failure.help);
    else if (culprit.kind == TokenKind::Bad)
      report.help(helpForBad(text));
    else if (role && (failure.expected.find("name") != std::string::npos ||
                      stream.tokens[failure.token + 1].kind == TokenKind::Assign))
      report.help(fmt::format("'{}' is a word of the language, so nothing can be called that", text));
  }

  static std::string helpForBad(std::string_view text) {
    bool digit = text[0] >= '0' && text[0] <= '9';
    if (text[0] == '.' && text.size() > 1)
      return fmt::format("a number begins with a digit: write 0{}", text);
    if (digit && text.find('.') == text.size() - 1)
      return fmt::format("a digit follows the point of a number: write {}0", text);
    if (digit)
      return "a name does not begin with a digit, and a product is written with '*'";
    if (text[0] == '"')
      return "the text ends with '\"' on the same line";
    return fmt::format("'{}' is no sign of the language", text);
  }

  /// Moves to the next token at which a definition begins. `diagram`, `import` and the words of theories
  /// begin one wherever a line begins with them; `name = base` only where no brace is open, or, with
  /// `specialise` or `with`, at the margin.
  void skip() {
    int depth = 0;
    for (bool first = true; token().kind != TokenKind::End; ++at, first = false) {
      TokenKind kind = token().kind;
      depth += kind == TokenKind::LeftBrace;
      depth -= kind == TokenKind::RightBrace && depth > 0;
      if (first || !token().newlineBefore)
        continue;
      if (kind == TokenKind::Diagram || kind == TokenKind::Import ||
          (keywordRole(kind) == KeywordRole::Item && depth == 0))
        return;
      if (kind != TokenKind::Name || stream.tokens[at + 1].kind != TokenKind::Assign || !atMargin())
        continue;
      const Token *value = &stream.tokens[at + 2];
      bool sure = value[0].kind == TokenKind::Specialise ||
                  (value[0].kind == TokenKind::Name && value[1].kind == TokenKind::With);
      if (sure || depth == 0)
        return;
    }
  }

  bool atMargin() const { return token().begin == 0 || stream.text[token().begin - 1] == '\n'; }

  std::string docBefore(std::uint32_t index) const {
    std::string doc;
    bool first = true;
    auto begin = std::lower_bound(stream.comments.begin(), stream.comments.end(), index,
                                  [](const Comment &comment, std::uint32_t token) { return comment.token < token; });
    for (auto comment = begin; comment != stream.comments.end() && comment->token == index; ++comment) {
      if (!comment->doc || !comment->ownLine)
        continue;
      std::string_view line = stream.text.substr(comment->begin + 3, comment->end - comment->begin - 3);
      if (!line.empty() && line[0] == ' ')
        line.remove_prefix(1);
      if (!first)
        doc += '\n';
      doc += line;
      first = false;
    }
    return doc;
  }

  const TokenStream &stream;
  Diagnostics &diagnostics;
  std::uint32_t at = 0;
};

} // namespace

ast::File parse(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  if (sources.text(file).size() > maxSourceBytes) {
    diagnostics.report(Diag::FileTooLarge, {file, 0, 0}, sources.name(file), maxSourceBytes);
    return {file, {}};
  }
  if (auto offset = invalidUtf8(sources.text(file)))
    diagnostics.report(Diag::SyntaxInvalidUtf8, {file, *offset, *offset + 1});
  TokenStream stream = tokenise(sources, file);
  return FileReader(stream, diagnostics).run();
}

} // namespace attnc
