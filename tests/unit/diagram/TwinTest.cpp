// The canonical form against a deliberately naive twin, on all small diagrams.
#include "Make.h"

#include <catch2/catch.hpp>
#include <map>

using namespace attnc;
using namespace attnc::make;

namespace {

/// A straight-line program over two scalar inputs: the generators are exp, two learners, add, sub.
struct Step {
  unsigned generator, left, right;
};

const std::vector<Learner> learners{universal("f"), universal("g")};

Definition build(const std::vector<Step> &program, const std::vector<unsigned> &outputs) {
  return define(learners, {scalar, scalar}, [&](Draft &d, std::vector<WireId> wires) {
    for (const Step &step : program) {
      WireId a = wires[step.left], b = wires[step.right];
      switch (step.generator) {
      case 0:
        wires.push_back(d.fn(PointwiseFn::Exp, {a}));
        break;
      case 1:
      case 2:
        wires.push_back(d.apply(step.generator - 1, {a}));
        break;
      case 3:
        wires.push_back(d.fn(PointwiseFn::Add, {a, b}));
        break;
      default:
        wires.push_back(d.fn(PointwiseFn::Sub, {a, b}));
      }
    }
    std::vector<WireId> results;
    for (unsigned output : outputs)
      results.push_back(wires[output]);
    return results;
  });
}

/// The whole tree above a wire as text, the least over the orders of each sum.
std::string tree(const std::vector<Step> &program, unsigned wire, bool exchange) {
  if (wire < 2)
    return wire ? "y" : "x";
  const Step &step = program[wire - 2];
  std::string a = tree(program, step.left, exchange), b = tree(program, step.right, exchange);
  switch (step.generator) {
  case 0:
    return "exp(" + a + ")";
  case 1:
  case 2:
    return ((step.generator == 1) != exchange ? "f(" : "g(") + a + ")";
  case 3:
    return std::min("(" + a + "+" + b + ")", "(" + b + "+" + a + ")");
  default:
    return "(" + a + "-" + b + ")";
  }
}

/// The least text over both bijections of the learners.
std::string twin(const std::vector<Step> &program, const std::vector<unsigned> &outputs) {
  std::string texts[2];
  for (bool exchange : {false, true})
    for (unsigned output : outputs)
      texts[exchange] += tree(program, output, exchange) + ";";
  return std::min(texts[0], texts[1]);
}

/// Two partitions of the same set are one when the classes correspond both ways.
struct Partitions {
  std::map<std::string, std::string> there, back;
  std::size_t count = 0;
  bool agree(const std::vector<Step> &program, const std::vector<unsigned> &outputs) {
    CanonicalForm form = canonicalForm(build(program, outputs));
    std::string naive = twin(program, outputs);
    ++count;
    return form.complete && there.emplace(form.text, naive).first->second == naive &&
           back.emplace(naive, form.text).first->second == form.text;
  }
};

void extend(std::vector<Step> &program, unsigned length, const std::function<void()> &each) {
  if (program.size() == length)
    return each();
  unsigned wires = 2 + program.size();
  for (unsigned generator = 0; generator < 5; ++generator)
    for (unsigned left = 0; left < wires; ++left)
      for (unsigned right = 0; right < (generator < 3 ? 1 : wires); ++right) {
        program.push_back({generator, left, generator < 3 ? left : right});
        extend(program, length, each);
        program.pop_back();
      }
}

} // namespace

TEST_CASE("canonical equality is the naive one on every diagram of up to three operations", "[twin]") {
  Partitions single, pairs;
  for (unsigned length = 1; length <= 3; ++length) {
    std::vector<Step> program;
    std::size_t wrong = 0;
    extend(program, length, [&] {
      unsigned last = length + 1;
      wrong += !single.agree(program, {last});
      wrong += !pairs.agree(program, {last, last - 1});
    });
    REQUIRE(wrong == 0);
  }
  REQUIRE(single.count == 14 + 14 * 27 + 14 * 27 * 44);
  REQUIRE(single.there.size() > 1000);
}

TEST_CASE("canonical equality is the naive one on every diagram of four operations", "[twin]") {
  Partitions single;
  std::vector<Step> program;
  std::size_t wrong = 0;
  extend(program, 4, [&] { wrong += !single.agree(program, {5}); });
  REQUIRE(wrong == 0);
  REQUIRE(single.count == 14 * 27 * 44 * 65);
}
