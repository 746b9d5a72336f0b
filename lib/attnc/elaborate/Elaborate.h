#pragma once
#include "attnc/diagram/Theory.h"
#include "attnc/support/Diagnostics.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <tl/expected.hpp>

namespace attnc {

/// The meaning of one file with all it imports: definitions in the order of the source.
struct Module {
  std::vector<std::shared_ptr<const Definition>> definitions; // of the file itself
  /// The definition of that name: of the file or its imports; null when there is none.
  std::shared_ptr<const Definition> find(std::string_view name) const;
  std::vector<std::shared_ptr<const Definition>> visible; // of the imported files

  // Theories: of the file itself first, then of its imports.
  std::vector<RuleRef> rules;
  std::vector<std::shared_ptr<const Derivation>> derivations;
  std::vector<TheoryRef> theories;
  std::vector<std::shared_ptr<const Taxonomy>> taxonomies;
};

/// Reads the text of an imported file; the error says why it cannot.
using ImportReader = std::function<tl::expected<std::string, std::string>(const std::filesystem::path &)>;

/// Parses, resolves names, infers shapes, and builds each diagram. What is broken is reported and left out;
/// everything else is in the result.
/// A diagram of the prelude by its name (`dot`); null when there is none. Its spans point into no file of the caller.
std::shared_ptr<const Definition> preludeDefinition(std::string_view name);

Module elaborate(SourceManager &sources, FileId file, Diagnostics &diagnostics, const ImportReader &readImport);

} // namespace attnc
