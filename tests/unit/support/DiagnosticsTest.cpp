#include "attnc/support/Diagnostics.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

using namespace attnc;

TEST_CASE("a diagnostic shows its place, the line and a caret", "[diagnostics]") {
  SourceManager sources;
  FileId file = sources.add("f.attn", "diagram f(q: [n]) -> [n] {\n\tqé + kk\n}\n");
  Diagnostics diagnostics(sources);
  diagnostics.report(Diag::UnknownName, {file, 34, 36}, "kk")
      .note({file, 10, 11}, "there is a 'q' here")
      .help("say 'q'");
  CHECK(diagnostics.render() == "f.attn:2:7: error: nothing here is called 'kk'\n"
                                "    2 | \tqé + kk\n"
                                "      | \t     ^~\n"
                                "f.attn:1:11: note: there is a 'q' here\n"
                                "    1 | diagram f(q: [n]) -> [n] {\n"
                                "      |           ^\n"
                                "help: say 'q'\n");
  CHECK(diagnostics.render(true).find("\033[1;31merror:\033[0m") != std::string::npos);
}

TEST_CASE("diagnostics come in the order of the source, each once", "[diagnostics]") {
  SourceManager sources;
  FileId file = sources.add("f.attn", "a b c");
  Diagnostics diagnostics(sources);
  diagnostics.report(Diag::UnknownName, {file, 4, 5}, "c");
  diagnostics.report(Diag::UnusedBinding, {file, 0, 1}, "a");
  diagnostics.report(Diag::UnknownName, {file, 4, 5}, "c").help("dropped with its duplicate");
  CHECK(diagnostics.all().size() == 2);
  CHECK(diagnostics.errorCount() == 1);
  std::string text = diagnostics.render();
  CHECK(text.find("warning: 'a'") < text.find("error: nothing"));
  CHECK(text.find("dropped") == std::string::npos);
}

TEST_CASE("a place past the line, a long line and no place are drawn safely", "[diagnostics]") {
  SourceManager sources;
  FileId file = sources.add("f.attn", "ab\n" + std::string(1000, 'x') + "\n");
  Diagnostics diagnostics(sources);
  diagnostics.report(Diag::SyntaxExpected, {file, 0, 900}, "more");
  diagnostics.report(Diag::SyntaxExpected, {file, 2, 2}, "an end");
  diagnostics.report(Diag::SyntaxExpected, {file, 500, 501}, "y");
  diagnostics.report(Diag::CannotRead, {}, "g", "no");
  std::string text = diagnostics.render();
  CHECK(text.find("    1 | ab\n      | ^~\n") != std::string::npos);
  CHECK(text.find("      |   ^\n") != std::string::npos);
  CHECK(text.find("xxxx") == std::string::npos);
  CHECK(text.find("error: cannot read 'g': no\n") != std::string::npos);
}

TEST_CASE("diagnostics are data too", "[diagnostics]") {
  SourceManager sources;
  FileId file = sources.add("f.attn", "é x");
  Diagnostics diagnostics(sources);
  diagnostics.report(Diag::UnknownName, {file, 3, 4}, "x").note({}, "somewhere").help("h");
  nlohmann::json json = diagnostics.json();
  REQUIRE(json.size() == 1);
  CHECK(json[0]["kind"] == "UnknownName");
  CHECK(json[0]["severity"] == "error");
  CHECK(json[0]["file"] == "f.attn");
  CHECK(json[0]["line"] == 1);
  CHECK(json[0]["column"] == 3);
  CHECK(json[0]["endColumn"] == 4);
  CHECK(json[0]["notes"][0]["message"] == "somewhere");
  CHECK_FALSE(json[0]["notes"][0].contains("file"));
  CHECK(json[0]["help"] == "h");
}

TEST_CASE("every kind has a name of its own and a message in lower case", "[diagnostics]") {
  std::set<std::string_view> names;
  for (const DiagnosticKind &kind : diagnosticKinds()) {
    CHECK(names.insert(kind.name).second);
    CHECK_FALSE(std::isupper(static_cast<unsigned char>(kind.format.front())));
    CHECK(kind.format.back() != '.');
  }
}

TEST_CASE("a slip is answered with the nearest name", "[diagnostics]") {
  std::vector<std::string> names{"softmax", "sum", "sigmoid", "x"};
  CHECK(nearest("sofmax", names) == "softmax");
  CHECK(nearest("smu", names) == "sum");        // a swap is one edit
  CHECK(nearest("sab", names) == std::nullopt); // two edits of three letters is another word
  CHECK(nearest("sun", names) == "sum");
  CHECK(nearest("zebra", names) == std::nullopt);
  CHECK(nearest("sum", {"sum"}) == std::nullopt); // the name itself is no slip
  CHECK(nearest(std::string(1000, 'x'), names) == std::nullopt);
  CHECK(nearest("", names) == "x");
}
