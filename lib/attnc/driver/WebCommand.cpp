#include "attnc/driver/Commands.h"

#include "attnc/support/File.h"
#include "attnc/web/Parts.h"
#include "attnc/web/WebArrays.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

namespace attnc {

namespace {

std::optional<std::vector<std::string>> labelsIn(const std::string &path, Session &session) {
  if (path.empty())
    return std::vector<std::string>();
  auto text = readFile(path, 1 << 24);
  if (!text) {
    session.diagnostics.report(Diag::CannotRead, {}, path, text.error());
    return std::nullopt;
  }
  std::vector<std::string> names;
  auto json = nlohmann::json::parse(*text, nullptr, false);
  bool ok = json.is_array();
  for (const auto &name : json)
    if (ok &= name.is_string(); ok)
      names.push_back(name.get<std::string>());
  if (!ok)
    session.diagnostics.report(Diag::BadArgument, {}, path, "a JSON list of strings");
  return ok ? std::optional(names) : std::nullopt;
}

std::optional<Web> open(const WebOptions &options, Session &session) {
  if (isWebFile(options.file))
    return session.web(options.file);
  auto names = labelsIn(options.labels, session);
  auto file = ArrayFile::open(options.file);
  if (!file)
    session.diagnostics.report(Diag::BadArrayFile, {}, options.file, file.error());
  if (!names || !file)
    return std::nullopt;
  auto web = webOf(*file, *names, session.diagnostics);
  if (!web)
    session.diagnostics.report(Diag::BadArrayFile, {}, options.file, web.error());
  return web ? std::optional(std::move(*web)) : std::nullopt;
}

/// The web with nodes merged and parts taken out as the options say; nothing, reported, where a node is not there.
std::optional<Web> partOf(Web web, const WebOptions &options, Session &session) {
  for (const std::string &group : options.merge) {
    auto nodes = session.nodes(web, group);
    if (!nodes)
      return std::nullopt;
    web = merged(web, *nodes);
  }
  if (!options.keep.empty()) {
    auto nodes = session.nodes(web, options.keep);
    if (!nodes)
      return std::nullopt;
    web = kept(web, *nodes);
  }
  if (!options.around.empty()) {
    auto node = web.find(options.around, session.diagnostics);
    if (!node)
      return std::nullopt;
    web = kept(web, around(web, *node, options.links));
  }
  return web;
}

std::string counted(std::size_t count, const char *one, const char *many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::set<std::string> columnsOf(const Web &web) {
  std::set<std::string> columns;
  for (const Web::Node &node : web.nodes)
    for (const auto &[name, value] : node.metadata)
      columns.insert(name);
  return columns;
}

void printSummary(const Web &web, const std::string &file, std::ostream &out) {
  out << fmt::format("{}: {}, {}\n", file, counted(web.nodes.size(), "node", "nodes"),
                     counted(web.links.size(), "link", "links"));
  for (const auto &[type, number] : web.typeNumbers())
    out << fmt::format("  type {}: {}\n", number, type);
  if (auto columns = columnsOf(web); !columns.empty())
    out << fmt::format("  metadata: {}\n", fmt::join(columns, ", "));
}

nlohmann::json summaryJson(const Web &web) {
  return {{"nodes", web.nodes.size()},
          {"links", web.links.size()},
          {"types", web.typeNumbers()},
          {"metadata", columnsOf(web)}};
}

bool write(std::shared_ptr<const Web> web, const std::string &path, Session &session) {
  std::string form = formOf(path, "json");
  if (form == "json")
    return session.write(path, nodeLinkText(*web));
  if (form == "csv" || form == "tsv") {
    auto text = edgeListText(*web, form == "tsv" ? '\t' : ',', path, session.diagnostics);
    return text && session.write(path, *text);
  }
  if (form == "graphml") {
    auto text = graphMLText(*web, path, session.diagnostics);
    return text && session.write(path, *text);
  }
  if (form != "npz" && form != "safetensors") {
    session.diagnostics.report(Diag::BadArgument, {}, path,
                               "a name that ends in .csv, .tsv, .json, .graphml, .npz or .safetensors");
    return false;
  }
  auto arrays = listsOf(std::move(web));
  auto written = !arrays         ? tl::expected<void, std::string>(tl::unexpected<std::string>("there is no memory"))
                 : form == "npz" ? writeNpz(path, *arrays)
                                 : writeSafetensors(path, *arrays);
  if (!written)
    session.diagnostics.report(Diag::CannotWrite, {}, path, written.error());
  return written.has_value();
}

void webCommand(const WebOptions &options, Session &session, nlohmann::json &result) {
  auto whole = open(options, session);
  auto part = whole ? partOf(std::move(*whole), options, session) : std::nullopt;
  if (!part)
    return;
  auto web = std::make_shared<const Web>(std::move(*part));
  result["web"] = summaryJson(*web);
  if (!options.output.empty())
    write(web, options.output, session);
  if (options.path.size() == 2) {
    auto from = web->find(options.path[0], session.diagnostics), to = web->find(options.path[1], session.diagnostics);
    if (!from || !to)
      return;
    Path path = bestPath(*web, *from, *to);
    if (path.nodes.empty())
      session.diagnostics.report(Diag::NoPath, {}, options.path[0], options.path[1]);
    std::vector<std::string> names;
    for (Web::Id id : path.nodes)
      names.push_back(web->nodes[id].name);
    result["path"] = {{"nodes", names}, {"weight", path.weight}};
    if (!names.empty() && !session.console.json)
      session.beside({options.output}) << fmt::format("{}: {}\n", fmt::join(names, " → "), path.weight);
  } else if (options.output.empty() && !session.console.json) {
    printSummary(*web, options.file, session.console.out);
  }
}

} // namespace

int webCommand(const WebOptions &options, Console console) {
  Session session(console);
  nlohmann::json result = {{"web", nullptr}};
  webCommand(options, session, result);
  if (console.json)
    session.tell(std::move(result), options.output);
  return session.finish();
}

} // namespace attnc
