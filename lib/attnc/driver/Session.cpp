#include "attnc/driver/Session.h"

#include "attnc/support/File.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace attnc {

constexpr std::size_t largestSource = std::size_t(64) << 20;

std::optional<FileId> Session::read(const std::string &file) {
  auto text = readFile(file, largestSource);
  if (!text) {
    diagnostics.report(Diag::CannotRead, {}, file, text.error());
    return std::nullopt;
  }
  return sources.add(file == "-" ? "<stdin>" : file, std::move(*text));
}

std::optional<Module> Session::load(const std::string &file) {
  auto known = loaded.find(file);
  if (known == loaded.end()) {
    auto id = read(file);
    known = loaded.emplace(file, id ? std::optional(load(*id)) : std::nullopt).first;
  }
  return known->second;
}

Module Session::load(FileId file) {
  return elaborate(sources, file, diagnostics,
                   [](const std::filesystem::path &path) { return readFile(path, largestSource); });
}

std::shared_ptr<const Definition> Session::select(const Module &module, const std::string &file,
                                                  const std::string &name) {
  if (name.empty() && !module.definitions.empty() && !diagnostics.hasErrors())
    return module.definitions.back();
  if (auto found = name.empty() ? nullptr : module.find(name))
    return found;
  if (diagnostics.hasErrors())
    return nullptr; // it may be there but broken, which has been said
  std::vector<std::string> names;
  for (const auto &definition : module.definitions)
    names.push_back(definition->name);
  if (name.empty()) {
    diagnostics.report(Diag::NoDiagram, {}, file);
    return nullptr;
  }
  auto report = diagnostics.report(Diag::NoSuchDiagram, {}, file, name);
  if (auto near = nearest(name, names))
    report.help(fmt::format("did you mean '{}'?", *near));
  else if (!names.empty())
    report.help(fmt::format("it has {}", fmt::join(names, ", ")));
  return nullptr;
}

std::shared_ptr<const Definition> Session::definition(const std::string &file, const std::string &name) {
  auto module = load(file);
  if (!module)
    return nullptr;
  auto selected = select(*module, file, name);
  return diagnostics.hasErrors() ? nullptr : selected;
}

std::optional<Web> Session::web(const std::string &file) {
  auto id = read(file);
  return id ? readWeb(sources, *id, diagnostics) : std::nullopt;
}

std::optional<std::vector<Web::Id>> Session::nodes(const Web &web, const std::string &names) {
  auto named = [&](const Web::Node &node) { return node.name == names; };
  std::vector<std::string> parts = {names};
  if (std::ranges::none_of(web.nodes, named)) {
    parts.clear();
    std::stringstream list(names);
    for (std::string part; std::getline(list, part, ',');)
      parts.push_back(part);
  }
  std::vector<Web::Id> ids;
  bool ok = true;
  for (const std::string &part : parts) {
    auto id = web.find(part, diagnostics);
    ok &= id.has_value();
    ids.push_back(id.value_or(0));
  }
  return ok ? std::optional(ids) : std::nullopt;
}

bool Session::write(const std::string &path, std::string_view bytes) {
  if (isStandardOutput(path))
    console.out.flush();
  auto written = writeFile(path, bytes);
  if (!written)
    diagnostics.report(Diag::CannotWrite, {}, path, written.error());
  return written.has_value();
}

void Session::put(const std::string &path, std::string_view text) {
  if (path.empty() || path == "-")
    console.out << text;
  else
    write(path, text);
}

std::ostream &Session::beside(const std::vector<std::string> &outputs) const {
  return std::ranges::any_of(outputs, isStandardOutput) ? console.err : console.out;
}

void Session::tell(nlohmann::json object, const std::string &output) {
  object["diagnostics"] = diagnostics.json();
  beside({output}) << object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  told = true;
}

int Session::finish() {
  console.out.flush();
  if (!console.out)
    diagnostics.report(Diag::CannotWrite, {}, "standard output", "the device does not take it");
  if (!told || !console.out)
    console.err << diagnostics.render(console.colour);
  return diagnostics.hasErrors() ? Failure : Success;
}

} // namespace attnc
