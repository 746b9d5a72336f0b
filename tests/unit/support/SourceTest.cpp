#include "attnc/support/Source.h"
#include "attnc/support/Hash.h"

#include <catch2/catch.hpp>

using namespace attnc;

TEST_CASE("columns count characters, not bytes", "[source]") {
  SourceManager sources;
  FileId file = sources.add("a.attn", "// é→x\nqé = 1\r\nlast");
  auto at = [&](std::uint32_t offset) {
    Location l = sources.locate(file, offset);
    return std::pair(l.line, l.column);
  };
  CHECK(at(0) == std::pair(1u, 1u));
  CHECK(at(3) == std::pair(1u, 4u));  // é
  CHECK(at(5) == std::pair(1u, 5u));  // →, after two bytes
  CHECK(at(8) == std::pair(1u, 6u));  // x, after three more
  CHECK(at(10) == std::pair(2u, 1u)); // q
  CHECK(at(13) == std::pair(2u, 3u)); // the blank behind é
  CHECK(at(9999).first == 3u);        // past the end is the end
  CHECK(sources.line(file, 1) == "// é→x");
  CHECK(sources.line(file, 2) == "qé = 1"); // without its \r
  CHECK(sources.line(file, 3) == "last");
  CHECK(sources.text(Span{file, 10, 13}) == "qé");
}

TEST_CASE("names and texts stay where they are", "[source]") {
  SourceManager sources;
  std::string_view first = sources.text(sources.add("a", "hello"));
  for (int i = 0; i < 1000; ++i)
    sources.add(std::to_string(i), "x");
  CHECK(first == "hello");
  CHECK(sources.name(FileId(1000)) == "999");
}

TEST_CASE("spans join within a file", "[source]") {
  FileId a(0), b(1);
  CHECK(Span::join({a, 2, 4}, {a, 8, 9}) == Span{a, 2, 9});
  CHECK(Span::join({}, {a, 8, 9}) == Span{a, 8, 9});
  CHECK(Span::join({a, 2, 4}, {}) == Span{a, 2, 4});
  CHECK(Span::join({a, 2, 4}, {b, 0, 1}) == Span{a, 2, 4});
  CHECK_FALSE(Span().valid());
}

TEST_CASE("hashes are those of XXH3", "[hash]") {
  CHECK(hash128("").hex() == "99aa06d3014798d86001c324468d497f"); // the reference value of the empty text
  CHECK(hash128("a") != hash128("b"));
}
