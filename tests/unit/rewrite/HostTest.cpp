#include "Programs.h"
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Signature.h"

#include <algorithm>

using namespace attnc;
using namespace attnc::rewriting;

TEST_CASE("a host is the diagram it was made from") {
  std::size_t count = 0;
  for (const char *folder : {"examples", "taxonomy"})
    for (const auto &entry : std::filesystem::directory_iterator(std::filesystem::path(ATTNC_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".attn")
        continue;
      Program program(fileText(entry.path()), entry.path().string());
      for (const auto &definition : program.module.definitions) {
        CAPTURE(entry.path().string(), definition->name);
        Tables tables;
        Definition again = freeze(load(tables, *definition));
        auto valid = validate(again.diagram, again.learners);
        INFO((valid ? "" : valid.error()));
        REQUIRE(valid.has_value());
        CanonicalForm before = canonicalForm(*definition), after = canonicalForm(again);
        CHECK(after.text == before.text);
        if (definition->diagram.opCount() < 40) { // it copies what is sliced, as patterns need, which are small
          Definition reduced = freeze(load(tables, *definition, true));
          CHECK(canonicalForm(reduced).text == before.text);
        }
        ++count;
      }
    }
  CHECK(count > 30);
}
