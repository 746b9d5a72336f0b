#include "attnc/elaborate/Elaborate.h"

#include "attnc/elaborate/Loader.h"

namespace attnc {

std::shared_ptr<const Definition> Module::find(std::string_view name) const {
  for (const auto *list : {&definitions, &visible})
    for (const auto &definition : *list)
      if (definition->name == name)
        return definition;
  return nullptr;
}

Module elaborate(SourceManager &sources, FileId file, Diagnostics &diagnostics, const ImportReader &readImport) {
  elaboration::Loader loader(sources, diagnostics, readImport);
  elaboration::FileScope &main = loader.loadMain(file);
  Module module;
  auto add = [&](const elaboration::FileScope &scope, std::vector<std::shared_ptr<const Definition>> &into) {
    for (const auto &item : scope.tree.items)
      if (auto *declaration = std::get_if<ast::DiagramDecl>(&item)) {
        auto found = scope.own.find(declaration->name.text);
        if (found == scope.own.end() || found->second.declaration != declaration)
          continue;
        if (auto definition =
                loader.definition(const_cast<elaboration::Entry &>(found->second), declaration->name.span))
          into.push_back(std::move(definition));
      }
  };
  add(main, module.definitions);
  for (const elaboration::FileScope *import : main.imports)
    add(*import, module.visible);
  auto addTheories = [&](const elaboration::FileScope &scope) {
    auto put = [](auto &list, auto meaning) {
      if (meaning)
        list.push_back(std::move(meaning));
    };
    for (const auto &item : scope.tree.items) {
      if (auto *rule = std::get_if<ast::RuleDecl>(&item))
        put(module.rules, loader.rule(scope, rule->name));
      else if (auto *derivation = std::get_if<ast::DerivationDecl>(&item))
        put(module.derivations, loader.derivation(scope, *derivation));
      else if (auto *theory = std::get_if<ast::TheoryDecl>(&item))
        put(module.theories, loader.theory(scope, theory->name));
      else if (auto *taxonomy = std::get_if<ast::TaxonomyDecl>(&item))
        put(module.taxonomies, loader.taxonomy(scope, *taxonomy));
    }
  };
  addTheories(main);
  for (const elaboration::FileScope *import : main.imports)
    addTheories(*import);
  return module;
}

std::shared_ptr<const Definition> preludeDefinition(std::string_view name) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  ImportReader none = [](const std::filesystem::path &) -> tl::expected<std::string, std::string> {
    return tl::unexpected<std::string>("none");
  };
  elaboration::Loader loader(sources, diagnostics, none);
  elaboration::Entry *entry = loader.find(loader.prelude(), std::string(name), true);
  return entry ? loader.definition(*entry, {}) : nullptr;
}

} // namespace attnc
