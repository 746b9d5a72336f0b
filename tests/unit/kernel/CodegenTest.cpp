#include "Modules.h"
#include "attnc/kernel/Link.h"
#include "attnc/kernel/Loader.h"
#include "attnc/kernel/ObjectCode.h"

#include <bit>
#include <catch2/catch.hpp>
#include <llvm/Object/ELFObjectFile.h>

using namespace attnc;
using Catch::Matchers::Contains;

static CodegenOptions optionsFor(const char *target) {
  CodegenOptions options{.target = parseTarget(target).value()};
  options.exported = {"attnc_mul"};
  return options;
}

TEST_CASE("one module becomes IR, assembly and objects for any target") {
  test::Modules modules;
  auto module = modules.parse(test::mulModule);
  REQUIRE(module);
  SECTION("IR") {
    std::string text = emitCode(*module, optionsFor("x86-64-v3"), Emit::Llvm).value();
    CHECK_THAT(text, Contains("define") && Contains("@attnc_mul") && Contains("fmul <8 x float>"));
  }
  SECTION("assembly with 512-bit vectors") {
    std::string text = emitCode(*module, optionsFor("x86-64-v4"), Emit::Assembly).value();
    CHECK_THAT(text, Contains("zmm"));
    CHECK_THAT(emitCode(*module, optionsFor("x86-64-v3"), Emit::Assembly).value(), !Contains("zmm") && Contains("ymm"));
  }
  SECTION("an object for another architecture") {
    std::string bytes = emitCode(*module, optionsFor("aarch64"), Emit::Object).value();
    auto object = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(bytes, ""));
    REQUIRE(bool(object));
    CHECK((*object)->getArch() == llvm::Triple::aarch64);
    std::string shared = linkShared(bytes, parseTarget("aarch64").value(), "libmul.so").value();
    auto linked = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(shared, ""));
    REQUIRE(bool(linked));
    auto &elf = llvm::cast<llvm::object::ELF64LEObjectFile>(**linked).getELFFile();
    CHECK(elf.getHeader().e_machine == llvm::ELF::EM_AARCH64);
    CHECK(elf.getHeader().e_type == llvm::ELF::ET_DYN);
    CHECK_THAT(shared, Contains("libm.so.6") && Contains("libc.so.6") && Contains("libmul.so"));
  }
  SECTION("the same bytes each time") {
    CHECK(emitCode(*module, optionsFor("native"), Emit::Object) ==
          emitCode(*module, optionsFor("native"), Emit::Object));
  }
}

TEST_CASE("what is not exported becomes local, and what is must be there") {
  test::Modules modules;
  auto module = modules.parse(R"(
    llvm.func @helper(%x: i32) -> i32 attributes {passthrough = ["noinline"]} { llvm.return %x : i32 }
    llvm.func @attnc_f(%x: i32) -> i32 { %y = llvm.call @helper(%x) : (i32) -> i32  llvm.return %y : i32 })");
  REQUIRE(module);
  CodegenOptions options{.target = parseTarget("native").value()};
  options.exported = {"attnc_f"};
  CHECK_THAT(emitCode(*module, options, Emit::Llvm).value(), !Contains("@helper(i32 %0)") || Contains("internal"));
  options.exported = {"attnc_g"};
  CHECK(emitCode(*module, options, Emit::Object).error() == "the module does not define `attnc_g`");
}

TEST_CASE("floating point is contracted only where the operations allow it") {
  test::Modules modules;
  auto text = [&](const char *flags) {
    std::string source = "llvm.func @attnc_f(%a: f32, %b: f32, %c: f32) -> f32 { %m = llvm.fmul %a, %b " +
                         std::string(flags) + " : f32  %s = llvm.fadd %m, %c " + flags +
                         " : f32  llvm.return %s : f32 }";
    auto module = modules.parse(source);
    return emitCode(*module, {.target = parseTarget("x86-64-v3").value(), .exported = {"attnc_f"}}, Emit::Assembly)
        .value();
  };
  CHECK_THAT(text(""), Contains("vmulss") && !Contains("vfmadd"));
  CHECK_THAT(text("{fastmathFlags = #llvm.fastmath<contract>}"), Contains("vfmadd"));
}

TEST_CASE("a function is called through its packed entry") {
  test::Modules modules;
  auto module = modules.parse(test::mulModule);
  CodegenOptions options = optionsFor("native");
  options.packed = true;
  std::string object = emitCode(*module, options, Emit::Object).value();
  auto loaded = LoadedObject::load(linkShared(object, options.target, "libmul.so").value());
  REQUIRE(loaded);
  auto entry = reinterpret_cast<int (*)(void **)>(loaded->symbol("attnc_mul_packed"));
  REQUIRE(entry);
  CHECK(loaded->symbol("attnc_nothing") == nullptr);
  for (std::int64_t n : {0, 1, 3, 17, 1000}) {
    std::vector<float> a(n), b(n), y(n + 1, -1.f);
    for (int i = 0; i < n; ++i)
      a[i] = i + 1, b[i] = 0.5f * i;
    void *slots[] = {a.data(), b.data(), y.data(), reinterpret_cast<void *>(n)};
    CHECK(entry(slots) == 0);
    for (int i = 0; i < n; ++i)
      REQUIRE(y[i] == a[i] * b[i]);
    CHECK(y[n] == -1.f);
  }
}

