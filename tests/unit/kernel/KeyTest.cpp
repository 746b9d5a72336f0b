#include "attnc/kernel/Key.h"
#include "Definitions.h"
#include "attnc/kernel/BuildId.h"
#include "attnc/kernel/Compiler.h"
#include "attnc/kernel/Host.h"

#include <catch2/catch.hpp>

using namespace attnc;

TEST_CASE("the key sees all the code depends on, and nothing else") {
  REQUIRE(buildIdOf(compilerPath()));
  CHECK(compilerIdentity().size() > 60);
  CHECK(hostIdentity() == hostIdentity());
  Definition mul = test::mulDefinition();
  KernelVariant variant{DType::F32, Size::Values{{"n", 4}}, "x86-64-v3", 2};
  Hash128 key = kernelKey(mul, variant).value();
  CHECK(key == kernelKey(test::mulDefinition(), variant));

  auto changed = [&](auto change) {
    KernelVariant other = variant;
    change(other);
    return kernelKey(mul, other).value() != key;
  };
  CHECK(changed([](KernelVariant &v) { v.real = DType::F64; }));
  CHECK(changed([](KernelVariant &v) { v.sizes.at("n") = 5; }));
  CHECK(changed([](KernelVariant &v) { v.sizes.clear(); }));
  CHECK(changed([](KernelVariant &v) { v.level = 3; }));
  CHECK(changed([](KernelVariant &v) { v.tf32 = true; }));
  CHECK(changed([](KernelVariant &v) { v.target = "x86-64-v4"; }));

  CHECK(serialise(test::mulDefinition(Kind::Int)) != serialise(mul));
  Definition named = mul;
  named.doc = "Another text.";
  named.diagram.wires[0].name = "left";
  CHECK(serialise(named) == serialise(mul));
  named.name = "times"; // the symbol of the function
  CHECK(serialise(named) != serialise(mul));
}

TEST_CASE("a build id is read from an ELF file and from nothing else") {
  CHECK_FALSE(buildIdOf("/nonexistent"));
  CHECK_FALSE(buildIdOf("/dev/null"));
  CHECK_FALSE(buildIdOf(ATTNC_SOURCE_DIR "/CMakeLists.txt"));
  CHECK_FALSE(buildIdOf("/"));
}

TEST_CASE("every field of every generator is in the serial form") {
  Definition base = test::mulDefinition();
  const auto &box = std::get<Box>(base.diagram.ops[0].generator);
  auto with = [&](Generator generator) {
    Definition definition = base;
    definition.diagram.ops[0].generator = std::move(generator);
    return serialise(definition);
  };
  auto body = std::make_shared<Diagram>(*box.body);
  body->ops[0].generator = Pointwise{PointwiseFn(unsigned(std::get<Pointwise>(body->ops[0].generator).fn) + 1)};
  Size n = Size::variable("n"), m = Size::variable("m");
  std::vector<std::string> forms = {
      with(box),
      with(Box{Cap::Sum, n, false, box.modes, box.body}),
      with(Box{Cap::None, m, false, box.modes, box.body}),
      with(Box{Cap::None, n, true, box.modes, box.body}),
      with(Box{Cap::None, n, false, {Mode::Map, Mode::Share}, box.body}),
      with(Box{Cap::None, n, false, box.modes, body}),
      with(Scan{n, false, 0, box.modes, box.body}),
      with(Scan{n, false, 1, box.modes, box.body}),
      with(Scan{n, true, 1, box.modes, box.body}),
      with(Scan{m, false, 1, box.modes, box.body}),
      with(Call{"c", box.body}),
      with(Const{0.0}),
      with(Const{-0.0}),
      with(Const{std::int64_t(0)}),
      with(Const{false}),
      with(Const{true}),
      with(SizeValue{n}),
      with(SizeValue{m}),
      with(Gather{}),
      with(Scatter{n}),
      with(Scatter{m}),
      with(TopK{n}),
      with(TopK{m}),
      with(Softmax{false}),
      with(Softmax{true}),
      with(Transpose{}),
      with(Reshape{{n}}),
      with(Reshape{{n, m}}),
      with(Apply{LearnerId(0), {}}),
      with(Apply{LearnerId(1), {}}),
      with(Apply{LearnerId(0), {1}}),
  };
  for (std::size_t i = 0; i < forms.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      INFO(i << " and " << j);
      CHECK(forms[i] != forms[j]);
    }
}
