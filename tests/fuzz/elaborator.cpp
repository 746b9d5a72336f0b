// Any bytes are elaborated without harm; what has a meaning is a valid diagram with a canonical form, and keeps both
// when it is printed and read again.
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Signature.h"
#include "attnc/elaborate/Elaborate.h"
#include "attnc/syntax/Parser.h"
#include "attnc/syntax/Printer.h"

#include <cstdio>
#include <cstdlib>

using namespace attnc;

static void require(bool holds, const char *law, const std::string &details) {
  if (holds)
    return;
  std::fprintf(stderr, "broken: %s\n%s\n", law, details.c_str());
  std::abort();
}

static Module meaning(SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  return elaborate(sources, file, diagnostics,
                   [](const std::filesystem::path &) -> tl::expected<std::string, std::string> {
                     return tl::unexpected<std::string>("there are no other files");
                   });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  FileId file = sources.add("input", std::string(reinterpret_cast<const char *>(data), size));
  Module module = meaning(sources, file, diagnostics);
  diagnostics.render();
  for (const auto &definition : module.definitions) {
    auto valid = validate(definition->diagram, definition->learners);
    require(valid.has_value(), "what is elaborated is valid", valid ? "" : valid.error());
  }
  if (diagnostics.hasErrors() || module.definitions.empty())
    return 0;
  Diagnostics unused(sources);
  std::string printed = print(sources, parse(sources, file, unused));
  Module again = meaning(sources, sources.add("printed", printed), diagnostics);
  require(!diagnostics.hasErrors(), "printed text means something", printed + diagnostics.render());
  require(again.definitions.size() == module.definitions.size(), "printed text has the same diagrams", printed);
  for (std::size_t i = 0; i < module.definitions.size(); ++i)
    if (module.definitions[i]->diagram.opCount() < 10'000)
      require(canonicalForm(*module.definitions[i]) == canonicalForm(*again.definitions[i]),
              "printed text means the same", printed);
  return 0;
}
