#pragma once
#include "attnc/elaborate/Elaborate.h"
#include "attnc/rewrite/Apply.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace attnc {

inline std::string fileText(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A program elaborated; its errors end the test.
struct Program {
  explicit Program(const std::string &text, const std::string &name = "test.attn") : diagnostics(sources) {
    auto read = [](const std::filesystem::path &path) -> tl::expected<std::string, std::string> {
      return fileText(path);
    };
    module = elaborate(sources, sources.add(name, text), diagnostics, read);
    INFO(diagnostics.render());
    REQUIRE(diagnostics.errorCount() == 0);
  }
  const Definition &operator[](const std::string &name) const { return *module.find(name); }
  RuleRef rule(const std::string &name) const {
    for (const RuleRef &rule : module.rules)
      if (rule->name == name)
        return rule;
    FAIL("no rule " << name);
    return nullptr;
  }

  SourceManager sources;
  Diagnostics diagnostics;
  Module module;
};

} // namespace attnc
