// Any bytes are read as a web in each form, or refused in words; a web that is read comes back from every form it is
// written in, and its parts are webs.
#include "attnc/web/Parts.h"
#include "attnc/web/WebArrays.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <tuple>

using namespace attnc;

static void require(bool holds, const char *law, const std::string &details = "") {
  if (holds)
    return;
  std::fprintf(stderr, "broken: %s\n%s\n", law, details.c_str());
  std::abort();
}

/// By name, for an edge list keeps no node's place.
static auto linksOf(const Web &web) {
  std::vector<std::tuple<std::string, std::string, double, std::string>> links;
  for (const Web::Link &link : web.links)
    links.emplace_back(web.nodes[link.source].name, web.nodes[link.target].name, link.weight, link.type);
  return links;
}

static void isWeb(const Web &web) {
  for (const Web::Node &node : web.nodes) {
    require(std::isfinite(node.multiplicity) && node.multiplicity >= 0, "multiplicities are finite");
    for (const auto &[name, value] : node.metadata)
      if (auto *number = std::get_if<double>(&value))
        require(std::isfinite(*number), "metadata are finite", name);
  }
  for (const Web::Link &link : web.links) {
    require(link.source < web.nodes.size() && link.target < web.nodes.size(), "links are of nodes");
    require(std::isfinite(link.weight) && link.weight >= 0, "weights are finite");
  }
}

static void same(const Web &web, const Web &again, const char *law) {
  require(web.nodes.size() == again.nodes.size(), law);
  for (Web::Id id = 0; id < web.nodes.size(); ++id) {
    const Web::Node &one = web.nodes[id], &other = again.nodes[id];
    require(one.name == other.name && one.multiplicity == other.multiplicity && one.metadata == other.metadata, law,
            one.name);
  }
  require(linksOf(web) == linksOf(again), law);
}

static void parts(const Web &web) {
  if (web.nodes.empty())
    return;
  std::vector<Web::Id> all(web.nodes.size()), some;
  for (Web::Id id = 0; id < all.size(); ++id) {
    all[id] = id;
    if (id % 2 == 0)
      some.push_back(id);
  }
  same(web, kept(web, all), "all nodes kept are the web");
  Web::Id last = web.nodes.size() - 1;
  std::vector<Web::Id> near = around(web, 0, 2);
  require(!near.empty() && near.front() == 0, "a node is around itself");
  isWeb(kept(web, near));
  Web one = merged(web, some);
  isWeb(one);
  require(one.nodes.size() == web.nodes.size() - some.size() + 1, "merged nodes are one");
  Path path = bestPath(web, 0, last);
  require(path.nodes.empty() || (path.nodes.front() == 0 && path.nodes.back() == last && path.weight <= 1),
          "a path goes from its source to its target");
}

static void written(const Web &web, Diagnostics &diagnostics, SourceManager &sources) {
  std::string text = nodeLinkText(web);
  auto again = readWeb(sources, sources.add("again.json", text), diagnostics);
  require(again.has_value(), "what is written as JSON reads", text + diagnostics.render());
  same(web, *again, "JSON keeps the web");
  Diagnostics unwritable(sources);
  auto xml = graphMLText(web, "again.graphml", unwritable);
  require(xml.has_value() != unwritable.hasErrors(), "GraphML is written, or refused in words");
  if (xml) {
    auto back = readWeb(sources, sources.add("again.graphml", *xml), diagnostics);
    require(back.has_value(), "GraphML that is written reads", *xml + diagnostics.render());
    same(web, *back, "GraphML keeps the web");
  }
  for (const char *name : {"again.csv", "again.tsv"}) {
    Diagnostics refused(sources);
    auto list = edgeListText(web, name[6] == 't' ? '\t' : ',', name, refused);
    require(list.has_value() != refused.hasErrors(), "an edge list is written, or refused in words");
    if (!list)
      continue;
    auto back = readWeb(sources, sources.add(name, *list), diagnostics);
    require(back.has_value(), "an edge list that is written reads", *list + diagnostics.render());
    require(linksOf(web) == linksOf(*back), "an edge list keeps the links", *list);
  }
  auto shared = std::make_shared<const Web>(web);
  ArrayFile file = arraysOf(shared);
  for (const std::string &key : file.keys()) {
    auto array = file.read(key, 1 << 22);
    require(array.has_value() || !array.error().empty(), "arrays are made, or refused in words");
  }
  auto lists = listsOf(shared);
  require(lists.has_value(), "a small web has its lists");
  std::vector<std::string> names;
  for (const Web::Node &node : web.nodes)
    names.push_back(node.name);
  auto back = webOf(file, names, diagnostics);
  require(back.has_value(), "arrays of a web are a web", back ? "" : back.error());
  require(back->links.size() == web.links.size() && back->nodes.size() == web.nodes.size(), "arrays keep the links");
}

/// The links name no node that is far off: of a web as large as that nothing is learned.
static bool isSmall(const ArrayFile &arrays) {
  for (const char *key : {"source", "target"})
    if (auto array = arrays.read(key, 1 << 20); array && arrays.has(key))
      if (auto ends = array->converted(DType::I64);
          ends && std::ranges::any_of(ends->as<std::int64_t>(), [](auto end) { return end > 5000 && end < mostNodes; }))
        return false;
  return true;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char *>(data), size);
  for (const char *name : {"x.csv", "x.tsv", "x.json", "x.graphml", "x.npz"}) {
    SourceManager sources;
    Diagnostics diagnostics(sources);
    std::optional<Web> web;
    if (isWebFile(name)) {
      web = readWeb(sources, sources.add(name, bytes), diagnostics);
      require(web.has_value() != diagnostics.hasErrors(), "a web is read, or refused in words");
    } else if (auto arrays = ArrayFile::of(Bytes::of(bytes), name); arrays && isSmall(*arrays)) {
      auto made = webOf(*arrays, {}, diagnostics);
      require(made || !made.error().empty(), "arrays are a web, or refused in words");
      if (made)
        web = std::move(*made);
    }
    diagnostics.render();
    if (!web)
      continue;
    isWeb(*web);
    parts(*web);
    written(*web, diagnostics, sources);
  }
  return 0;
}