TEST_CASE("the mathematics library is linked where it is used, and an unknown symbol is an error that names it") {
  test::Modules modules;
  auto link = [&](const std::string &callee) {
    auto module =
        modules.parse("llvm.func @" + callee + "(f32) -> f32  llvm.func @attnc_f(%x: f32) -> f32 { %y = llvm.call @" +
                      callee + "(%x) : (f32) -> f32  llvm.return %y : f32 }");
    Target target = parseTarget("native").value();
    return linkShared(emitCode(*module, {.target = target, .exported = {"attnc_f"}}, Emit::Object).value(), target,
                      "libf.so");
  };
  auto shared = link("tanhf");
  REQUIRE(shared);
  auto loaded = LoadedObject::load(*shared).value();
  auto f = reinterpret_cast<float (*)(float)>(loaded.symbol("attnc_f"));
  CHECK(f(0.5f) == Approx(0.46211716f));
  CHECK_THAT(*shared, Contains("libm.so.6") && !Contains("libomp") && !Contains("libstdc++"));
  CHECK_THAT(link("frobnicate").error(), Contains("undefined symbol: frobnicate"));
}

TEST_CASE("a float is rounded to a bfloat16 on every machine, to nearest even") {
  test::Modules modules;
  auto module = modules.parse("llvm.func @attnc_f(%x: f32) -> i16 { %t = llvm.fptrunc %x : f32 to bf16 "
                              "%b = llvm.bitcast %t : bf16 to i16  llvm.return %b : i16 }");
  REQUIRE(module);
  for (const char *name : {"x86-64", "x86-64-v3", "x86-64-v4", "native"}) {
    Target target = parseTarget(name).value();
    INFO(name);
    auto shared = linkShared(emitCode(*module, {.target = target, .exported = {"attnc_f"}}, Emit::Object).value(),
                             target, "libf.so");
    REQUIRE(shared);
    if (!runsHere(target))
      continue; // linked, but not for this machine
    LoadedObject loaded = LoadedObject::load(*shared).value();
    auto f = reinterpret_cast<std::uint16_t (*)(float)>(loaded.symbol("attnc_f"));
    auto of = [&](std::uint32_t bits) { return f(std::bit_cast<float>(bits)); };
    CHECK(of(0x3f800000) == 0x3f80);
    CHECK(of(0x3f808000) == 0x3f80); // halfway, to even
    CHECK(of(0x3f818000) == 0x3f82);
    CHECK(of(0x3f808001) == 0x3f81);
    CHECK(of(0x3f807fff) == 0x3f80);
    CHECK(of(0x80000000) == 0x8000);
    CHECK(of(0x7f7fffff) == 0x7f80); // past the largest
    CHECK(of(0xff800000) == 0xff80);
    CHECK((of(0x7f800001) & 0x7fff) > 0x7f80); // NaN stays NaN
    CHECK((of(0xffffffff) & 0x7fff) > 0x7f80);
  }
}

TEST_CASE("an object that uses OpenMP needs its runtime, and the number of threads is set for it") {
  test::Modules modules;
  auto module = modules.parse("llvm.func @omp_get_max_threads() -> i32  llvm.func @attnc_f() -> i32 { "
                              "%n = llvm.call @omp_get_max_threads() : () -> i32  llvm.return %n : i32 }");
  Target target = parseTarget("native").value();
  std::string shared = linkShared(emitCode(*module, {.target = target, .exported = {"attnc_f"}}, Emit::Object).value(),
                                  target, "libf.so")
                           .value();
  CHECK_THAT(shared, Contains("libomp.so.5"));
  LoadedObject loaded = LoadedObject::load(shared).value();
  auto f = reinterpret_cast<int (*)()>(loaded.symbol("attnc_f"));
  useThreads(3);
  CHECK(f() == 3);
  useThreads(0);
  CHECK(f() == 3);
  useThreads(1);
  CHECK(f() == 1);
}

TEST_CASE("two loaded objects of one name do not meet") {
  test::Modules modules;
  auto constant = [&](int value) {
    auto module = modules.parse("llvm.func @attnc_f() -> i32 { %c = llvm.mlir.constant(" + std::to_string(value) +
                                " : i32) : i32  llvm.return %c : i32 }");
    Target target = parseTarget("native").value();
    return LoadedObject::load(
               linkShared(emitCode(*module, {.target = target, .exported = {"attnc_f"}}, Emit::Object).value(), target,
                          "libf.so")
                   .value())
        .value();
  };
  auto call = [](const LoadedObject &object) { return reinterpret_cast<int (*)()>(object.symbol("attnc_f"))(); };
  LoadedObject one = constant(1);
  {
    CHECK(call(constant(7)) == 7);
  }
  LoadedObject two = constant(2);
  CHECK(call(one) == 1);
  CHECK(call(two) == 2);
  CHECK_FALSE(LoadedObject::load("not an object"));
  CHECK_FALSE(LoadedObject::load(""));
}
