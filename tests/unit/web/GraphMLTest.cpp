// GraphML: what tools write, what it means, what comes back, and what is wrong with it.

#include "Make.h"

#include <catch2/catch.hpp>
#include <random>

using namespace attnc;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace {

std::string graph(const std::string &keys, const std::string &inside, const std::string &edges = "directed") {
  return "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n" + keys + "<graph edgedefault=\"" + edges +
         "\">\n" + inside + "</graph></graphml>";
}

std::string written(const Web &web) {
  SourceManager sources;
  Diagnostics diagnostics(sources);
  auto text = graphMLText(web, "web.graphml", diagnostics);
  return text ? *text : diagnostics.render();
}

} // namespace

TEST_CASE("GraphML as networkx writes it: keys, metadata of all types, links both ways") {
  Read read("web.graphml", R"(<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
  <key id="d4" for="edge" attr.name="type" attr.type="string" />
  <key id="d3" for="edge" attr.name="weight" attr.type="double" />
  <key id="d2" for="node" attr.name="noun" attr.type="boolean" />
  <key id="d1" for="node" attr.name="word" attr.type="string" />
  <key id="d0" for="node" attr.name="m" attr.type="long" />
  <graph edgedefault="undirected">
    <node id="cat"><data key="d0">2</data><data key="d1">the &lt;cat&gt;
 &amp; co</data><data key="d2">True</data></node>
    <node id="sat" />
    <edge source="cat" target="sat"><data key="d3">0.5</data><data key="d4">subject</data></edge>
    <edge source="sat" target="sat" />
  </graph>
</graphml>
)");
  INFO(read.said());
  REQUIRE(read.web);
  CHECK(namesOf(*read.web) == Names{"cat", "sat"});
  CHECK(read.web->nodes[0].multiplicity == 2);
  CHECK(read.web->nodes[0].metadata ==
        std::map<std::string, Web::Metadatum>{{"noun", 1.0}, {"word", std::string("the <cat>\n & co")}});
  REQUIRE(read.web->links.size() == 3); // both ways, and the loop once
  CHECK((read.web->links[1].source == 1 && read.web->links[1].weight == 0.5 && read.web->links[1].type == "subject"));
  CHECK(read.web->links[2].weight == 1);
}

TEST_CASE("metadata have the types of their keys, defaults are of elements that say nothing") {
  Read read("web.graphml",
            graph(R"(<key id="a" for="node" attr.name="f" attr.type="float"><default> +1.5 </default></key>
<key id="b" for="node" attr.name="noun" attr.type="boolean"><desc>of which kind</desc></key>
<key id="c" for="all" attr.name="word"/><key id="m" for="node" attr.name="m" attr.type="int"/>
<key id="w" for="edge" attr.name="weight" attr.type="double"><default>3</default></key>
<key id="t" for="edge" attr.name="type" attr.type="int"/>
<key id="y" for="node" yfiles.type="nodegraphics"/>
)",
                  R"(<desc>a graph</desc><data key="none"/>
<edge source="cat" target="&#x73;at" directed="false"><data key="w">1e-3</data><data key="t">7</data></edge>
<node id="cat"><data key="m">2</data><data key="b">1</data><data key="c"> a &amp;
b</data><port name="p"/>
<data key="y"><y:ShapeNode xmlns:y="http://www.yworks.com/xml/graphml"><y:Label>no</y:Label></y:ShapeNode></data></node>
<node id="sat"><data key="a">2</data><data key="b">false</data></node>
<edge source="sat" target="sat" sourceport="p"/>
)"));
  INFO(read.said());
  REQUIRE(read.web);
  CHECK(namesOf(*read.web) == Names{"cat", "sat"});
  const Web::Node &cat = read.web->nodes[0], &sat = read.web->nodes[1];
  CHECK(cat.multiplicity == 2);
  CHECK(cat.metadata ==
        std::map<std::string, Web::Metadatum>{{"f", 1.5}, {"noun", 1.0}, {"word", std::string(" a &\nb")}});
  CHECK(sat.metadata == std::map<std::string, Web::Metadatum>{{"f", 2.0}, {"noun", 0.0}});
  REQUIRE(read.web->links.size() == 3);
  CHECK((read.web->links[1].source == 1 && read.web->links[1].target == 0));
  CHECK((read.web->links[0].weight == 1e-3 && read.web->links[1].weight == 1e-3 && read.web->links[2].weight == 3));
  CHECK(read.web->typeNumbers() == std::map<std::string, std::int64_t>{{"7", 7}});
}

