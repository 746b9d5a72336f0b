// Generators that are wrong: each diagnostic, at the line that is to blame.

#include "../Folder.h"

#include "attnc/driver/Commands.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace attnc;

namespace {

const std::string diagrams = "diagram double(x: [n d]) -> [n d] { 2 * x }\n"
                             "diagram add(x: [n d], y: [n d]) -> [n d] { x + y }\n"
                             "diagram sub(x: [n d], y: [n d]) -> [n d] { x - y }\n"
                             "generators g(x: T) -> T {\n"
                             "  sort T = [n d] with linear\n"
                             "  copy x, T\n";

struct Told {
  std::ostringstream out, err;
  int code;
};

Told recombined(const std::string &text, RecombineOptions options = {}) {
  test::Folder folder;
  options.file = folder.file("generators.attn", text);
  Told told;
  told.code = recombineCommand(options, {told.out, told.err});
  return told;
}

/// The messages of the declaration with these lines, which is refused.
std::string refused(const std::string &lines) {
  Told told = recombined(diagrams + lines + "}\n");
  CHECK(told.code == Failure);
  CHECK(told.out.str().empty());
  return told.err.str();
}

bool says(const std::string &lines, const std::string &message) {
  const std::string said = refused(lines);
  INFO(said);
  CHECK(said.find(message) != std::string::npos);
  return said.find(message) != std::string::npos;
}

} // namespace

TEST_CASE("names: UnknownGenerator, DuplicateName, NoGenerators") {
  says("  f : T -> U = double\n", "7:12: error: the generators 'g' have no sort called 'U'");
  says("  f : T -> T = double\n  class c = h\n", "8:13: error: the generators 'g' have no operation called 'h'");
  says("  copy y\n", "the generators 'g' have no input or sort called 'y'");
  says("  without w = through S\n", "the generators 'g' have no sort called 'S'");
  says("  f : T -> T = double\n  f : T -> T = double\n", "8:3: error: 'f' is bound twice here");
  Told none = recombined("diagram f(x: [n]) -> [n] { x }\n");
  CHECK(none.err.str().find("holds no generators") != std::string::npos);
  RecombineOptions named;
  named.generators = "h";
  CHECK(recombined(diagrams + "}\n", named).err.str().find("holds no generators 'h'") != std::string::npos);
}

TEST_CASE("types: OperationMismatch, NoLearnerOnSort") {
  says("  f : T @ T -> T = double\n", "7:20: error: 'double' does not have the type of 'f': ");
  says("  f : T -> T = nothing\n", "'nothing' does not have the type of 'f': there is no diagram");
  says("  sort U = [] with linear\n", "an operand of sort 'U' cannot go through a learner");
  says("  sort U = [n] @ [n] with affine\n", "an operand of sort 'U' cannot go through a learner");
  says("  sort U = int[n] with universal\n", "an operand of sort 'U' cannot go through a learner");
}

TEST_CASE("equations: UnusableEquation, FalseEquation") {
  const std::string both = "  add : T @ T -> T = add\n  sub : T @ T -> T = sub\n";
  says(both + "  equation e : add(a, a) == add(a, a)\n",
       "9:3: error: this equation cannot be used: a variable does not");
  says(both + "  equation e : add(a, 2) == add(a, 2)\n", "it is made of variables and operations alone");
  says(both + "  equation e : add(a, b) == mul(a, b)\n", "the generators 'g' have no operation called 'mul'");
  says(both + "  equation e : sub(a, b) == sub(b, a)\n",
       "the equation 'e' does not hold: on random arrays its sides differ");
  CHECK(recombined(diagrams + both + "  equation e : add(a, sub(b, c)) == sub(add(a, b), c)\n}\n").code == Success);
}

TEST_CASE("bounds: TooManyGenerators, EnumerationStopped") {
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += "  f" + std::to_string(i) + " : T -> T = double\n";
  says(many, "the generators 'g' have 65 operations, and at most 64 are read");
  std::string wide = "  f : T";
  for (int i = 1; i < 65; ++i)
    wide += " @ T";
  says(wide + " -> T = double\n", "the generators 'g' have 65 operands of 'f', and at most 64 are read");
  RecombineOptions small;
  small.maxMemory = 10;
  Told told = recombined(diagrams + "  add : T @ T -> T = add\n}\n", small);
  CHECK(told.code == Failure);
  CHECK(told.err.str().find("the enumeration of 'g' stopped: the diagrams that are kept exceed 10 bytes") !=
        std::string::npos);
}

TEST_CASE("operations of one sort, with and without copies") {
  RecombineOptions options;
  options.most = 2;
  options.countOnly = true;
  // add(x, x); and add(x, y), add(y, x), add(y, y) with y = add(x, x)
  CHECK(recombined(diagrams + "  add : T @ T -> T = add\n}\n", options).out.str().find("4  up to equality") !=
        std::string::npos);
  CHECK(recombined(diagrams + "  add : T @ T -> T = add\n  equation e : add(a, b) == add(b, a)\n}\n", options)
            .out.str()
            .find("1  equal to another by e") != std::string::npos);
}
