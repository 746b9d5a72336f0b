#pragma once
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Signature.h"
#include "attnc/elaborate/Elaborate.h"

#include <catch2/catch.hpp>

namespace attnc::test {

/// A program elaborated from its text.
struct Program {
  SourceManager sources;
  Diagnostics diagnostics{sources};
  Module module;

  explicit Program(std::string text, std::string name = "test.attn") {
    module = elaborate(sources, sources.add(std::move(name), std::move(text)), diagnostics,
                       [](const std::filesystem::path &) -> tl::expected<std::string, std::string> {
                         return tl::unexpected<std::string>("no such file");
                       });
  }

  /// The definition of that name; the program is right and the diagram is valid.
  const Definition &operator[](const std::string &name) {
    INFO(diagnostics.render());
    REQUIRE(!diagnostics.hasErrors());
    auto found = module.find(name);
    REQUIRE(found);
    auto valid = validate(found->diagram, found->learners);
    INFO((valid ? "" : valid.error()));
    REQUIRE(valid);
    return *found;
  }
};

/// The same morphism, up to the structural laws.
inline bool same(const Definition &a, const Definition &b) {
  return canonicalForm(a, {.renameSizes = true}) == canonicalForm(b, {.renameSizes = true});
}

} // namespace attnc::test
