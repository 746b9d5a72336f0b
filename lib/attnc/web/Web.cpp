#include "attnc/web/Web.h"

#include <charconv>
#include <cmath>
#include <filesystem>

namespace attnc {

static std::vector<std::string> namesOf(const Web &web) {
  std::vector<std::string> names;
  for (const Web::Node &node : web.nodes)
    names.push_back(node.name);
  return names;
}

std::optional<Web::Id> Web::find(const std::string &name, Diagnostics &diagnostics) const {
  for (Id id = 0; id < nodes.size(); ++id)
    if (nodes[id].name == name)
      return id;
  auto report = diagnostics.report(Diag::NoSuchNode, {}, name);
  if (auto near = nearest(name, namesOf(*this)))
    report.help(fmt::format("did you mean '{}'?", *near));
  return std::nullopt;
}

std::map<std::string, std::int64_t> Web::typeNumbers() const {
  std::map<std::string, std::int64_t> numbers;
  bool written = true;
  for (const Link &link : links)
    if (!link.type.empty()) {
      std::int64_t value = -1;
      const char *end = link.type.data() + link.type.size();
      auto [stop, error] = std::from_chars(link.type.data(), end, value);
      written &= error == std::errc() && stop == end && value >= 0;
      numbers[link.type] = value;
    }
  std::int64_t next = 0;
  if (!written)
    for (auto &[type, number] : numbers)
      number = next++;
  return numbers;
}

Web::Node *WebBuilder::node(const std::string &name, Span span) {
  auto [known, isNew] = ids.emplace(name, web.nodes.size());
  if (!isNew) {
    diagnostics.report(Diag::DuplicateNode, span, name).note(web.nodes[known->second].span, "the first is here");
    return nullptr;
  }
  web.nodes.push_back({name, 1, {}, span});
  return &web.nodes.back();
}

Web::Id WebBuilder::nodeFor(const std::string &name, Span span) {
  auto known = ids.find(name);
  if (known != ids.end())
    return known->second;
  node(name, span);
  return web.nodes.size() - 1;
}

std::optional<Web::Id> WebBuilder::end(std::string_view end, const std::string &name, Span span) {
  if (auto known = ids.find(name); known != ids.end())
    return known->second;
  auto report = diagnostics.report(Diag::DanglingLink, span, end, name);
  constexpr std::size_t mostSuggestions = 100; // each looks at all names
  if (auto near = suggestions++ < mostSuggestions ? nearest(name, namesOf(web)) : std::nullopt)
    report.help(fmt::format("did you mean '{}'?", *near));
  return std::nullopt;
}

void WebBuilder::link(Web::Link link) {
  auto [before, isNew] = known.emplace(std::pair(link.source, link.target), link.span);
  if (isNew)
    web.links.push_back(std::move(link));
  else
    diagnostics.report(Diag::DuplicateLink, link.span, web.nodes[link.source].name, web.nodes[link.target].name)
        .note(before->second, "the first is here");
}

std::optional<double> WebBuilder::weight(std::optional<double> number, std::string_view text, Span span) {
  std::string_view fault = !number                   ? "not a number"
                           : !std::isfinite(*number) ? "not finite"
                           : *number < 0             ? "negative"
                                                     : "";
  if (fault.empty())
    return number;
  diagnostics.report(Diag::BadWeight, span, text, fault);
  return std::nullopt;
}

static std::string extensionOf(const std::string &path) { return std::filesystem::path(path).extension(); }

bool isWebFile(const std::string &path) {
  std::string extension = extensionOf(path);
  return extension == ".csv" || extension == ".tsv" || extension == ".json" || extension == ".graphml";
}

std::optional<Web> readWeb(const SourceManager &sources, FileId file, Diagnostics &diagnostics) {
  std::string extension = extensionOf(std::string(sources.name(file)));
  if (extension == ".json")
    return readNodeLink(sources, file, diagnostics);
  if (extension == ".graphml")
    return readGraphML(sources, file, diagnostics);
  return readEdgeList(sources, file, extension == ".tsv" ? '\t' : ',', diagnostics);
}

} // namespace attnc
