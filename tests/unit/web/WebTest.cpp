// Files of webs: what they mean, what they come back as, and what is wrong with them.

#include "Make.h"
#include "attnc/arrays/Npz.h"
#include "attnc/web/WebArrays.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace attnc;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace {

constexpr const char *list = "source,target,weight,type\n"
                             "cat,sat,0.5,subject\n"
                             "sat,mat,2,place\n"
                             "\"the, \"\"big\"\"\",mat,1e-3,\n";

template <class T> std::vector<T> numbers(const ArrayFile &file, const char *key) {
  auto array = file.read(key);
  REQUIRE(array);
  auto span = array->template as<T>();
  return {span.begin(), span.end()};
}

void same(const Web &a, const Web &b) {
  REQUIRE(namesOf(a) == namesOf(b));
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    CHECK(a.nodes[i].multiplicity == b.nodes[i].multiplicity);
    CHECK(a.nodes[i].metadata == b.nodes[i].metadata);
  }
  REQUIRE(a.links.size() == b.links.size());
  for (std::size_t i = 0; i < a.links.size(); ++i) {
    CHECK(a.links[i].source == b.links[i].source);
    CHECK(a.links[i].target == b.links[i].target);
    CHECK(a.links[i].weight == b.links[i].weight);
    CHECK(a.links[i].type == b.links[i].type);
  }
}

} // namespace

TEST_CASE("an edge list: names in quotes, weights, types, nodes in order of first sight") {
  Read read("web.csv", list);
  REQUIRE(read.web);
  CHECK(namesOf(*read.web) == Names{"cat", "sat", "mat", "the, \"big\""});
  CHECK(read.web->links[2].weight == 1e-3);
  CHECK(read.web->links[2].type.empty());
  CHECK(read.web->typeNumbers() == std::map<std::string, std::int64_t>{{"place", 0}, {"subject", 1}});
}

TEST_CASE("an edge list without weights, with other columns, blank lines, tabs, a mark and foreign line ends") {
  Read read("web.tsv", "\xEF\xBB\xBFSource\tColour\tTarget\r\na\tred\tb\r\n\r\nb\tblue\tb");
  REQUIRE(read.web);
  CHECK(namesOf(*read.web) == Names{"a", "b"});
  CHECK(read.web->links.size() == 2);
  CHECK(read.web->links[1].weight == 1);
  CHECK(Read("web.csv", "source,target\n").web->nodes.empty());
}

TEST_CASE("what is wrong with an edge list is said at its place, all of it: BadWebFile, BadWeight, DuplicateLink") {
  Read read("web.csv", "source,target,weight\na,b,-1\na,c,x\na,d,1\na,d,2\n,e,1\na,f\na,g,inf\n");
  CHECK_FALSE(read.web);
  CHECK_THAT(read.said(), Contains("web.csv:2:5: error: the weight -1 is negative") &&
                              Contains("web.csv:3:5: error: the weight x is not a number") &&
                              Contains("web.csv:5:1: error: 'a' is linked to 'd' twice") &&
                              Contains("web.csv:4:1: note: the first is here") &&
                              Contains("web.csv:6:1: error: this is no web of tokens: the source of this link") &&
                              Contains("web.csv:7:1: error: this is no web of tokens: 2 fields where") &&
                              Contains("web.csv:8:5: error: the weight inf is not finite"));
  CHECK(read.diagnostics.errorCount() == 6);
  CHECK_THAT(Read("w.csv", "from,to\na,b\n").said(), Contains("w.csv:1:1: error") && Contains("no column 'source'"));
  CHECK_THAT(Read("w.csv", "source,target\na\"b,c\n").said(), Contains("w.csv:2:2: error") && Contains("a quote"));
  CHECK_THAT(Read("w.csv", "").said(), Contains("no column 'source'"));
}

TEST_CASE("node-link JSON: metadata, multiplicities, names that are numbers, links both ways") {
  Read read("web.json",
            R"({"directed": false, "nodes": [{"id": "a", "m": 2, "f": 1.5, "kind": "noun"}, {"id": 7, "f": 2}],
                            "links": [{"source": "a", "target": 7, "weight": 0.5}, {"source": 7, "target": 7, "type": 3}]})");
  REQUIRE(read.web);
  CHECK(namesOf(*read.web) == Names{"a", "7"});
  CHECK(read.web->nodes[0].multiplicity == 2);
  CHECK(read.web->nodes[0].metadata.at("kind") == Web::Metadatum("noun"));
  REQUIRE(read.web->links.size() == 3);
  CHECK(read.web->links[1].source == 1);
  CHECK(read.web->links[1].target == 0);
  CHECK(read.web->typeNumbers() == std::map<std::string, std::int64_t>{{"3", 3}});
}

