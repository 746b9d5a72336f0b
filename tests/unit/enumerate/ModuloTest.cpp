#include "Make.h"

#include "attnc/enumerate/Enumerator.h"
#include "attnc/enumerate/Modulo.h"

#include <catch2/catch.hpp>

using namespace attnc::enumerate;
using make::term;
using make::variable;

namespace {

constexpr unsigned MEM = 0, READ = 1, SCORE = 2, MIX = 3;

/// read(read(a, mem(b, c)), m) == read(a, mem(b, read(c, m)))
const Presentation::Equation associativity{
    "associativity", term(READ, {term(READ, {variable(0), term(MEM, {variable(1), variable(2)})}), variable(3)}),
    term(READ, {variable(0), term(MEM, {variable(1), term(READ, {variable(2), variable(3)})})})};
/// mem(read(a, mem(b, c)), d) == mem(c, read(b, mem(a, d)))
const Presentation::Equation transposition{
    "transposition", term(MEM, {term(READ, {variable(0), term(MEM, {variable(1), variable(2)})}), variable(3)}),
    term(MEM, {variable(2), term(READ, {variable(1), term(MEM, {variable(0), variable(3)})})})};
/// mix(score(a, b), c) == read(a, mem(b, c))
const Presentation::Equation reassociation{"reassociation",
                                           term(MIX, {term(SCORE, {variable(0), variable(1)}), variable(2)}),
                                           term(READ, {variable(0), term(MEM, {variable(1), variable(2)})})};

std::vector<Word> fourteen(const Presentation &p) {
  std::vector<Word> words;
  Enumerator enumerator(p, 4);
  enumerator.walk({}, [&] {
    if (std::none_of(p.criteria.begin(), p.criteria.end(), [&](const auto &c) { return enumerator.meets(c); }))
      words.push_back(enumerator.word());
    return true;
  });
  std::sort(words.begin(), words.end(), [&](const Word &a, const Word &b) { return listedBefore(p, a, b); });
  return words;
}

std::vector<std::size_t> with(std::vector<Presentation::Equation> equations) {
  Presentation p = make::anatomy();
  p.equations = std::move(equations);
  auto result = classes(p, fourteen(p), 4);
  REQUIRE(result);
  return *result;
}

std::size_t count(const std::vector<std::size_t> &classes) {
  return std::set<std::size_t>(classes.begin(), classes.end()).size();
}

} // namespace

TEST_CASE("the equations of the linear pair leave twelve: three coincide") {
  CHECK(count(with({})) == 14);
  std::vector<std::size_t> twelve = with({associativity, transposition});
  CHECK(count(twelve) == 12);
  CHECK(twelve[3] == 2);
  CHECK(twelve[4] == 2);
  CHECK(count(with({associativity})) == 13);
  CHECK(count(with({transposition})) == 13);
}

TEST_CASE("without any normaliser there are two: all of one size coincide") {
  std::vector<std::size_t> two = with({associativity, transposition, reassociation});
  CHECK(count(two) == 2);
  CHECK(two[1] == 0);
  CHECK(count(with({reassociation})) == 4);
}

TEST_CASE("an equation is refused that loses or doubles a variable, or has no one sort") {
  const Presentation p = make::anatomy();
  CHECK(variablesOf(p, associativity) == std::vector<unsigned>{0, 0, 0, 2});
  auto wrong = [&](Term left, Term right) {
    auto sorts = variablesOf(p, {"wrong", std::move(left), std::move(right)});
    return sorts ? std::string() : sorts.error();
  };
  CHECK(wrong(term(MEM, {variable(0), variable(0)}), term(MEM, {variable(0), variable(0)})) ==
        "a variable does not stand once on each side");
  CHECK(wrong(term(MEM, {variable(0), variable(1)}), term(SCORE, {variable(0), variable(1)})) ==
        "its sides are of two sorts");
  CHECK(wrong(term(READ, {variable(0), term(MEM, {variable(1), variable(2)})}),
              term(READ, {variable(0), variable(1)})) != "");
  CHECK(wrong(variable(0), term(READ, {variable(0), term(MEM, {variable(1), variable(2)})})) == "a side is a variable");
  CHECK(wrong(term(MEM, {variable(0), term(MEM, {variable(1), variable(2)})}), term(MEM, {variable(0), variable(1)})) ==
        "'mem' gives M where T is needed");
  CHECK(wrong(term(MEM, {variable(0)}), term(MEM, {variable(0)})) == "'mem' takes 2 operands, not 1");
}

TEST_CASE("an operation used elsewhere stays where it is") {
  const Presentation p = make::anatomy();
  // read(read(x, m), m) where m = mem(x, x): the inner read could move, but its memory is used twice
  Graph shared{{{MEM, {{true, 0}, {true, 0}}}, {READ, {{true, 0}, {false, 0}}}, {READ, {{false, 1}, {false, 0}}}},
               {false, 2}};
  CHECK(neighbours(p, associativity, encode(shared)).empty());
  Graph alone{{{MEM, {{true, 0}, {true, 0}}},
               {READ, {{true, 0}, {false, 0}}},
               {MEM, {{true, 0}, {true, 0}}},
               {READ, {{false, 1}, {false, 2}}}},
              {false, 3}};
  CHECK(neighbours(p, associativity, encode(alone)).size() == 1);
}

TEST_CASE("a bound on the diagrams met is an error that says so") {
  Presentation p = make::anatomy();
  p.equations = {associativity, transposition};
  auto result = classes(p, fourteen(p), 4, 3);
  REQUIRE(!result);
  CHECK(result.error().find("more than 3 diagrams") != std::string::npos);
}