TEST_CASE("a file without a namespace, with a prefix, with another encoding, and with no nodes") {
  const char *inside = "<graph edgedefault=\"directed\"><node id=\"a\"/></graph>";
  CHECK(Read("w.graphml", std::string("<graphml>") + inside + "</graphml>").web);
  CHECK(Read("w.graphml", "<g:graphml xmlns:g=\"http://graphml.graphdrawing.org/xmlns\"><g:graph "
                          "edgedefault=\"directed\"/></g:graphml>")
            .web->nodes.empty());
  Read latin("w.graphml", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><graphml><graph "
                          "edgedefault=\"directed\"><node id=\"caf\xE9\"/></graph></graphml>");
  REQUIRE(latin.web);
  CHECK(namesOf(*latin.web) == Names{"café"});
}

TEST_CASE("what is wrong with GraphML is said at its place, all of it") {
  Read read("w.graphml", graph(R"(<key id="w" for="edge" attr.name="weight" attr.type="double"/>
<key id="w" for="node" attr.name="x"/><key id="f" for="node" attr.name="f" attr.type="int"><default>x</default></key>
<key for="node"/><key id="k" for="node" attr.name="k" attr.type="colour"/>
<key id="v_id" for="node" attr.name="id"/>
)",
                               R"(<node id="cat"/><node id="cat"/><node/>
<node id="mat"><data key="f">1</data><data key="f">2</data><data key="g">1</data><data key="w">1</data></node>
<node id="far"><data key="f">inf</data><graph edgedefault="directed"/></node>
<edge source="cat" target="matt"/><edge source="cat"/>
<edge source="cat" target="mat"><data key="w">-1</data></edge>
<edge source="cat" target="mat"><data key="w">much</data></edge>
<edge source="mat" target="far"/><edge source="mat" target="far" directed="yes"/>
<hyperedge/>
)"));
  CHECK_FALSE(read.web);
  for (const char *line : {
           "w.graphml:3:1: error: this is no web of tokens: there are two keys 'w'",
           "w.graphml:2:1: note: the first is here",
           "w.graphml:3:39: error: this is no web of tokens: the default 'x' is not of this type",
           "w.graphml:4:1: error: this is no web of tokens: this has no 'id'",
           "w.graphml:4:18: error: this is no web of tokens: 'colour' is no type of a key",
           "w.graphml:5:1: error: this is no web of tokens: what is called 'id' of nodes is what names them",
           "in igraph: g.vs['word'] = g.vs['id']",
           "w.graphml:7:17: error: there are two nodes called 'cat'",
           "w.graphml:7:33: error: this is no web of tokens: this has no 'id'",
           "w.graphml:8:38: error: this is no web of tokens: this node has 'f' twice",
           "w.graphml:8:60: error: this is no web of tokens: 'g' is no key that stands before the graph",
           "w.graphml:8:82: error: this is no web of tokens: the key 'w' is for 'edge', and this is of a node",
           "w.graphml:9:16: error: this is no web of tokens: 'inf' is not of the type of 'f'",
           "w.graphml:9:40: error: this is no web of tokens: a node of a web has no graph inside",
           "w.graphml:10:1: error: the target of this link, 'matt', is not among the nodes",
           "did you mean 'mat'?",
           "w.graphml:10:35: error: this is no web of tokens: this has no 'target'",
           "w.graphml:11:33: error: the weight -1 is negative",
           "w.graphml:12:33: error: the weight much is not a number",
           "w.graphml:12:1: error: 'cat' is linked to 'mat' twice",
           "w.graphml:13:34: error: this is no web of tokens: its 'directed' is 'yes'",
           "w.graphml:13:34: error: 'mat' is linked to 'far' twice",
           "w.graphml:14:1: error: this is no web of tokens: a link has two ends, and this is a hyperedge",
       })
    CHECK_THAT(read.said(), Contains(line));
}