TEST_CASE("what is wrong with node-link JSON is said at its place: DuplicateNode, DanglingLink") {
  Read read("web.json", R"({"nodes": [{"id": "cat"}, {"id": "mat"},
  {"id": "cat"}, {"m": 1}, {"id": "x", "m": -1}],
"edges": [{"source": "cat", "target": "matt"},
  {"source": "cat", "target": "mat", "weight": -2},
  {"source": "cat", "target": "mat"}, {"source": "cat", "target": "mat"}]})");
  CHECK_FALSE(read.web);
  CHECK_THAT(read.said(),
             Contains("web.json:2:3: error: there are two nodes called 'cat'") &&
                 Contains("web.json:1:12: note: the first is here") && Contains("web.json:2:18: error") &&
                 Contains("no 'id'") && Contains("web.json:2:28: error: the weight -1 is negative") &&
                 Contains("web.json:3:11: error: the target of this link, 'matt', is not among the nodes") &&
                 Contains("did you mean 'mat'?") && Contains("web.json:4:3: error: the weight -2 is negative") &&
                 Contains("web.json:5:39: error: 'cat' is linked to 'mat' twice"));
  CHECK_THAT(Read("w.json", "{\"nodes\": [],\n \"edges\": [}").said(), Contains("w.json:2:12: error"));
  CHECK_THAT(Read("w.json", "[]").said(), Contains("it has no list 'nodes'"));
  CHECK_THAT(Read("w.json", "{\"nodes\": [1], \"edges\": []}").said(), Contains("not all objects"));
}

