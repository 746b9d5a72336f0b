#include "attnc/elaborate/Loader.h"

#include "attnc/elaborate/Elaborator.h"
#include "attnc/prelude/Prelude.h"
#include "attnc/syntax/Parser.h"

namespace attnc::elaboration {

static bool hasRest(const ast::DiagramDecl &declaration) {
  auto isRest = [](const ast::TypeExpr &type) { return type.rest.has_value(); };
  bool any = false;
  for (const ast::ResultType &result : declaration.results)
    any |= isRest(result.type);
  if (auto *named = std::get_if<ast::NamedForm>(&declaration.form))
    for (const ast::Parameter &parameter : named->parameters)
      any |= isRest(parameter.type);
  if (auto *pointFree = std::get_if<ast::PointFreeForm>(&declaration.form))
    for (const ast::TypeExpr &type : pointFree->domain)
      any |= isRest(type);
  return any;
}

FileScope &Loader::load(FileId file, const std::filesystem::path &path) {
  FileScope &scope = *files.emplace(path.string(), std::make_unique<FileScope>()).first->second;
  scope.tree = parse(sources, file, diagnostics);
  for (auto &item : scope.tree.items) {
    declareTheories(scope, item);
    auto *declaration = std::get_if<ast::DiagramDecl>(&item);
    if (!declaration)
      continue;
    auto [entry, fresh] = scope.own.try_emplace(declaration->name.text, Entry{declaration, &scope});
    entry->second.generic = fresh ? hasRest(*declaration) : entry->second.generic;
    if (!fresh)
      diagnostics.report(Diag::DuplicateDefinition, declaration->name.span, declaration->name.text)
          .note(entry->second.declaration->name.span, "the first definition is here");
  }
  for (auto &item : scope.tree.items) {
    auto *import = std::get_if<ast::Import>(&item);
    if (!import)
      continue;
    std::filesystem::path target = (path.parent_path() / import->path).lexically_normal();
    if (auto known = files.find(target.string()); known != files.end()) {
      scope.imports.push_back(known->second.get());
      continue;
    }
    constexpr std::size_t mostFiles = 1000;
    if (files.size() >= mostFiles) {
      diagnostics.report(Diag::ImportNotFound, import->span, import->path, "more than 1000 files are imported");
      continue;
    }
    auto text = readImport(target);
    if (!text) {
      diagnostics.report(Diag::ImportNotFound, import->span, import->path, text.error());
      continue;
    }
    if (++nesting > maxElaborationNesting) {
      diagnostics.report(Diag::ImportNotFound, import->span, import->path, "imports are nested too deep");
    } else {
      scope.imports.push_back(&load(sources.add(target.string(), std::move(*text)), target));
    }
    --nesting;
  }
  return scope;
}

FileScope &Loader::loadMain(FileId file) {
  return load(file, std::filesystem::path(sources.name(file)).lexically_normal());
}

const FileScope &Loader::prelude() {
  if (!preludeScope)
    preludeScope = &load(sources.add("prelude.attn", std::string(preludeText())), "<prelude>/prelude.attn");
  return *preludeScope;
}

Entry *Loader::find(const FileScope &scope, const std::string &name, bool ownOnly) {
  auto in = [&](const FileScope &file) -> Entry * {
    auto found = file.own.find(name);
    return found == file.own.end() ? nullptr : const_cast<Entry *>(&found->second);
  };
  if (Entry *entry = in(scope))
    return entry;
  for (const FileScope *import : scope.imports)
    if (Entry *entry = in(*import))
      return entry;
  return ownOnly || &scope == preludeScope ? nullptr : in(prelude());
}

std::vector<std::string> Loader::visibleNames(const FileScope &scope) {
  std::vector<std::string> names;
  auto add = [&](const FileScope &file) {
    for (const auto &[name, entry] : file.own)
      names.push_back(name);
  };
  add(scope);
  for (const FileScope *import : scope.imports)
    add(*import);
  if (&scope != &prelude())
    add(prelude());
  std::sort(names.begin(), names.end());
  return names;
}

std::shared_ptr<const Definition> Loader::definition(Entry &entry, Span use) {
  if (entry.state == Entry::State::Running) {
    diagnostics.report(Diag::RecursiveDiagram, use, entry.declaration->name.text)
        .help("repeat with 'scan', which carries a state along an axis");
    return nullptr;
  }
  if (entry.state == Entry::State::Fresh) {
    entry.state = Entry::State::Running;
    std::map<std::string, unsigned> ranks;
    auto [closed, open] = Elaborator(*this, *entry.scope, ranks).elaborate(*entry.declaration);
    entry.definition = closed;
    entry.open = open;
    entry.state = Entry::State::Done;
  }
  return entry.definition;
}

std::shared_ptr<const Definition> Loader::instance(Entry &entry, const std::map<std::string, unsigned> &ranks) {
  auto known = entry.instances.find(ranks);
  if (known != entry.instances.end())
    return known->second;
  if (!definition(entry, {}))
    return nullptr; // broken in itself, already reported
  entry.state = Entry::State::Running;
  auto made = Elaborator(*this, *entry.scope, ranks).elaborate(*entry.declaration).closed;
  entry.state = Entry::State::Done;
  entry.instances.emplace(ranks, made);
  return made;
}

} // namespace attnc::elaboration
