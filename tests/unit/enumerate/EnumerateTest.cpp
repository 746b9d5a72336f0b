// The enumerator against brute force, and the counts of the anatomy of attention.

#include "Make.h"

#include "attnc/enumerate/Enumerator.h"

#include <catch2/catch.hpp>

using namespace attnc::enumerate;
using make::anatomy;

namespace {

std::vector<Word> all(const Presentation &p, unsigned most) {
  std::vector<Word> words;
  Enumerator enumerator(p, most);
  CHECK(enumerator.walk({}, [&] {
    words.push_back(enumerator.word());
    return true;
  }));
  return words;
}

} // namespace

TEST_CASE("each diagram once, and none left out: brute force finds the same") {
  for (unsigned most = 0; most <= 5; ++most) {
    std::vector<Word> words = all(anatomy(), most);
    std::set<Word> distinct(words.begin(), words.end());
    CHECK(distinct.size() == words.size());
    CHECK(distinct == make::byForce(anatomy(), most));
  }
}

TEST_CASE("the same for presentations at random") {
  std::mt19937 random(7);
  auto below = [&](unsigned bound) { return std::uniform_int_distribution<unsigned>(0, bound - 1)(random); };
  std::size_t met = 0;
  for (int round = 0; round < 60; ++round) {
    Presentation p;
    for (unsigned i = below(3) + 1; i > 0; --i)
      p.sorts.push_back({"S", below(2) == 0});
    for (unsigned i = below(2) + 1; i > 0; --i)
      p.inputs.push_back({"x", below(p.sorts.size()), below(2) == 0});
    for (unsigned i = below(4) + 1; i > 0; --i) {
      Presentation::Operation operation{"f", {}, below(p.sorts.size())};
      for (unsigned j = below(3); j > 0; --j)
        operation.domain.push_back(below(p.sorts.size()));
      p.operations.push_back(operation);
    }
    p.output = below(p.sorts.size());
    std::vector<Word> words = all(p, 3);
    std::set<Word> distinct(words.begin(), words.end());
    CHECK(distinct.size() == words.size());
    CHECK(distinct == make::byForce(p, 3));
    met += words.size();
  }
  CHECK(met > 1000);
}

TEST_CASE("a word is a graph, and back") {
  for (const Word &word : all(anatomy(), 4))
    CHECK(encode(decode(anatomy(), word)) == word);
  Graph graph{{{0, {{true, 0}, {true, 0}}}, {1, {{true, 0}, {false, 0}}}, {2, {{true, 0}, {true, 0}}}}, {false, 1}};
  CHECK(text(anatomy(), encode(graph)) == "read(x, mem(x, x))"); // what the output does not need is left out
  graph = {{{0, {{true, 0}, {true, 0}}}, {1, {{true, 0}, {false, 0}}}, {1, {{false, 1}, {false, 0}}}}, {false, 2}};
  CHECK(text(anatomy(), encode(graph)) == "read(read(x, y2), y2) where y2 = mem(x, x)");
}

TEST_CASE("34 closed diagrams, 4 and 12 and 4 of them redundant") {
  const Presentation p = anatomy();
  Enumerator enumerator(p, 4);
  std::size_t met = 0;
  std::vector<std::size_t> removed(3, 0);
  std::vector<Word> left;
  enumerator.walk({}, [&] {
    ++met;
    for (std::size_t i = 0; i < 3; ++i)
      if (enumerator.meets(p.criteria[i])) {
        ++removed[i];
        return true;
      }
    left.push_back(enumerator.word());
    return true;
  });
  CHECK(met == 34);
  CHECK(removed == std::vector<std::size_t>{4, 12, 4});
  std::sort(left.begin(), left.end(), [&](const Word &a, const Word &b) { return listedBefore(p, a, b); });
  std::vector<std::string> texts;
  for (const Word &word : left)
    texts.push_back(text(p, word) + ": " + classOf(p, word));
  CHECK(texts == std::vector<std::string>{
                     "read(x, mem(x, x)): linear",
                     "mix(score(x, x), x): dot_product",
                     "read(read(x, mem(x, x)), mem(x, x)): linear",
                     "read(x, mem(read(x, mem(x, x)), x)): linear",
                     "read(x, mem(x, read(x, mem(x, x)))): linear",
                     "read(mix(score(x, x), x), mem(x, x)): linear + dot_product",
                     "read(x, mem(mix(score(x, x), x), x)): linear + dot_product",
                     "read(x, mem(x, mix(score(x, x), x))): linear + dot_product",
                     "mix(score(read(x, mem(x, x)), x), x): linear + dot_product",
                     "mix(score(x, read(x, mem(x, x))), x): linear + dot_product",
                     "mix(score(x, x), read(x, mem(x, x))): linear + dot_product",
                     "mix(score(mix(score(x, x), x), x), x): dot_product",
                     "mix(score(x, mix(score(x, x), x)), x): dot_product",
                     "mix(score(x, x), mix(score(x, x), x)): dot_product",
                 });
}

TEST_CASE("what may be copied decides") {
  Presentation p = anatomy();
  for (auto &sort : p.sorts)
    sort.copied = false;
  CHECK(all(p, 4).size() == 2 + 12); // trees
  p.inputs[0].copied = false;
  CHECK(all(p, 4).empty());
}

TEST_CASE("prefixes part the words") {
  const Presentation p = anatomy();
  const std::vector<Word> words = all(p, 5);
  for (std::size_t length : {1, 2, 3, 5, 9, 40}) {
    Enumerator enumerator(p, 5);
    std::vector<Word> again;
    for (const Word &prefix : enumerator.prefixes(length))
      enumerator.walk(prefix, [&] {
        again.push_back(enumerator.word());
        return true;
      });
    CHECK(again == words);
  }
}
