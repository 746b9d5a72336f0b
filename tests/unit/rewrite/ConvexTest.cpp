// Two bugs that other rewriters had, as tests that fail without the checks.
#include "Programs.h"

using namespace attnc;
using namespace attnc::rewriting;

namespace {

/// Both results of two learners become those of one with two results.
const char *pair = R"(
rule pair : express
  forall (x: [], y: [])
  box f : [] -> []
  box g : [] -> []
  box both : [] @ [] -> [] @ []
  (f(x), g(y)) => {
    (a, b) = both(x, y)
    (a, b)
  }

)";

std::vector<Match> matchesOf(const Program &program, const std::string &diagram, Tables &tables, Host &host,
                             std::optional<Pattern> &pattern) {
  pattern = std::move(*Pattern::make(tables, program.rule("pair"), false));
  host = load(tables, program[diagram]);
  return allMatches(host, *pattern);
}

} // namespace

TEST_CASE("what leaves the match and comes back is no match") { // tket2 #13
  Program program(std::string(pair) + R"(
diagram line(x: []) with (p: [] -> [], q: [] -> []) -> [] { q(tanh(p(x))) }
diagram apart(x: [], y: []) with (p: [] -> [], q: [] -> []) -> [] { p(x) + q(y) }
)");
  Tables tables;
  Host host(tables);
  std::optional<Pattern> pattern;
  // q needs what p gives: as one operation it would feed itself.
  CHECK(matchesOf(program, "line", tables, host, pattern).empty());
  CHECK(matchesOf(program, "apart", tables, host, pattern).size() == 2);
}

TEST_CASE("two matches that are each convex may make a cycle together") { // tket2 #239
  Program program(std::string(pair) + R"(
diagram crossed(x: [], y: []) with (p: [] -> [], q: [] -> [], r: [] -> [], s: [] -> []) -> [] @ [] {
  (q(tanh(p(x))), s(exp(r(y))))
}
)");
  Tables tables;
  Host host(tables);
  std::optional<Pattern> pattern;
  auto matches = matchesOf(program, "crossed", tables, host, pattern);
  auto named = [&](const Match &match, const std::string &first, const std::string &second) {
    return host.learners[host.node(match.roots[0]).slot].label == first &&
           host.learners[host.node(match.roots[1]).slot].label == second;
  };
  const Match *one = nullptr, *other = nullptr;
  for (const Match &match : matches) {
    if (named(match, "p", "s"))
      one = &match;
    if (named(match, "q", "r"))
      other = &match;
  }
  REQUIRE((one && other));
  CHECK(isConvex(host, *one));
  CHECK(isConvex(host, *other));
  REQUIRE(apply(host, *pattern, *one).has_value());
  // p and s are one operation now; q comes after it and r before: q with r would feed itself.
  CHECK_FALSE(isConvex(host, *other));
  CHECK_FALSE(apply(host, *pattern, *other).has_value());
}
