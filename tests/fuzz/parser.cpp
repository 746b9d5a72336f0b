// Any bytes are read without harm; what is read without errors prints to text that reads back as the same tree,
// with the same comments, and that printing leaves alone.
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Dump.h"
#include "attnc/syntax/Printer.h"
#include "attnc/syntax/Token.h"

#include <cstdio>
#include <cstdlib>

using namespace attnc;

static void require(bool holds, const char *law, const std::string &first, const std::string &second) {
  if (holds)
    return;
  std::fprintf(stderr, "broken: %s\n--- first\n%s\n--- second\n%s\n", law, first.c_str(), second.c_str());
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  FileId file = sources.add("input", std::string(reinterpret_cast<const char *>(data), size));
  ast::File tree = parse(sources, file, diagnostics);
  diagnostics.render();
  if (diagnostics.hasErrors())
    return 0;

  std::string printed = print(sources, tree);
  FileId again = sources.add("printed", printed);
  ast::File reread = parse(sources, again, diagnostics);
  require(!diagnostics.hasErrors(), "printed text reads without errors", printed, diagnostics.render());
  require(dump(tree) == dump(reread), "printed text reads back as the same tree", dump(tree), dump(reread));
  std::string reprinted = print(sources, reread);
  require(printed == reprinted, "printing printed text changes nothing", printed, reprinted);
  std::size_t before = tokenise(sources, file).comments.size(), after = tokenise(sources, again).comments.size();
  require(before == after, "every comment survives", std::string(sources.text(file)), printed);
  return 0;
}
