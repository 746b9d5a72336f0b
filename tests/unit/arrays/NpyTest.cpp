#include "attnc/arrays/Npy.h"
#include "Samples.h"

#include <fmt/format.h>

using namespace attnc;
using namespace attnc::test;
using Catch::Matchers::Contains;

/// An .npy file by hand.
static std::string npy(std::string header, const std::string &data = "", unsigned major = 1) {
  header += "\n";
  std::string text = std::string(npyMagic) + char(major) + '\0';
  for (unsigned i = 0; i < (major == 1 ? 2 : 4); ++i)
    text += char(header.size() >> 8 * i);
  return text + header + data;
}
static std::string dict(const std::string &descr, const std::string &shape, bool fortran = false) {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr, fortran ? "True" : "False", shape);
}
static std::string data(const Array &array) {
  return {reinterpret_cast<const char *>(array.data()), array.byteCount()};
}

TEST_CASE("npy: every type and shape comes back from its file") {
  Folder folder;
  for (DType dtype : allTypes)
    for (const auto &shape : someShapes) {
      Array array = sample(dtype, shape);
      REQUIRE(writeNpy(folder / "x.npy", array));
      auto file = ArrayFile::open(folder / "x.npy");
      REQUIRE(file);
      CHECK(file->keys() == std::vector<std::string>{""});
      auto read = file->read("");
      REQUIRE(read);
      CHECK(same(*read, array));
      CHECK(!file->read("x"));
    }
}

TEST_CASE("npy: the three versions, and headers as any Python would write them") {
  Array array = sample(DType::F32, {2, 3});
  for (unsigned version : {1, 2, 3})
    CHECK(same(readOne(npy(dict("<f4", "(2, 3)"), data(array), version)), array));
  for (const char *header : {"{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
                             "{\"shape\": (2L, 3L), \"descr\": \"=f4\", 'fortran_order' : False,}   ",
                             "  { 'shape' : ( 2 , 3 , ) ,\t'fortran_order':False , 'descr':'<f4' }"})
    CHECK(same(readOne(npy(header, data(array))), array));
  CHECK(readOne(npy(dict("?", "()"), "\1")).dtype() == DType::Bool);
  CHECK(readOne(npy(dict("bfloat16", "(1,)"), "\x80\x3f")).dtype() == DType::BF16);
}

TEST_CASE("npy: big-endian elements are turned round") {
  for (DType dtype :
       {DType::I16, DType::I32, DType::I64, DType::U16, DType::U32, DType::U64, DType::F16, DType::F32, DType::F64}) {
    Array array = sample(dtype, {3, 2});
    std::string bytes = data(array), descr = npyHeaderText(dtype, {});
    std::size_t width = byteSize(dtype);
    for (std::size_t i = 0; i < bytes.size(); i += width)
      std::reverse(bytes.begin() + i, bytes.begin() + i + width);
    descr = ">" + descr.substr(descr.find('<') + 1, 2);
    CHECK(same(readOne(npy(dict(descr, "(3, 2)"), bytes)), array));
  }
}

TEST_CASE("npy: Fortran order is transposed to ours") {
  std::string bytes;
  for (std::int32_t j = 0; j < 4; ++j)
    for (std::int32_t i = 0; i < 3; ++i)
      for (std::int32_t k = 0; k < 2; ++k) {
        std::int32_t value = 100 * k + 10 * i + j; // element [k, i, j]: k is fastest in the file
        bytes.append(reinterpret_cast<char *>(&value), 4);
      }
  Array array = readOne(npy(dict("<i4", "(2, 3, 4)", true), bytes));
  for (std::int32_t k = 0, at = 0; k < 2; ++k)
    for (std::int32_t i = 0; i < 3; ++i)
      for (std::int32_t j = 0; j < 4; ++j)
        CHECK(array.as<std::int32_t>()[at++] == 100 * k + 10 * i + j);
  CHECK(readOne(npy(dict("<i4", "(0, 3)", true))).shape() == std::vector<std::int64_t>{0, 3});
  CHECK(readOne(npy(dict("|u1", "()", true), "a")).as<std::uint8_t>()[0] == 'a');
}

TEST_CASE("npy: bytes of bools are 0 or 1 after reading") {
  Array array = readOne(npy(dict("|b1", "(4,)"), std::string("\0\1\2\xff", 4)));
  auto bytes = array.as<std::uint8_t>();
  CHECK(std::vector<int>(bytes.begin(), bytes.end()) == std::vector<int>{0, 1, 1, 1});
}

