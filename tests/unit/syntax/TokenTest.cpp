#include "attnc/syntax/Token.h"
#include "Syntax.h"

using namespace attnc;

static std::vector<std::string> spellings(const std::string &text) {
  SourceManager sources;
  TokenStream stream = tokenise(sources, sources.add("t", text));
  std::vector<std::string> list;
  for (const Token &token : stream.tokens)
    if (token.kind != TokenKind::End)
      list.push_back((token.kind == TokenKind::Bad ? "!" : "") + std::string(stream.spelling(token)));
  return list;
}
using List = std::vector<std::string>;

TEST_CASE("tokens") {
  CHECK(spellings("a'b''_1 x1") == List{"a'b''_1", "x1"});
  CHECK(spellings("a==b=c<=d<e->f-g") == List{"a", "==", "b", "=", "c", "<=", "d", "<", "e", "->", "f", "-", "g"});
  CHECK(spellings("1.5e-3..t 1..t") == List{"1.5e-3", "..", "t", "1", "..", "t"});
  CHECK(spellings("2x 1. .5 1.5.2") == List{"!2x", "!1.", "!.5", "1.5", "!.2"});
  CHECK(spellings("1e x") == List{"!1e", "x"});
  CHECK(spellings("a⊗b→c§") == List{"a", "⊗", "b", "→", "c", "!§"});
  CHECK(spellings("\"a b\" \"open\n\"") == List{"\"a b\"", "!\"open", "!\""});
  CHECK(spellings("\xEF\xBB\xBFx") == List{"x"});
  CHECK(spellings("").empty());
}

TEST_CASE("brackets find their partners") {
  SourceManager sources;
  TokenStream stream = tokenise(sources, sources.add("t", "( [ ) ] { ( } )"));
  CHECK(stream.tokens[0].partner == 7);
  CHECK(stream.tokens[1].partner == 3);
  CHECK(stream.tokens[4].partner == 6);
  CHECK(stream.tokens[5].partner == 0); // closed by the brace
}

TEST_CASE("invalid UTF-8 is found") {
  CHECK(!invalidUtf8("a é 注 🙂 \xF4\x8F\xBF\xBF"));
  CHECK(invalidUtf8("ab\xff") == 2u);
  CHECK(invalidUtf8("\xC3") == 0u);
  CHECK(invalidUtf8("\xC0\xAF") == 0u);         // overlong
  CHECK(invalidUtf8("a\xED\xA0\x80") == 1u);    // a surrogate
  CHECK(invalidUtf8("\xF4\x90\x80\x80") == 0u); // past U+10FFFF
  CHECK(invalidUtf8("\xE0\x80\x80") == 0u);
  CHECK(invalidUtf8("\x80") == 0u);
}

TEST_CASE("keywords") {
  CHECK(isKeyword("diagram"));
  CHECK(isKeyword("sum"));
  CHECK(isKeyword("rule"));
  CHECK(!isKeyword("map"));
  CHECK(!isKeyword("Diagram"));
  CHECK(!isKeyword(""));
}
