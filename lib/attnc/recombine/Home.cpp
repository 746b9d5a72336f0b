#include "attnc/recombine/Home.h"

#include <fmt/format.h>

namespace attnc::recombine {

tl::expected<Module, std::string> Home::elaborate(const std::string &text) const {
  const auto path = std::filesystem::path(sources.name(file)).lexically_normal();
  Diagnostics diagnostics(sources);
  const FileId made =
      sources.add(path.parent_path() / "<made>", fmt::format("import \"{}\"\n{}", path.filename().string(), text));
  Module module = attnc::elaborate(sources, made, diagnostics,
                                   [&](const std::filesystem::path &other) -> tl::expected<std::string, std::string> {
                                     if (other == path)
                                       return std::string(sources.text(file));
                                     return readImport(other);
                                   });
  for (const Diagnostic &diagnostic : diagnostics.all())
    if (describe(diagnostic.kind).severity == Severity::Error)
      return tl::unexpected(diagnostic.message);
  return module;
}

} // namespace attnc::recombine
