#include "Twin.h"
#include "RandomDiagram.h"
#include "attnc/diagram/Signature.h"

#include <set>

using namespace attnc;
using namespace attnc::make;

namespace {

void compare(const Sample &s) {
  std::vector<twin::Tensor> inputs;
  for (const Array &input : s.inputs)
    inputs.push_back(twin::tensorOf(input));
  auto wanted = twin::Twin(s.definition, s.sizes, s.parameters).run(s.definition.diagram, inputs);
  auto found = run(s.definition, s.sizes, s.inputs, s.parameters);
  REQUIRE(found.size() == wanted.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    same(found[k], twin::arrayOf(wanted[k]), 1e-9);
}

void names(const Diagram &diagram, std::set<std::string> &seen) {
  for (const Op &op : diagram.ops) {
    seen.insert(describe(op.generator));
    if (const DiagramRef &body = bodyOf(op.generator))
      names(*body, seen);
  }
}

} // namespace

TEST_CASE("the batched interpreter agrees with the naive one", "[eval][twin]") {
  std::set<std::string> seen;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    INFO("seed " << seed);
    Sample s = randomSample(seed, false);
    REQUIRE(validate(s.definition.diagram, s.definition.learners));
    compare(s);
    names(s.definition.diagram, seen);
  }
  for (const char *name :
       {"gather", "scatter", "topk", "softmax", "transpose", "reshape", "scan", "inner", "learner", "simd box",
        "sum box", "prod box", "max box", "min box", "any box", "all box", "constant", "size"})
    CHECK(seen.count(name) == 1);
}

TEST_CASE("so it does where infinities and NaN flow", "[eval][twin]") {
  for (unsigned seed = 10000; seed < 10700; ++seed) {
    INFO("seed " << seed);
    compare(randomSample(seed, true));
  }
}

TEST_CASE("chunks change nothing but rounding", "[eval][memory]") {
  std::size_t refused = 0, ran = 0;
  for (unsigned seed = 20000; seed < 20300; ++seed) {
    INFO("seed " << seed);
    Sample s = randomSample(seed, false);
    auto whole = run(s.definition, s.sizes, s.inputs, s.parameters);
    for (std::size_t limit : {std::size_t(200), std::size_t(800), std::size_t(4000)}) {
      auto tight = evaluate(s.definition, s.sizes, s.inputs, s.parameters, {limit});
      if (!tight) {
        CHECK(tight.error().find("of memory, and the limit is") != std::string::npos);
        ++refused;
        continue;
      }
      ++ran;
      for (std::size_t k = 0; k < whole.size(); ++k)
        same((*tight)[k], whole[k], 1e-9);
    }
  }
  CHECK(refused > 20);
  CHECK(ran > 200);
}
