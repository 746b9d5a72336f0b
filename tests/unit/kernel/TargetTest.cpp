#include "attnc/kernel/Target.h"

#include <catch2/catch.hpp>

using namespace attnc;

TEST_CASE("a target is a level and features") {
  Target v3 = parseTarget("x86-64-v3").value();
  CHECK(v3.triple == "x86_64-unknown-linux-gnu");
  CHECK(v3.level == "x86-64-v3");
  CHECK(v3.features.empty());
  CHECK_FALSE(v3.hasWideVectors());

  Target v4 = parseTarget("x86-64-v4+avx512bf16").value();
  CHECK(v4.features == "+avx512bf16,-prefer-256-bit");
  CHECK(v4.hasWideVectors());

  Target arm = parseTarget("aarch64+sve+bf16").value();
  CHECK(arm.triple == "aarch64-unknown-linux-gnu");
  CHECK(arm.features == "+sve,+bf16");

  CHECK(v3.key() != v4.key());
  CHECK(parseTarget("x86-64-v4").value().key() != v4.key());
}

TEST_CASE("a target says what multiplies pairs of bf16") {
  using enum Machine::Pairs;
  CHECK(parseTarget("x86-64-v4+avx512bf16")->machine().pairs == None);
  Target tiles = parseTarget("x86-64-v4+amx-bf16").value(), emulated = parseTarget("x86-64-v4+amx-emulated").value();
  CHECK(tiles.machine().pairs == Tiles);
  CHECK_FALSE(tiles.machine().emulatesTiles);
  CHECK(emulated.machine().pairs == Tiles);
  CHECK(emulated.machine().emulatesTiles);
  CHECK(emulated.features.find("amx") == std::string::npos);
  CHECK(emulated.key() != parseTarget("x86-64-v4")->key());
  Target dot = parseTarget("x86-64-v4+bf16-dot").value();
  CHECK(dot.machine().pairs == Dot);
  CHECK(dot.features == "+avx512bf16,-prefer-256-bit");
  CHECK(dot.key() != parseTarget("x86-64-v4+avx512bf16")->key());
  CHECK(parseTarget("x86-64-v4+amx-bf16+bf16-dot")->machine().pairs == Dot);
  // Tile registers are sixteen words wide, whatever the vectors of the machine.
  CHECK(parseTarget("x86-64-v3+amx-emulated")->machine().lanes() == 16);
  CHECK_FALSE(parseTarget("aarch64+amx-emulated"));
  CHECK(parseTarget("aarch64")->machine().pairs == None);
}

TEST_CASE("the native target is what this machine can do, each time the same") {
  Target native = parseTarget("native").value();
  CHECK(native.isHostArchitecture());
  CHECK_FALSE(native.features.empty());
  CHECK(native.key() == parseTarget("native").value().key());
  CHECK(native.hasWideVectors() == (native.features.find("-prefer-256-bit") != std::string::npos));
}

TEST_CASE("code runs here only if the machine has what it uses") {
  CHECK(runsHere(parseTarget("native").value()).has_value());

  CHECK_FALSE(runsHere(parseTarget(parseTarget("x86-64")->isHostArchitecture() ? "aarch64" : "x86-64").value()));
  if (parseTarget("x86-64")->isHostArchitecture()) {
    // No machine has both extensions.
    CHECK(runsHere(parseTarget("x86-64+fma4+amx-tile").value()).error().starts_with("this machine has no "));
    CHECK(runsHere(parseTarget("x86-64-v4").value()).has_value() == parseTarget("native")->hasWideVectors());
  }
}

TEST_CASE("an emulated device has an architecture") {
  CHECK(parseTarget("cuda-emulated")->emulated == "sm_80");
  CHECK_FALSE(parseTarget("cuda-emulated")->hasWarpGroups());
  CHECK(parseTarget("cuda-emulated:sm_90a")->hasWarpGroups());
  CHECK(parseTarget("cuda:sm_90a")->hasWarpGroups());
  CHECK_FALSE(parseTarget("cuda:sm_90")->hasWarpGroups());
  CHECK(parseTarget("cuda-emulated:sm_90a")->key() != parseTarget("cuda-emulated")->key());
  CHECK_FALSE(parseTarget("cuda-emulated:sm_1"));
}

TEST_CASE("a target that is not known is refused by name") {
  CHECK(parseTarget("x86-64-v9").error() == "unknown target `x86-64-v9`; known are native, x86-64, x86-64-v2, "
                                            "x86-64-v3, x86-64-v4, aarch64, each with +FEATURE as in "
                                            "x86-64-v4+avx512bf16, and cuda, cuda:sm_90a and their like, "
                                            "cuda-emulated");
  CHECK_FALSE(parseTarget(""));
  CHECK_FALSE(parseTarget("+avx2"));
  CHECK(parseTarget("x86-64-v4+avx512bf15").error() ==
        "target x86-64-v4 has no feature `avx512bf15`; did you mean `avx512bf16`?");
  CHECK_FALSE(parseTarget("aarch64+avx2"));
  CHECK_FALSE(parseTarget("x86-64-v3+"));
  CHECK_FALSE(parseTarget("native+"));
}
