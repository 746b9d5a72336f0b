#include "RandomDefinition.h"
#include "Run.h"

using namespace attnc;
using namespace attnc::make;

namespace {

/// Lowers `count` random definitions and compares each with the oracle, on arrays rounded alike.
void compare(Real real, bool fixed, bool smooth, double tolerance, unsigned first, unsigned count) {
  for (unsigned seed = first; seed < first + count; ++seed) {
    INFO("seed " << seed);
    RandomDefinition random(seed, smooth);
    Definition definition = random.definition();
    Size::Values sizes = random.values();
    INFO(definition.signature() << " with n = " << sizes["n"] << ", m = " << sizes["m"]);
    std::vector<Array> inputs, parameters;
    for (WireId input : definition.diagram.inputs)
      inputs.push_back(rounded(random.array(definition.diagram.type(input), sizes), real));
    for (const Parameter &parameter : parametersOf(definition))
      parameters.push_back(rounded(random.array(parameter.type, sizes), real));
    INFO(dialectText(definition, {real, {}}));
    std::vector<Array> wanted = run(definition, sizes, inputs, parameters);
    std::vector<Array> found =
        runLowered(definition, {real, fixed ? sizes : Size::Values{}}, sizes, inputs, parameters);
    REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      INFO("output " << i << "\nfound  " << text(found[i]) << "\nwanted " << text(wanted[i]));
      REQUIRE(agree(found[i], wanted[i], tolerance));
    }
  }
}

} // namespace

TEST_CASE("random diagrams mean what the oracle says, in f64") {
  SECTION("sizes fixed") { compare(Real::F64, true, false, 1e-10, 1, 120); }
  SECTION("sizes as arguments") { compare(Real::F64, false, false, 1e-10, 1001, 120); }
}

TEST_CASE("random diagrams mean what the oracle says, in f32") {
  SECTION("sizes fixed") { compare(Real::F32, true, true, 2e-4, 2001, 80); }
  SECTION("sizes as arguments") { compare(Real::F32, false, true, 2e-4, 3001, 80); }
}

TEST_CASE("random diagrams mean what the oracle says, with arrays of bf16") {
  compare(Real::BF16, true, true, 0x1p-7, 4001, 60);
}
