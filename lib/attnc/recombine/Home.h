#pragma once
#include "attnc/elaborate/Elaborate.h"

namespace attnc::recombine {

/// A file whose diagrams are in scope for texts that are made from it.
class Home {
public:
  Home(SourceManager &sources, FileId file, ImportReader readImport)
      : sources(sources), file(file), readImport(std::move(readImport)) {}

  /// The text as a file beside this one that imports it. The error is the first message.
  tl::expected<Module, std::string> elaborate(const std::string &text) const;

private:
  SourceManager &sources;
  FileId file;
  ImportReader readImport;
};

} // namespace attnc::recombine