TEST_CASE("npy: what is wrong with a broken file is said") {
  auto refused = [](const std::string &bytes, const char *why) { CHECK_THAT(refusal(bytes, "x.npy"), Contains(why)); };
  std::string good = npy(dict("<f8", "(2,)"), std::string(16, 'x'));
  CHECK(refusal(good).empty());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(!refusal(good.substr(0, size), "x.npy").empty());
  refused("", "empty");
  refused("hello", "does not begin");
  refused(good + "y", "16 bytes, but 17 bytes follow");
  refused(npy(dict("<f8", "(2,)"), "", 4), "version 4.0");
  refused(npy(dict("<f8", "(2,)"), "", 0), "version 0.0");
  refused(npy("", ""), "no dictionary");
  refused(npy("{}", ""), "'descr' is missing");
  refused(npy("{'descr': '<f4', 'fortran_order': False}", ""), "'shape' is missing");
  refused(npy("{'descr': '<f4', 'descr': '<f4'}", ""), "stands twice");
  refused(npy("{'colour': 1}", ""), "unknown key 'colour'");
  refused(npy(dict("<f4", "(1)"), "abcd"), "not a tuple");
  refused(npy(dict("<f4", "(-1,)"), ""), "not a tuple");
  refused(npy(dict("<f4", "(1 2)"), ""), "not a tuple");
  refused(npy(dict("<f4", "(99999999999999999999,)"), ""), "not a tuple");
  refused(npy(dict("<f4", "(,)"), ""), "not a tuple");
  refused(npy(dict("<f4", "(1,)") + " x", "abcd"), "something follows");
  refused(npy(dict("<c16", "(1,)"), ""), "'<c16' are not numbers");
  refused(npy(dict("<f16", "(1,)"), ""), "'<f16'");
  refused(npy(dict("<U5", "(1,)"), ""), "'<U5'");
  refused(npy(dict("<M8[ns]", "(1,)"), ""), "not numbers");
  refused(npy(dict("|O", "(1,)"), ""), "Python objects");
  refused(npy(dict("|V2", "(1,)"), "ab"), "bfloat16");
  refused(npy(dict("\x1b[31m", "(1,)"), "ab"), "'\\u001b[31m'"); // nothing reaches a terminal unescaped
  refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd"), "records");
  refused(npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "abcd"), "True or False");
  std::string axes = "(";
  for (int i = 0; i < 65; ++i)
    axes += "1,";
  refused(npy(dict("<f4", axes + ")"), "abcd"), "65 axes");
}

TEST_CASE("npy: sizes a header makes up take no memory") {
  auto refused = [](const std::string &bytes, const char *why) { CHECK_THAT(refusal(bytes, "x.npy"), Contains(why)); };
  refused(npy(dict("<f4", "(1342177280,)"), "abcd"), "5368709120 bytes, but 4 bytes follow"); // 5 GiB
  refused(npy(dict("<f8", "(4294967296, 4294967296)"), "abcd"), "too large for any memory");
  refused(npy(dict("<f8", "(0, 4294967296, 4294967296)"), ""), "too large for any memory");
  refused(npy(dict("|u1", "(9223372036854775807,)"), ""), "9223372036854775807 bytes, but 0");
  refused(std::string(npyMagic) + std::string("\2\0\xff\xff\xff\xff", 6), "its header is said to be 4.0 GiB");
}

TEST_CASE("npy: what must be copied keeps the limit; a view takes none") {
  std::string big = npy(dict(">f4", "(64,)"), std::string(256, 'x')), little = npyText(sample(DType::F32, {64}));
  CHECK_THAT(refusal(big, "", 255), Contains("needs 256 bytes of memory, and the limit is 255 bytes"));
  CHECK(refusal(big, "", 256).empty());
  CHECK(refusal(little, "", 0).empty()); // aligned by its header
}

TEST_CASE("npy: a large file is mapped, and a mapped array outlives its file") {
  Folder folder;
  Array array = sample(DType::F32, {600, 700});
  REQUIRE(writeNpy(folder / "x.npy", array));
  Array read;
  {
    auto file = ArrayFile::open(folder / "x.npy");
    REQUIRE(file);
    read = *file->read("", 0);
    CHECK(file->read("", 0)->data() == read.data());
  }
  REQUIRE(writeNpy(folder / "x.npy", sample(DType::F32, {600, 700}, 2))); // a new file in its place
  std::filesystem::remove(folder / "x.npy");
  CHECK(same(read, array));
}

TEST_CASE("npy: a file beyond 4 GiB is mapped, and only what is read is read") {
  Folder folder;
  std::int64_t count = (std::int64_t(5) << 30) / 4;
  std::string header = npyHeaderText(DType::F32, std::vector<std::int64_t>{count});
  REQUIRE(writeFile(folder / "x.npy", header));
  std::filesystem::resize_file(folder / "x.npy", header.size() + 4 * count); // a hole on disk
  auto file = ArrayFile::open(folder / "x.npy");
  REQUIRE(file);
  auto array = file->read("", 0);
  REQUIRE(array);
  CHECK(array->elementCount() == count);
  CHECK(array->as<float>().back() == 0);
}

TEST_CASE("npy: headers are NumPy's to the byte, and version 2 where they are long") {
  CHECK(npyHeaderText(DType::F32, std::vector<std::int64_t>{3}) ==
        std::string("\x93NUMPY\1\0v\0", 10) + "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }" +
            std::string(60, ' ') + "\n");
  std::string longest = npyHeaderText(DType::Bool, std::vector<std::int64_t>(40000, 1));
  CHECK(longest[6] == 2);
  CHECK(longest.size() % 64 == 0);
}

TEST_CASE("a file that cannot be read or written says why") {
  Folder folder;
  CHECK_THAT(ArrayFile::open(folder / "none.npy").error(), Contains("No such file"));
  CHECK_THAT(ArrayFile::open(folder / ".").error(), Contains("directory"));
  CHECK(!writeNpy(folder / "none" / "x.npy", sample(DType::F32, {1})));
  CHECK_THAT(refusal("some text"), Contains("no .npy, .npz or .safetensors"));
}
