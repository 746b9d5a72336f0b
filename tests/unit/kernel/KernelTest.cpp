#include "attnc/kernel/Kernel.h"
#include "../Folder.h"
#include "Definitions.h"
#include "Modules.h"
#include "attnc/kernel/Header.h"
#include "attnc/kernel/Link.h"
#include "attnc/kernel/ObjectCode.h"
#include "attnc/support/File.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <span>

using namespace attnc;
using Catch::Matchers::Contains;

template <class T> static Array arrayOf(DType dtype, std::vector<std::int64_t> shape, const std::vector<T> &values) {
  Array array = *Array::zeros(dtype, std::move(shape));
  std::ranges::copy(std::as_bytes(std::span(values)), array.mutableData());
  return array;
}

static std::string sharedObject(const char *text, const char *symbol) {
  test::Modules modules;
  auto module = modules.parse(text);
  REQUIRE(module);
  Target target = parseTarget("native").value();
  std::string object =
      emitCode(*module, {.target = target, .exported = {symbol}, .packed = true}, Emit::Object).value();
  return linkShared(object, target, "libmul.so").value();
}

TEST_CASE("a kernel with dynamic sizes runs on arrays of any type") {
  Kernel kernel = Kernel::load(test::mulDefinition(), {}, sharedObject(test::mulModule, "attnc_mul")).value();
  CHECK(kernel.times().load > 0);
  for (std::int64_t n : {0, 1, 5, 33}) {
    std::vector<float> a(n);
    std::vector<std::int32_t> b(n);
    for (int i = 0; i < n; ++i)
      a[i] = 0.25f * i, b[i] = 3 - i;
    Array inputs[] = {arrayOf(DType::F32, {n}, a), arrayOf(DType::I32, {n}, b)};
    KernelRun run = kernel.run({{"n", n}}, inputs, {}).value();
    REQUIRE(run.outputs.size() == 1);
    CHECK(run.outputs[0].shape() == std::vector<std::int64_t>{n});
    auto y = run.outputs[0].as<float>();
    for (int i = 0; i < n; ++i)
      REQUIRE(y[i] == a[i] * float(b[i]));
  }
}

TEST_CASE("an array that lies askew in memory is moved") {
  Kernel kernel = Kernel::load(test::mulDefinition(), {}, sharedObject(test::mulModule, "attnc_mul")).value();
  auto bytes = std::make_shared<std::vector<std::byte>>(4 * 3 + 1);
  float values[] = {1, 2, 3};
  std::memcpy(bytes->data() + 1, values, sizeof values);
  Array askew = Array::view(DType::F32, {3}, bytes->data() + 1, bytes);
  Array inputs[] = {askew, askew};
  KernelRun run = kernel.run({{"n", 3}}, inputs, {}).value();
  CHECK(run.outputs[0].as<float>()[2] == 9);
}

TEST_CASE("what does not fit the kernel is refused before it runs") {
  std::string object = sharedObject(test::mulModule, "attnc_mul");
  Kernel kernel = Kernel::load(test::mulDefinition(), {}, object).value();
  Array three = *Array::zeros(DType::F32, {3}), four = *Array::zeros(DType::F32, {4});
  auto error = [&](Size::Values sizes, std::vector<Array> inputs, std::vector<Array> parameters = {}) {
    return kernel.run(sizes, inputs, parameters).error();
  };
  CHECK(error({{"n", 3}}, {three, four}) == "`b` has shape [4], but [n] is [3]");
  CHECK(error({{"n", 3}}, {three}) == "the kernel takes 2 inputs, 1 given");
  CHECK(error({{"n", 3}}, {three, three}, {three}) == "the kernel takes 0 parameters, 1 given");
  CHECK(error({}, {three, three}) == "the size n of `a` has no value");
  CHECK(error({{"n", -3}}, {three, three}) == "the size n of `a` is -3");
  Kernel fixed = Kernel::load(test::mulDefinition(), {.sizes = Size::Values{{"n", 3}}}, object).value();
  CHECK(fixed.run({{"n", 4}}, std::vector{four, four}, {}).error() == "the kernel was compiled for n = 3, not 4");
  Definition other = test::mulDefinition();
  other.name = "other";
  CHECK(Kernel::load(other, {}, object).error() == "the kernel does not define `attnc_other_packed`");
}

TEST_CASE("an output that a kernel does not write is poison") {
  const char *nothing = R"(llvm.func @attnc_mul(%a: !llvm.ptr, %b: !llvm.ptr, %y: !llvm.ptr, %n: i64) -> i32 {
    %ok = llvm.mlir.constant(0 : i32) : i32  llvm.return %ok : i32 })";
  std::string object = sharedObject(nothing, "attnc_mul");
  auto run = [&](Kind kind, DType real) {
    Array x = *Array::zeros(DType::F64, {5});
    KernelRun run = Kernel::load(test::mulDefinition(kind), {.real = real}, object)
                        .value()
                        .run({{"n", 5}}, std::vector{x, x}, {})
                        .value();
    return run.outputs[0];
  };
  for (Array y = run(Kind::Real, DType::F32); float value : y.as<float>())
    CHECK(std::isnan(value));
  for (Array y = run(Kind::Real, DType::F64); double value : y.as<double>())
    CHECK(std::isnan(value));
  Array half = run(Kind::Real, DType::BF16);
  CHECK(half.dtype() == DType::BF16);
  Array wide = *half.converted(DType::F32);
  for (float value : wide.as<float>())
    CHECK(std::isnan(value));
  for (Array y = run(Kind::Int, DType::F32); std::int64_t value : y.as<std::int64_t>())
    CHECK(value == 0x7f7f7f7f7f7f7f7f);
}

TEST_CASE("a kernel that reports failure is an error") {
  const char *failing = R"(llvm.func @attnc_mul(%a: !llvm.ptr, %b: !llvm.ptr, %y: !llvm.ptr, %n: i64) -> i32 {
    %bad = llvm.mlir.constant(3 : i32) : i32  llvm.return %bad : i32 })";
  Kernel kernel = Kernel::load(test::mulDefinition(), {}, sharedObject(failing, "attnc_mul")).value();
  Array x = *Array::zeros(DType::F32, {1});
  CHECK(kernel.run({{"n", 1}}, std::vector{x, x}, {}).error() == "the kernel returned 3");
}

TEST_CASE("a C program calls the shared object through its header") {
  test::Folder directory;
  REQUIRE(writeFile(directory / "libmul.so", sharedObject(test::mulModule, "attnc_mul")).has_value());
  REQUIRE(writeFile(directory / "mul.h", headerText(test::mulDefinition(), DType::F32, {})).has_value());
  REQUIRE(writeFile(directory / "main.c", R"(#include "mul.h"
#include <stdio.h>
int main(void) {
  float a[3] = {1, 2, 3}, b[3] = {4, 5, 6}, y[3];
  if (attnc_mul(a, b, y, 3) != 0) return 1;
  printf("%g %g %g\n", y[0], y[1], y[2]);
  return 0;
})")
              .has_value());
  std::string at = directory.path.string();
  std::string build = fmt::format(
      "cc -std=c99 -Wall -Wextra -Werror -pedantic -I{0} {0}/main.c {0}/libmul.so -Wl,-rpath,{0} -o {0}/main", at);
  REQUIRE(std::system(build.c_str()) == 0);
  REQUIRE(std::system(fmt::format("{0}/main > {0}/out", at).c_str()) == 0);
  CHECK(readFile(directory / "out").value() == "4 10 18\n");
}
