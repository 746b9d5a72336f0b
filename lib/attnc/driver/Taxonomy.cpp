#include "attnc/driver/Commands.h"
#include "attnc/driver/Meter.h"
#include "attnc/driver/TaxonomyPage.h"
#include "attnc/driver/Theories.h"

#include "attnc/cost/Cost.h"
#include "attnc/decompile/Decompile.h"
#include "attnc/prove/Grow.h"
#include "attnc/render/GraphPicture.h"
#include "attnc/render/Render.h"
#include "attnc/render/Writers.h"
#include "attnc/support/File.h"
#include "attnc/syntax/Printer.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

namespace attnc {

/// Every diagram of the files of the taxonomy's folder; a name that several files have is that of the first.
static std::vector<Known> loadLibrary(Session &session) {
  std::vector<Known> library;
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(taxonomyFolder(), ignored))
    if (entry.path().extension() == ".attn")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto &file : files)
    if (auto module = session.load(file.string()))
      for (const auto &definition : module->definitions)
        library.push_back({definition->name, file.filename().string(), definition});
  return library;
}

namespace {

/// The part of a growth that is shown, as JSON: {taxonomies, reached, ended, nodes, edges}; docs/theories.md says what
/// the fields are.
class Description {
public:
  Description(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies, const Growth &growth,
              const std::vector<Known> &library, bool everything)
      : taxonomies(taxonomies), growth(growth), library(library), shown(growth.nodes.size(), everything) {
    for (std::size_t i = 0; i < growth.nodes.size(); ++i)
      if (!growth.nodes[i].known.empty() || !growth.nodes[i].parent)
        for (std::optional<std::size_t> at = i; at && !shown[*at]; at = growth.nodes[*at].parent)
          shown[*at] = true;
  }

  nlohmann::json json() const {
    nlohmann::json nodes = nlohmann::json::array(), edges = nlohmann::json::array();
    for (std::size_t i = 0; i < growth.nodes.size(); ++i)
      if (shown[i])
        nodes.push_back(node(i));
    for (const Growth::Edge &edge : growth.edges)
      if (shown[edge.from] && shown[edge.to])
        edges.push_back(
            {{"from", edge.from},
             {"to", edge.to},
             {"rule", edge.move.rule->name},
             {"kind", claim(*edge.move.rule, edge.move.reversed)},
             {"reversed", edge.move.reversed},
             {"first", growth.nodes[edge.to].parent == edge.from && growth.nodes[edge.to].move.rule == edge.move.rule &&
                           growth.nodes[edge.to].move.reversed == edge.move.reversed},
             {"cite", citation(edge.move.rule->doc)}});
    nlohmann::json parts = nlohmann::json::array();
    for (const auto &one : taxonomies)
      parts.push_back(
          {{"name", one->name}, {"doc", one->doc}, {"root", one->root->name}, {"theory", one->theory->name}});
    return {{"taxonomies", parts},
            {"reached", growth.nodes.size()},
            {"ended", growth.ended},
            {"nodes", nodes},
            {"edges", edges}};
  }

private:
  nlohmann::json node(std::size_t i) const {
    const Growth::Node &node = growth.nodes[i];
    nlohmann::json result = {
        {"id", i}, {"taxonomy", node.taxonomy}, {"depth", node.depth}, {"signature", node.definition.signature()}};
    nlohmann::json names = nlohmann::json::array();
    for (std::size_t known : node.known)
      names.push_back({{"name", library[known].name},
                       {"file", library[known].file},
                       {"doc", library[known].definition->doc},
                       {"cite", citation(library[known].definition->doc)}});
    result["known"] = names;
    result["roots"] = nlohmann::json::array();
    for (std::size_t k = 0; k < growth.roots.size(); ++k)
      if (growth.roots[k] == i)
        result["roots"].push_back(taxonomies[k]->root->name);
    Definition named = node.definition;
    named.name = node.known.empty() ? "attention" : library[node.known[0]].name;
    if (auto declaration = toNamed(named, preludeDefinition)) {
      declaration->doc.clear();
      result["program"] = print(*declaration);
    }
    if (auto picture = render::layout(named))
      result["picture"] = render::toSvg(*picture);
    if (auto cost = costOf(named))
      for (const Measure &measure : measures)
        result["cost"][measure.name] = ((*cost).*measure.field).str();
    nlohmann::json steps = nlohmann::json::array();
    for (const Move &move : growth.derivation(i))
      steps.push_back({{"rule", move.rule->name},
                       {"kind", claim(*move.rule, move.reversed)},
                       {"reversed", move.reversed},
                       {"match", move.match}});
    result["derivation"] = steps;
    std::vector<std::size_t> path{i};
    while (growth.nodes[path.back()].parent)
      path.push_back(*growth.nodes[path.back()].parent);
    result["path"] = std::vector<std::size_t>(path.rbegin(), path.rend());
    return result;
  }

  const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies;
  const Growth &growth;
  const std::vector<Known> &library;
  std::vector<bool> shown;
};

} // namespace