TEST_CASE("the first hundred links of unknown nodes are told what may be meant") {
  std::string nodes, links;
  for (int i = 0; i < 20'000; ++i) {
    nodes += fmt::format("{}{{\"id\": \"node{}\"}}", i ? "," : "", i);
    links += fmt::format("{}{{\"source\": \"mode{}\", \"target\": \"node0\"}}", i ? "," : "", i);
  }
  Read read("w.json", "{\"nodes\": [" + nodes + "], \"edges\": [" + links + "]}");
  CHECK(read.diagnostics.errorCount() == 20'000);
  std::size_t helped = 0;
  for (const Diagnostic &one : read.diagnostics.all())
    helped += !one.help.empty();
  CHECK(helped == 100);
}

TEST_CASE("names are UTF-8, lists lie in few others, and numbers that are out of reach are numbers") {
  CHECK_THAT(Read("w.csv", "source,target,note\na,b,\xff\nb,\"\xff\xfe\",\n").said(),
             Contains("w.csv:3:3: error: this is no web of tokens: the target of this link is no UTF-8"));
  const std::string deep(500'000, '['), shallow(90, '['), shallowEnd(90, ']');
  CHECK_THAT(
      Read("w.json", "{\"nodes\": [{\"id\": 1, \"x\": " + deep + std::string(deep.size(), ']') + "}], \"edges\": []}")
          .said(),
      Contains("nested too deeply"));
  CHECK(Read("w.json", "{\"nodes\": [{\"id\": 1, \"x\": " + shallow + shallowEnd + "}], \"edges\": []}").web);
  Read large("w.json", R"({"nodes": [{"id": "a", "x": -1e300, "y": 1e15, "z": 7}], "edges": []})");
  REQUIRE(large.web);
  CHECK_THAT(nodeLinkText(*large.web), Contains("-1e+300") && Contains("\"y\": 1e+15") && Contains("\"z\": 7\n"));
}

TEST_CASE("what is written is read back, and what a form cannot hold is refused: WebTooRich") {
  Read read("web.csv", list);
  SourceManager sources;
  Diagnostics diagnostics(sources);
  auto text = edgeListText(*read.web, ',', "web.csv", diagnostics);
  REQUIRE(text);
  same(*Read("web.csv", *text).web, *read.web);
  same(*Read("web.tsv", *edgeListText(*read.web, '\t', "web.tsv", diagnostics)).web, *read.web);
  same(*Read("web.json", nodeLinkText(*read.web)).web, *read.web);
  Read rich("web.json", R"({"nodes": [{"id": "a", "m": 2, "f": 1.5, "t": "x"}, {"id": "b"}], "edges": []})");
  same(*Read("web.json", nodeLinkText(*rich.web)).web, *rich.web);
  CHECK(nlohmann::json::parse(nodeLinkText(*rich.web))["nodes"][0]["m"] == 2);
  CHECK_FALSE(edgeListText(*rich.web, ',', "web.csv", diagnostics));
  CHECK_THAT(diagnostics.render(), Contains("'web.csv' cannot hold the node 'a', which has no link"));
}

TEST_CASE("a web as arrays, and back") {
  Read read(
      "web.json",
      R"({"nodes": [{"id": "a", "f": 1, "g": 0.5}, {"id": "b", "f": 2, "g": 1, "h": 3}, {"id": "c", "f": 3, "g": 1}],
                            "edges": [{"source": "a", "target": "b", "weight": 0.5, "type": "x"}, {"source": "c", "target": "a"}]})");
  REQUIRE(read.web);
  auto web = std::make_shared<const Web>(*read.web);
  ArrayFile file = arraysOf(web);
  CHECK(numbers<double>(file, "w") == std::vector<double>{0, 0.5, 0, 0, 0, 0, 1, 0, 0});
  CHECK(numbers<std::int64_t>(file, "type") == std::vector<std::int64_t>{-1, 0, -1, -1, -1, -1, -1, -1, -1});
  CHECK(numbers<double>(file, "m") == std::vector<double>{1, 1, 1});
  CHECK(numbers<double>(file, "meta") == std::vector<double>{1, 0.5, 2, 1, 3, 1});
  CHECK(numbers<std::int64_t>(file, "node.f") == std::vector<std::int64_t>{1, 2, 3});
  CHECK(numbers<double>(file, "node.g") == std::vector<double>{0.5, 1, 1});
  CHECK_FALSE(file.has("node.h")); // not of every node
  CHECK_FALSE(file.read("w", 8 * 9 - 1));

  SourceManager sources;
  Diagnostics diagnostics(sources);
  auto back = webOf(file, {"a", "b", "c"}, diagnostics);
  REQUIRE(back);
  CHECK(namesOf(*back) == Names{"a", "b", "c"});
  REQUIRE(back->links.size() == 2);
  CHECK(back->links[0].weight == 0.5);
  CHECK(back->links[0].type == "0");
  CHECK(back->links[1].type.empty());
  CHECK_FALSE(webOf(file, {"a", "b"}, diagnostics));
  CHECK_FALSE(webOf(file, {"a", "b", "b"}, diagnostics));
  CHECK_THAT(diagnostics.render(), Contains("there are two nodes called 'b'"));
}

TEST_CASE("arrays that name a node nobody could hold are refused") {
  auto said = [](std::int64_t source, std::int64_t target) {
    NamedArrays arrays;
    for (auto [name, end] : {std::pair("source", source), std::pair("target", target)}) {
      arrays.emplace_back(name, *Array::zeros(DType::I64, {1}));
      arrays.back().second.mutableAs<std::int64_t>()[0] = end;
    }
    SourceManager sources;
    Diagnostics diagnostics(sources);
    auto web = webOf(*ArrayFile::of(Bytes::of(*npzText(arrays))), {}, diagnostics);
    return web ? fmt::format("{} nodes", web->nodes.size()) : web.error();
  };
  CHECK(said(4, 2) == "5 nodes");
  CHECK(said(4, -2) == "the node -2 of a link is negative");
  CHECK(said(4, mostNodes) == "a link is of node 16777216, and there can be at most 16777216");
  CHECK(said(std::numeric_limits<std::int64_t>::max(), 0) ==
        "a link is of node 9223372036854775807, and there can be at most 16777216");
}

TEST_CASE("a node that is not there is told with the nearest: NoSuchNode") {
  Read read("web.csv", list);
  CHECK(read.web->find("mat", read.diagnostics) == 2u);
  CHECK_FALSE(read.web->find("matt", read.diagnostics));
  CHECK_THAT(read.said(), Contains("the web has no node called 'matt'") && Contains("did you mean 'mat'?"));
}
