#pragma once
#include "attnc/elaborate/Elaborate.h"
#include "attnc/syntax/Ast.h"

#include <map>
#include <unordered_map>

namespace attnc::elaboration {

struct FileScope;

/// A declaration, elaborated when it is first needed.
struct Entry {
  const ast::DiagramDecl *declaration;
  const FileScope *scope;
  enum class State { Fresh, Running, Done } state = State::Fresh;
  std::shared_ptr<const Definition> definition; // null if broken
  std::shared_ptr<const Definition> open;       // before its boxes' defaults are plugged in
  /// A declaration with axes of any number (`..t`) has one meaning for each choice of their numbers.
  bool generic = false;
  std::map<std::map<std::string, unsigned>, std::shared_ptr<const Definition>> instances;
};

/// A rule or theory, elaborated when it is first needed.
template <class Declaration, class Meaning> struct TheoryEntry {
  const Declaration *declaration;
  const FileScope *scope;
  bool done = false;
  std::shared_ptr<const Meaning> meaning; // null if broken
};
using RuleEntry = TheoryEntry<ast::RuleDecl, Rule>;
using TheoryDeclEntry = TheoryEntry<ast::TheoryDecl, Theory>;

/// What a file can name: its own declarations, then those it imports; the prelude comes last.
struct FileScope {
  ast::File tree;
  std::unordered_map<std::string, Entry> own;
  std::unordered_map<std::string, RuleEntry> rules;
  std::unordered_map<std::string, TheoryDeclEntry> theories;
  std::vector<const FileScope *> imports;
};

/// The files of a run and their declarations.
class Loader {
public:
  Loader(SourceManager &sources, Diagnostics &diagnostics, const ImportReader &readImport)
      : sources(sources), diagnostics(diagnostics), readImport(readImport) {}

  FileScope &loadMain(FileId file);
  const FileScope &prelude();

  /// The declaration a file means by a name: null when there is none. `ownOnly` leaves the prelude out.
  Entry *find(const FileScope &scope, const std::string &name, bool ownOnly);
  /// Names for did-you-mean.
  std::vector<std::string> visibleNames(const FileScope &scope);

  /// The meaning of a declaration; null if it is broken, which has been reported, or is being defined by itself.
  std::shared_ptr<const Definition> definition(Entry &entry, Span use);
  std::shared_ptr<const Definition> instance(Entry &entry, const std::map<std::string, unsigned> &ranks);

  // Theories.cpp. Each gives null where something is wrong, which has been reported.
  RuleRef rule(RuleEntry &entry);
  RuleRef rule(const FileScope &scope, const ast::Name &name);
  TheoryRef theory(TheoryDeclEntry &entry);
  TheoryRef theory(const FileScope &scope, const ast::Name &name);
  std::shared_ptr<const Definition> diagramNamed(const FileScope &scope, const ast::Name &name);
  std::shared_ptr<const Derivation> derivation(const FileScope &scope, const ast::DerivationDecl &declaration);
  std::shared_ptr<const Taxonomy> taxonomy(const FileScope &scope, const ast::TaxonomyDecl &declaration);

  SourceManager &sources;
  Diagnostics &diagnostics;
  unsigned nesting = 0; // of everything that recurses here, see Elaborator.h

private:
  FileScope &load(FileId file, const std::filesystem::path &path);
  void declareTheories(FileScope &scope, const ast::Item &item);

  const ImportReader &readImport;
  std::map<std::string, std::unique_ptr<FileScope>> files; // by path
  FileScope *preludeScope = nullptr;
};

} // namespace attnc::elaboration