/// The graph for Graphviz: named nodes with their names, others small; an edge each rule by which a node is first
/// reached, its kind as a style.
static std::string dotOf(const nlohmann::json &description) {
  std::string text =
      "digraph taxonomy {\n  rankdir=LR; nodesep=0.06; ranksep=0.25;\n"
      "  node [fontname=\"DejaVu Sans\", fontsize=11, shape=box, height=0.28, margin=\"0.1,0.04\", "
      "style=\"rounded,filled\", "
      "fillcolor=\"#fdf6e3\", color=\"#586e75\"];\n"
      "  edge [fontname=\"DejaVu Sans\", fontsize=8, arrowsize=0.6, color=\"#586e75\", fontcolor=\"#586e75\"];\n";
  for (const auto &node : description["nodes"]) {
    if (node["known"].empty()) {
      text += fmt::format("  n{0} [id=\"n{0}\", label=\"\", shape=circle, width=0.125, height=0.125, fixedsize=true, "
                          "fillcolor=\"#93a1a1\"];\n",
                          node["id"].get<std::size_t>());
      continue;
    }
    text += fmt::format("  n{0} [id=\"n{0}\", label=\"{1}\", tooltip=\"{2}\"];\n", node["id"].get<std::size_t>(),
                        node["known"][0]["name"].get<std::string>(), node["known"][0]["cite"].get<std::string>());
  }
  for (const auto &edge : description["edges"]) {
    if (!edge["first"].get<bool>())
      continue;
    std::string kind = edge["kind"];
    text += fmt::format("  n{} -> n{} [label=\"{}\"{}];\n", edge["from"].get<std::size_t>(),
                        edge["to"].get<std::size_t>(), edge["rule"].get<std::string>(),
                        kind == "specialise"   ? ""
                        : kind == "generalise" ? ", style=dotted"
                        : kind == "express"    ? ", style=dashed"
                                               : ", dir=none, style=bold");
  }
  return text + "}\n";
}

int taxonomy(const TaxonomyOptions &options, Console console) {
  Session session(console);
  std::string file = options.file.empty() ? (taxonomyFolder() / "rules" / "taxonomy.attn").string() : options.file;
  auto module = session.load(file);
  if (!module || session.diagnostics.hasErrors())
    return session.finish();
  if (module->taxonomies.empty()) {
    session.diagnostics.report(Diag::NothingFound, {}, fmt::format("'{}' holds no taxonomy", file));
    return session.finish();
  }
  std::vector<std::shared_ptr<const Taxonomy>> taxonomies;
  std::size_t rules = 0;
  for (const auto &one : module->taxonomies) {
    auto copy = std::make_shared<Taxonomy>(*one);
    if (options.depth > 0)
      copy->depth = static_cast<std::int64_t>(options.depth);
    rules += copy->theory->rules.size();
    taxonomies.push_back(std::move(copy));
  }
  constexpr std::array forms{"svg", "pdf", "png", "dot", "json", "html"};
  for (const std::string &output : options.outputs) // what cannot be written is not grown
    if (std::ranges::find(forms, formOf(output, "json")) == forms.end())
      session.diagnostics.report(Diag::UnknownPictureForm, {}, output).help("svg, pdf, png, dot, json or html");
  std::vector<Known> library = loadLibrary(session);
  if (session.diagnostics.hasErrors())
    return session.finish();
  GrowOptions growing{8, options.maxNodes, options.threads, options.state, {}};
  Growth growth;
  {
    Meter meter(console);
    growing.progress = [&](const GrowProgress &progress) {
      meter.show(progress.nodes, progress.done, progress.known, progress.elapsed.count(), "rewritten");
    };
    auto grown = grow(taxonomies, library, growing);
    if (!grown) {
      session.diagnostics.report(Diag::EnumerationStopped, {}, file, grown.error());
      return session.finish();
    }
    growth = std::move(*grown);
  }
  std::size_t named = 0;
  for (const Growth::Node &node : growth.nodes)
    named += !node.known.empty();
  nlohmann::json description = Description(taxonomies, growth, library, options.everything).json();
  for (const std::string &output : options.outputs) {
    std::string form = formOf(output, "json");
    tl::expected<std::string, std::string> bytes = tl::unexpected<std::string>("");
    if (form == "json")
      bytes = description.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    else if (form == "html")
      bytes = render::drawGraph(dotOf(description), "svg").map([&](const std::string &picture) {
        return taxonomyPage(description, picture);
      });
    else if (form == "dot")
      bytes = dotOf(description);
    else
      bytes = render::drawGraph(dotOf(description), form);
    if (!bytes)
      session.diagnostics.report(Diag::CannotDraw, {}, output, bytes.error());
    else
      session.write(output, *bytes);
  }
  for (const auto &one : taxonomies)
    if (options.outputs.empty() && !one->doc.empty())
      console.out << fmt::format("{}: {}\n", one->name, prose(one->doc));
  if (options.outputs.empty())
    for (const Growth::Node &node : growth.nodes)
      for (std::size_t known : node.known)
        console.out << fmt::format("{:2}  {:28} {}\n", node.depth, library[known].name,
                                   citation(library[known].definition->doc));
  std::set<std::string> files;
  for (const Known &known : library)
    files.insert(known.file);
  session.beside(options.outputs) << fmt::format(
      "{} diagrams by {} rules from {} roots, {} of them known, of {} files{}{}\n", growth.nodes.size(), rules,
      taxonomies.size(), named, files.size(), growth.ended.empty() ? "" : "; ", growth.ended);
  return session.finish();
}

} // namespace attnc
