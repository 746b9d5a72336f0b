// Every program of the corpus, under every treatment of this stage.
#include "Syntax.h"

#include <algorithm>

using namespace attnc;

TEST_CASE("programs read, print, and read back as themselves") {
  for (const char *folder : {"tests/corpus/pass", "examples", "taxonomy", "lib/attnc/prelude"}) {
    for (const auto &path : filesIn(folder)) {
      CAPTURE(path.string());
      Read read(fileText(path), path.string());
      INFO(read.diagnostics.render());
      CHECK(read.errors().empty());
      CHECK(!read.file.items.empty());
      std::string printed = read.printed();
      Read again(printed);
      CHECK(again.errors().empty());
      CHECK(again.dumped() == read.dumped());
      CHECK(again.printed() == printed);
      std::size_t longest = 0;
      for (std::size_t at = 0; at < printed.size();) {
        std::size_t end = printed.find('\n', at);
        std::string line = printed.substr(at, end - at);
        CHECK((line.empty() || line.back() != ' '));
        if (line.find("//") == line.npos)
          longest = std::max(longest, line.size());
        at = end + 1;
      }
      CHECK(longest <= 100);
    }
  }
}

TEST_CASE("broken programs are refused where their comments say") {
  for (const auto &path : filesIn("tests/corpus/fail")) {
    CAPTURE(path.string());
    std::string text = fileText(path);
    std::vector<std::string> expected;
    const std::string lead = "// error: ";
    for (std::size_t at = 0; (at = text.find(lead, at)) != text.npos; at += lead.size())
      expected.push_back(text.substr(at + lead.size(), text.find('\n', at) - at - lead.size()));
    REQUIRE(!expected.empty());
    Read read(text, path.string());
    INFO(read.diagnostics.render());
    CHECK(read.errors() == expected);
  }
}

TEST_CASE("what is refused later reads here") {
  for (const auto &path : filesIn("tests/corpus/refused")) {
    CAPTURE(path.string());
    CHECK(Read(fileText(path), path.string()).errors().empty());
  }
}

TEST_CASE("any beginning of a program is read without harm") {
  for (const auto &path : filesIn("tests/corpus/pass")) {
    std::string text = fileText(path);
    for (std::size_t length = 0; length < text.size(); ++length) {
      Read read(text.substr(0, length));
      if (read.errors().empty())
        CHECK(Read(read.printed()).dumped() == read.dumped());
    }
  }
}
