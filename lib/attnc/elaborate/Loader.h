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

/// What a file can name: its own declarations, then those it imports; the prelude comes last.
struct FileScope {
  ast::File tree;
  std::unordered_map<std::string, Entry> own;
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

  SourceManager &sources;
  Diagnostics &diagnostics;
  unsigned nesting = 0; // of everything that recurses here, see Elaborator.h

private:
  FileScope &load(FileId file, const std::filesystem::path &path);

  const ImportReader &readImport;
  std::map<std::string, std::unique_ptr<FileScope>> files; // by path
  FileScope *preludeScope = nullptr;
};

} // namespace attnc::elaboration
