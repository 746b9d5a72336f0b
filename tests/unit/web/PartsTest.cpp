// Parts of webs, merged nodes and best paths, held against all paths walked one by one.

#include "attnc/web/Parts.h"
#include "Make.h"

#include <catch2/catch.hpp>
#include <functional>
#include <random>

using namespace attnc;
using Names = std::vector<std::string>;

TEST_CASE("a part has the nodes that are named, in their order, and the links among them") {
  Web web = csv("a,b,1,\nb,c,2,x\nc,a,3,\n");
  Web part = kept(web, {2, 1, 2});
  CHECK(namesOf(part) == Names{"c", "b"});
  REQUIRE(part.links.size() == 1);
  CHECK(part.links[0].source == 1);
  CHECK(part.links[0].type == "x");
  CHECK(kept(web, {}).links.empty());
}

TEST_CASE("around a node is what links of some weight lead to, nearest first") {
  Web web = csv("a,c,1,\nc,b,1,\na,d,0,\nd,e,1,\nb,a,1,\n");
  auto named = [&](unsigned links) { return namesOf(kept(web, around(web, 0, links))); };
  CHECK(named(0) == Names{"a"});
  CHECK(named(1) == Names{"a", "c"});
  CHECK(named(9) == Names{"a", "c", "b"});
}

TEST_CASE("merged nodes add multiplicities and weights, and their numbers become means") {
  Read read("web.json",
            R"({"nodes": [{"id": "a", "f": 1, "t": "x"}, {"id": "b"}, {"id": "c", "m": 3, "f": 5, "t": "y"}],
    "edges": [{"source": "a", "target": "b", "weight": 1}, {"source": "c", "target": "b", "weight": 2, "type": "z"},
              {"source": "a", "target": "c", "weight": 0.5}]})");
  Web one = merged(*read.web, {2, 0});
  CHECK(namesOf(one) == Names{"b", "c"});
  CHECK(one.nodes[1].multiplicity == 4);
  CHECK(one.nodes[1].metadata.at("f") == Web::Metadatum(4.0));
  CHECK(one.nodes[1].metadata.at("t") == Web::Metadatum("y"));
  REQUIRE(one.links.size() == 2);
  CHECK(one.links[0].weight == 3);
  CHECK(one.links[0].type == "z");
  CHECK((one.links[1].source == 1 && one.links[1].target == 1));
}

TEST_CASE("sums of what is merged stay numbers") {
  Read read("web.json",
            R"({"nodes": [{"id": "a", "f": 1.5e308, "m": 1e308}, {"id": "b", "f": 1.7e308, "m": 1e308}, {"id": "c"}],
    "edges": [{"source": "a", "target": "c", "weight": 1.7e308}, {"source": "b", "target": "c", "weight": 1.7e308}]})");
  Web one = merged(*read.web, {0, 1});
  CHECK(one.nodes[0].multiplicity == std::numeric_limits<double>::max());
  CHECK(std::get<double>(one.nodes[0].metadata.at("f")) == Approx(1.6e308));
  CHECK(one.links[0].weight == std::numeric_limits<double>::max());
}

TEST_CASE("the best path is the best of all") {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    Web web;
    for (int i = 0; i < 5; ++i)
      web.nodes.push_back({std::to_string(i)});
    for (Web::Id i = 0; i < 5; ++i)
      for (Web::Id j = 0; j < 5; ++j)
        if (random() % 3 == 0)
          web.links.push_back({i, j, double(random() % 12) / 8});
    double best = 0;
    std::vector<bool> seen(5);
    std::function<void(Web::Id, double)> walk = [&](Web::Id at, double weight) {
      if (at == 4)
        best = std::max(best, weight);
      seen[at] = true;
      for (const Web::Link &link : web.links)
        if (link.source == at && !seen[link.target] && link.weight > 0)
          walk(link.target, weight * std::min(link.weight, 1.0));
      seen[at] = false;
    };
    walk(0, 1);
    Path path = bestPath(web, 0, 4);
    CHECK(path.weight == Approx(best));
    CHECK(path.nodes.empty() == (best == 0));
    if (!path.nodes.empty())
      CHECK((path.nodes.front() == 0 && path.nodes.back() == 4));
  }
  Web chain;
  for (Web::Id i = 0; i < 50'000; ++i)
    chain.nodes.push_back({std::to_string(i)});
  for (Web::Id i = 0; i + 1 < 50'000; ++i)
    chain.links.push_back({i, i + 1, 2});
  CHECK(bestPath(chain, 0, 49'999).nodes.size() == 50'000);
  Web alone;
  alone.nodes.push_back({"a"});
  CHECK(bestPath(alone, 0, 0).nodes == std::vector<Web::Id>{0});
  CHECK(bestPath(alone, 0, 0).weight == 1);
}