TEST_CASE("what is no GraphML is refused in words: BadWebFile") {
  auto said = [](const std::string &text) { return Read("w.graphml", text).said(); };
  CHECK_THAT(said(""), Contains("no element found"));
  CHECK_THAT(said("<graphml>\n<graph edgedefault=\"directed\">\n<node id=\"a\">"),
             Contains("w.graphml:3:") && Contains("no element found"));
  CHECK_THAT(said("<graphml>\n <graph>\n </graphml>"), Contains("w.graphml:3:") && Contains("mismatched tag"));
  CHECK_THAT(said("<graphml>\n <graph edgedefault=\"directed\"><node id=\"a\xFF\"/></graph></graphml>"),
             Contains("w.graphml:2:") && Contains("not well-formed"));
  CHECK_THAT(said("<svg/>"), Contains("its outermost element is not 'graphml'"));
  CHECK_THAT(said("<graphml/>"), Contains("it has no graph"));
  CHECK_THAT(said("<graphml><graph/></graphml>"), Contains("this has no 'edgedefault'"));
  CHECK_THAT(said("<graphml><graph edgedefault=\"both\"/></graphml>"), Contains("its 'edgedefault' is 'both'"));
  CHECK_THAT(said("<graphml><graph edgedefault=\"directed\"/>\n<graph edgedefault=\"directed\"/></graphml>"),
             Contains("w.graphml:2:1: error") && Contains("more than one graph"));
  CHECK_THAT(said(graph("", "<node id=\"&other;\"/>")), Contains("undefined entity"));
}

TEST_CASE("no entity grows and no other file is read") {
  std::string bomb = "<!DOCTYPE graphml [<!ENTITY a0 \"aaaaaaaaaa\">";
  for (int i = 1; i < 12; ++i)
    bomb += fmt::format("<!ENTITY a{} \"&a{};&a{};&a{};&a{};&a{};\">", i, i - 1, i - 1, i - 1, i - 1, i - 1);
  CHECK_THAT(Read("w.graphml", bomb + "]>\n" + graph("", "<node id=\"&a11;\"/>")).said(),
             Contains("w.graphml:1:19: error: this is no web of tokens: it has a document type, which is not read"));
  CHECK_THAT(Read("w.graphml",
                  "<!DOCTYPE g [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n" + graph("", "<node id=\"a\">&x;</node>"))
                 .said(),
             Contains("it has a document type"));
  std::string deep, shut;
  for (int i = 0; i < 100'000; ++i) {
    deep += "<x>";
    shut += "</x>";
  }
  CHECK(Read("w.graphml", graph("", "<node id=\"a\">" + deep + shut + "</node>")).web);
}

TEST_CASE("any web comes back from GraphML as it was") {
  std::mt19937 random(11);
  const char *pieces[] = {"a", "<b>", "&amp;", "\"", "'", " ", "\t", "\n", "\r", "é", "漢", "]]>", "1", "\U0001F408"};
  auto text = [&](std::size_t least) {
    std::string result;
    for (std::size_t i = 0, count = least + random() % 4; i < count; ++i)
      result += pieces[random() % std::size(pieces)];
    return result;
  };
  auto number = [&] { return std::ldexp(double(random()), int(random() % 80) - 60); };
  for (int round = 0; round < 100; ++round) {
    Web web;
    std::size_t count = random() % 6;
    for (std::size_t i = 0; i < count; ++i) {
      web.nodes.push_back({text(1) + std::to_string(i), random() % 2 ? 1 : number()});
      for (const char *name : {"f", "", "the <word>", "g"})
        if (random() % 2)
          web.nodes.back().metadata[name] = random() % 2 ? Web::Metadatum(-number()) : Web::Metadatum(text(0));
    }
    for (Web::Id i = 0; i < count; ++i)
      for (Web::Id j = 0; j < count; ++j)
        if (random() % 3 == 0)
          web.links.push_back({i, j, random() % 3 ? number() : 0, random() % 2 ? "" : text(1)});
    std::string once = written(web);
    Read read("web.graphml", once);
    INFO(once << read.said());
    REQUIRE(read.web);
    REQUIRE(namesOf(*read.web) == namesOf(web));
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(read.web->nodes[i].multiplicity == web.nodes[i].multiplicity);
      CHECK(read.web->nodes[i].metadata == web.nodes[i].metadata);
    }
    REQUIRE(read.web->links.size() == web.links.size());
    for (std::size_t i = 0; i < web.links.size(); ++i) {
      const Web::Link &one = web.links[i], &other = read.web->links[i];
      CHECK(std::tuple(one.source, one.target, one.weight, one.type) ==
            std::tuple(other.source, other.target, other.weight, other.type));
    }
    CHECK(written(*read.web) == once);
  }
}

TEST_CASE("characters that XML does not have are refused: WebTooRich") {
  for (const char *name : {"\x01", "a\xFF", "\xEF\xBF\xBF"}) {
    Web web;
    web.nodes.push_back({name});
    CHECK_THAT(written(web), Contains("'web.graphml' cannot hold") && Contains("XML has no such character"));
  }
}
