// Sweeps: any number of threads, any interruption, one result.

#include "../Folder.h"
#include "Make.h"

#include "attnc/enumerate/Sweep.h"
#include "attnc/support/File.h"

#include <catch2/catch.hpp>
#include <fstream>

using namespace attnc::enumerate;
using make::anatomy;

namespace {

Tally swept(SweepOptions options) {
  const Presentation p = anatomy();
  auto tally = sweep(p, p.criteria, options);
  INFO((tally ? "" : tally.error()));
  REQUIRE(tally);
  return *tally;
}

void same(const Tally &a, const Tally &b) {
  CHECK(a.diagrams == b.diagrams);
  CHECK(a.removed == b.removed);
  CHECK(a.survivors == b.survivors);
}

} // namespace

TEST_CASE("as many diagrams as brute force finds") {
  for (unsigned most = 1; most <= 5; ++most)
    CHECK(swept({.most = most}).diagrams == make::byForce(anatomy(), most).size());
}

TEST_CASE("one result on any number of threads") {
  const Tally one = swept({.most = 8, .threads = 1});
  CHECK(one.diagrams > 50'000);
  CHECK(one.survivors.size() > 100);
  for (unsigned threads : {2, 3, 7})
    same(swept({.most = 8, .threads = threads}), one);
}

TEST_CASE("what a state file lists is not done again, wherever the file ends") {
  attnc::test::Folder folder;
  const Tally whole = swept({.most = 7});
  const auto state = folder.path / "state";
  same(swept({.most = 7, .state = state}), whole);
  const std::string text = *attnc::readFile(state);
  std::mt19937 random(1);
  for (int round = 0; round < 25; ++round) {
    const std::size_t end = round < 5 ? round * 20 : random() % text.size();
    std::ofstream(state, std::ios::trunc) << text.substr(0, end);
    const auto lines = std::count(text.begin(), text.begin() + end, '\n');
    std::size_t first = ~std::size_t(0);
    SweepOptions options{.most = 7, .state = state};
    options.progress = [&](const Progress &progress) {
      if (first == ~std::size_t(0))
        first = progress.diagrams;
    };
    same(swept(options), whole);
    if (lines == 0)
      CHECK(first > 0);
  }
  // Nothing is left to do.
  SweepOptions options{.most = 7, .state = state};
  options.progress = [](const Progress &progress) {
    CHECK(progress.diagrams == 0);
    CHECK(progress.done == progress.parts);
  };
  same(swept(options), whole);
}

TEST_CASE("a line that was changed is done again") {
  attnc::test::Folder folder;
  const auto state = folder.path / "state";
  const Tally whole = swept({.most = 5, .state = state});
  std::string text = *attnc::readFile(state);
  const std::size_t second = text.find('\n') + 1;
  text[text.find(' ', second) + 1] ^= 1; // a digit of a count
  std::ofstream(state, std::ios::trunc) << text;
  same(swept({.most = 5, .state = state}), whole);
}

TEST_CASE("a state file of another sweep, or that cannot be, is an error") {
  attnc::test::Folder folder;
  const Presentation p = anatomy();
  swept({.most = 3, .state = folder.path / "state"});
  auto other = sweep(p, p.criteria, {.most = 4, .state = folder.path / "state"});
  REQUIRE(!other);
  CHECK(other.error().find("belongs to another enumeration") != std::string::npos);
  auto criteria = sweep(p, {}, {.most = 3, .state = folder.path / "state"});
  CHECK(!criteria);
  auto nowhere = sweep(p, p.criteria, {.most = 3, .state = folder.path / "no" / "state"});
  REQUIRE(!nowhere);
  CHECK(nowhere.error().find("cannot be opened") != std::string::npos);
}

TEST_CASE("a bound that is reached says what was done") {
  const Presentation p = anatomy();
  auto tally = sweep(p, p.criteria, {.most = 8, .survivorBytes = 5000});
  REQUIRE(!tally);
  CHECK(tally.error().find("exceed 5000 bytes after") != std::string::npos);
}
