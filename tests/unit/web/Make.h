#pragma once
#include "attnc/web/Web.h"

/// A file read as a web, and what was said of it.
struct Read {
  attnc::SourceManager sources;
  attnc::Diagnostics diagnostics{sources};
  std::optional<attnc::Web> web;

  Read(const std::string &name, const std::string &text) {
    attnc::FileId file = sources.add(name, text);
    web = readWeb(sources, file, diagnostics);
  }
  std::string said() const { return diagnostics.render(); }
};

inline attnc::Web csv(const std::string &lines) { return *Read("web.csv", "source,target,weight,type\n" + lines).web; }

inline std::vector<std::string> namesOf(const attnc::Web &web) {
  std::vector<std::string> names;
  for (const auto &node : web.nodes)
    names.push_back(node.name);
  return names;
}
