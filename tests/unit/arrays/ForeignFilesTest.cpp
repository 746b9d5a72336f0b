#include "Samples.h"
#include "attnc/arrays/Npy.h"

#include <cstdlib>
#include <fmt/format.h>

using namespace attnc;
using namespace attnc::test;

/// What NumPy gives for numpy.arange(24) * 3 - 20 cast to the type: ints wrap round, other than `converted`.
static double expected(DType dtype, int i) {
  std::int64_t value = i * 3 - 20;
  switch (dtype) {
  case DType::Bool:
    return value != 0;
  case DType::U8:
    return std::uint8_t(value);
  case DType::U16:
    return std::uint16_t(value);
  case DType::U32:
    return std::uint32_t(value);
  case DType::U64:
    return double(std::uint64_t(value));
  default:
    return double(value);
  }
}

/// Checks every .npy in a directory of fixtures.py; how many there were.
static int checkDirectory(const std::filesystem::path &directory) {
  int count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".npy")
      continue;
    INFO(entry.path());
    auto file = ArrayFile::open(entry.path());
    REQUIRE(file);
    auto array = file->read("");
    REQUIRE(array);
    std::string stem = entry.path().stem();
    if (stem.starts_with("v"))
      stem = stem.substr(3);
    CHECK(name(array->dtype()) == stem.substr(0, stem.find('-')));
    CHECK(array->shape() == std::vector<std::int64_t>{2, 3, 4});
    Array wide = *array->converted(DType::F64);
    for (int i = 0; i < 24; ++i)
      CHECK(wide.as<double>()[i] == expected(array->dtype(), i));
    ++count;
  }
  return count;
}

static void checkArchives(const std::filesystem::path &directory) {
  auto stored = ArrayFile::open(directory / "stored.npz"), deflated = ArrayFile::open(directory / "deflated.npz");
  REQUIRE(stored);
  REQUIRE(deflated);
  CHECK(stored->keys() == std::vector<std::string>{"x", "mask", "scalar", "empty"});
  CHECK(stored->read("scalar")->as<double>()[0] == 2.5);
  CHECK(stored->read("empty")->shape() == std::vector<std::int64_t>{0, 3});
  CHECK(stored->read("mask")->dtype() == DType::Bool);
  CHECK(same(*stored->read("x"), *deflated->read("x")));
  Array y = *deflated->read("y");
  for (int i = 0; i < 24; ++i)
    CHECK(y.as<std::int32_t>()[i] == i * 3 - 20);
}

TEST_CASE("files NumPy made are read") {
  CHECK(checkDirectory(ATTNC_FIXTURES) == 12);
  checkArchives(ATTNC_FIXTURES);
}

static std::string numpyPython() {
  for (const char *python : {"/usr/bin/python3", "python3"})
    if (std::system(fmt::format("{} -c 'import numpy' >/dev/null 2>&1", python).c_str()) == 0)
      return python;
  return "";
}

TEST_CASE("the NumPy at hand makes files we read, and reads those we write") {
  std::string python = numpyPython();
  if (python.empty()) {
    WARN("no python3 with numpy here");
    return;
  }
  Folder folder;
  std::string directory = (folder / "made").string();
  REQUIRE(std::system(fmt::format("{} {}/../fixtures.py {}", python, ATTNC_FIXTURES, directory).c_str()) == 0);
  CHECK(checkDirectory(directory) == 56);
  checkArchives(directory);

  NamedArrays arrays;
  for (DType dtype : allTypes)
    if (dtype != DType::BF16)
      for (const auto &shape : someShapes)
        arrays.emplace_back(fmt::format("{}{}", name(dtype), arrays.size()), sample(dtype, shape));
  REQUIRE(writeNpz(folder / "ours.npz", arrays));
  for (const auto &[name, array] : arrays)
    REQUIRE(writeNpy(folder / (name + ".npy"), array));
  std::string script = R"(
import sys, numpy as np
d, n = sys.argv[1], int(sys.argv[2])
z = np.load(d + "/ours.npz")
assert len(z.files) == n
for key in z.files:
    a, b = z[key], np.load(d + "/" + key + ".npy")
    assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes(), key
    assert key.startswith(a.dtype.name), key
    assert a.flags.c_contiguous
    np.save(d + "/again.npy", b)
    assert open(d + "/again.npy", "rb").read() == open(d + "/" + key + ".npy", "rb").read(), key
)";
  REQUIRE(writeFile(folder / "check.py", script));
  CHECK(std::system(
            fmt::format("{} {} {} {}", python, (folder / "check.py").string(), (folder / "").string(), arrays.size())
                .c_str()) == 0);
}
