// Any bytes are elaborated without harm; what has a meaning is a valid diagram with a canonical form, and keeps both
// when it is printed and read again. So do the sides of rules, and what derivations, theories, taxonomies and
// generators are made of.
#include "attnc/diagram/Canonical.h"
#include "attnc/diagram/Signature.h"
#include "attnc/elaborate/Elaborate.h"
#include "attnc/recombine/Generators.h"
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

static tl::expected<std::string, std::string> noFile(const std::filesystem::path &) {
  return tl::unexpected<std::string>("there are no other files");
}

/// A file, and what it declares.
struct Meaning {
  Module module;
  std::vector<recombine::Generators> generators;

  Meaning(SourceManager &sources, FileId file, Diagnostics &diagnostics)
      : module(elaborate(sources, file, diagnostics, noFile)) {
    Diagnostics again(sources);
    ast::File tree = parse(sources, file, again);
    if (again.hasErrors())
      return;
    recombine::Home home(sources, file, noFile);
    for (const ast::Item &item : tree.items)
      if (auto *declaration = std::get_if<ast::GeneratorsDecl>(&item))
        if (auto one = recombine::readGenerators(*declaration, home, diagnostics))
          generators.push_back(std::move(*one));
  }

  bool empty() const {
    return module.definitions.empty() && module.rules.empty() && module.theories.empty() && generators.empty();
  }

  /// Every diagram there is.
  std::vector<const Definition *> diagrams() const {
    std::vector<const Definition *> all;
    for (const auto &definition : module.definitions)
      all.push_back(definition.get());
    for (const RuleRef &rule : module.rules) {
      for (const Definition *side : {&rule->left, &rule->right, rule->filledLeft.get(), rule->filledRight.get()})
        if (side)
          all.push_back(side);
      for (const auto &[learner, filling] : rule->fillings)
        all.push_back(&filling);
    }
    return all;
  }

  /// What is declared but diagrams, in words.
  std::string rest() const {
    std::string text;
    for (const RuleRef &rule : module.rules)
      text += fmt::format("rule {} {} {} {} {} {}\n", rule->name, name(rule->kind), rule->bothWays, rule->boxes,
                          rule->conditions.size(), rule->fillings.size());
    for (const auto &derivation : module.derivations) {
      text += fmt::format("derivation {} {} {}\n", derivation->name, derivation->from->name, derivation->to->name);
      for (const Step &step : derivation->steps) {
        text += fmt::format("  {} {} {} {} {}", step.rule->name, step.reversed, step.everywhere,
                            step.place.value_or("-"), step.match.value_or(0));
        for (const auto &[size, value] : step.arguments)
          text += fmt::format(" {} = {}", size, value.str());
        text += "\n";
      }
    }
    for (const TheoryRef &theory : module.theories)
      for (const Theory::Member &member : theory->rules)
        text += fmt::format("theory {} {} {}\n", theory->name, member.rule->name, member.reversed);
    for (const auto &taxonomy : module.taxonomies)
      text += fmt::format("taxonomy {} {} {} {}\n", taxonomy->name, taxonomy->root->name, taxonomy->theory->name,
                          taxonomy->depth.value_or(0));
    for (const recombine::Generators &one : generators) {
      text += fmt::format("generators {} {} -> {}, {} equations, {} criteria, {} classes\n", one.presentation.name,
                          one.presentation.inputs.size(), one.presentation.output, one.presentation.equations.size(),
                          one.presentation.criteria.size(), one.presentation.classes.size());
      for (const auto &operation : one.presentation.operations)
        text += fmt::format("  {} : {} -> {}\n", operation.name, fmt::join(operation.domain, " "), operation.codomain);
      for (const auto &sort : one.sorts)
        text += fmt::format("  {} {} {}\n", fmt::join(sort.types, " @ "), sort.learner, sort.learnerTypes);
    }
    return text;
  }
};

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  FileId file = sources.add("input", std::string(reinterpret_cast<const char *>(data), size));
  Meaning meaning(sources, file, diagnostics);
  diagnostics.render();
  auto diagrams = meaning.diagrams();
  for (const Definition *definition : diagrams) {
    auto valid = validate(definition->diagram, definition->learners);
    require(valid.has_value(), "what is elaborated is valid", valid ? "" : valid.error());
  }
  if (diagnostics.hasErrors() || meaning.empty())
    return 0;
  Diagnostics unused(sources);
  std::string printed = print(sources, parse(sources, file, unused));
  Meaning again(sources, sources.add("printed", printed), diagnostics);
  require(!diagnostics.hasErrors(), "printed text means something", printed + diagnostics.render());
  require(again.rest() == meaning.rest(), "printed text declares the same", meaning.rest() + again.rest());
  auto others = again.diagrams();
  require(others.size() == diagrams.size(), "printed text has the same diagrams", printed);
  for (std::size_t i = 0; i < diagrams.size(); ++i)
    if (diagrams[i]->diagram.opCount() < 10'000)
      require(canonicalForm(*diagrams[i]) == canonicalForm(*others[i]), "printed text means the same", printed);
  return 0;
}
