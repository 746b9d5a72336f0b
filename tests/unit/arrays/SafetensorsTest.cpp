#include "attnc/arrays/Safetensors.h"
#include "Samples.h"

using namespace attnc;
using namespace attnc::test;
using Catch::Matchers::Contains;

static std::string safetensors(const std::string &header, std::size_t dataSize = 0) {
  std::uint64_t length = header.size();
  return std::string(reinterpret_cast<char *>(&length), 8) + header + std::string(dataSize, 'x');
}
static std::string tensor(const std::string &dtype, const std::string &shape, const std::string &offsets) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

TEST_CASE("safetensors: every type and shape comes back by its name, in the same bytes each time") {
  Folder folder;
  NamedArrays arrays;
  for (DType dtype : allTypes)
    for (const auto &shape : someShapes)
      arrays.emplace_back("layer." + std::string(name(dtype)) + shapeText(shape) + "\"\\é\n", sample(dtype, shape));
  REQUIRE(writeSafetensors(folder / "x.safetensors", arrays));
  auto file = ArrayFile::open(folder / "x.safetensors");
  REQUIRE(file);
  CHECK(file->keys().size() == arrays.size());
  for (const auto &[name, array] : arrays) {
    auto read = file->read(name, array.byteCount());
    REQUIRE(read);
    CHECK(same(*read, array));
  }
  std::string once = *readFile(folder / "x.safetensors");
  std::reverse(arrays.begin(), arrays.end());
  CHECK(*safetensorsText(arrays) == once);
}

TEST_CASE("safetensors: arrays are written aligned, so that reading is a view") {
  NamedArrays arrays = {{"a", sample(DType::Bool, {3})},
                        {"b", sample(DType::F64, {5})},
                        {"c", sample(DType::BF16, {3})},
                        {"d", sample(DType::F32, {7})}};
  auto file = ArrayFile::of(Bytes::of(*safetensorsText(arrays)));
  REQUIRE(file);
  CHECK(file->keys() == std::vector<std::string>{"b", "d", "c", "a"});
  for (const auto &[name, array] : arrays)
    CHECK(same(*file->read(name, 0), array));
}

TEST_CASE("safetensors: unaligned arrays are copied") {
  std::string text =
      safetensors("{\"a\":" + tensor("BOOL", "[1]", "[0,1]") + ",\"b\":" + tensor("F64", "[2]", "[1,17]") + "}");
  std::string data(17, '\0');
  double values[] = {1.5, -2};
  std::memcpy(data.data() + 1, values, 16);
  auto file = ArrayFile::of(Bytes::of(text + data));
  REQUIRE(file);
  CHECK(file->read("b")->as<double>()[1] == -2);
  CHECK(!file->read("b", 15));
}

TEST_CASE("safetensors: metadata, padding and scalars; an empty file of no arrays") {
  std::string text = safetensors(
      "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"b\"},\"s\":" + tensor("I64", "[]", "[0,8]") + "}   ", 8);
  auto file = ArrayFile::of(Bytes::of(text));
  REQUIRE(file);
  CHECK(file->keys() == std::vector<std::string>{"s"});
  CHECK(file->read("s")->shape().empty());
  CHECK(ArrayFile::of(Bytes::of(safetensors("{}")))->keys().empty());
}

TEST_CASE("safetensors: what is wrong with a broken file is said") {
  auto refused = [](const std::string &bytes, const char *why) {
    CHECK_THAT(refusal(bytes, "x.safetensors"), Contains(why));
  };
  std::string good = safetensors("{\"a\":" + tensor("F32", "[2]", "[0,8]") + "}", 8);
  CHECK(refusal(good).empty());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(!refusal(good.substr(0, size), "x.safetensors").empty());
  refused(good + "x", "1 bytes follow its last array");
  refused(std::string(7, 'x'), "ends within");
  refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{", 9), "said to be 16.0 EiB");
  refused(safetensors("[]"), "no object");
  refused(safetensors(" {}"), "no object");
  refused(safetensors("{\"a\":1}"), "number");
  refused(safetensors("{\"a\":{}}"), "lacks its dtype");
  refused(safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}"), "lacks its data_offsets");
  refused(safetensors("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"), "dtype twice");
  refused(safetensors("{\"a\":{\"size\":3}}"), "unknown field 'size'");
  refused(safetensors("{\"a\":" + tensor("F32", "[2]", "[0,8]") + ",\"a\":" + tensor("F32", "[2]", "[8,16]") + "}", 16),
          "'a' stands twice");
  refused(safetensors("{\"a\":" + tensor("F8_E4M3", "[8]", "[0,8]") + "}", 8), "'F8_E4M3'");
  refused(safetensors("{\"a\":" + tensor("F32", "[2]", "[0,8,9]") + "}", 8), "number");
  refused(safetensors("{\"a\":" + tensor("F32", "[2]", "[0]") + "}", 8), "not two");
  refused(safetensors("{\"a\":" + tensor("F32", "[-2]", "[0,8]") + "}", 8), "-2");
  refused(safetensors("{\"a\":" + tensor("F32", "[2.0]", "[0,8]") + "}", 8), "2.0");
  refused(safetensors("{\"a\":" + tensor("F32", "[[2]]", "[0,8]") + "}", 8), "array stands");
  refused(safetensors("{\"a\":" + tensor("F32", "2", "[0,8]") + "}", 8), "number");
  refused(safetensors("{\"a\":" + tensor("F32", "[3]", "[0,8]") + "}", 8), "'a' is float32 [3], but has 8 bytes");
  refused(safetensors("{\"a\":" + tensor("F32", "[3]", "[8,0]") + "}", 8), "lie at 8 to 0");
  refused(safetensors("{\"a\":" + tensor("F32", "[4]", "[0,16]") + "}", 8), "lie at 0 to 16 of 8 bytes");
  refused(safetensors("{\"a\":" + tensor("F32", "[2]", "[4,12]") + "}", 12), "after a hole");
  refused(safetensors("{\"a\":" + tensor("F32", "[2]", "[0,8]") + ",\"b\":" + tensor("F32", "[2]", "[4,12]") + "}", 12),
          "overlaps");
  refused(safetensors("{\"a\":" + tensor("F64", "[4294967296,4294967296]", "[0,0]") + "}"), "has 0 bytes");
  refused(safetensors("{\"a\":" + tensor("F64", "[0,18446744073709551615]", "[0,0]") + "}"),
          "axis of 18446744073709551615");
  refused(safetensors("{\"a\":" + tensor("F64", "[99999999999999999999999]", "[0,0]") + "}"), "stands in it");
  refused(safetensors("{\"a\":" + tensor("F64", "[1e999]", "[0,0]") + "}"), "no JSON");
  refused(safetensors("{\"__metadata__\":{\"a\":1}}"), "number");
  refused(safetensors("{\"__metadata__\":{\"a\":{}}}"), "object stands");
  refused(safetensors("{\"a\":null}"), "null");
  refused(safetensors("{\"a\":true}"), "truth");
  refused(safetensors("{\"\xff\":true}"), "no JSON");
  refused(safetensors("{\"a\":[" + std::string(100000, '[') + "]}"), "array stands");
}

TEST_CASE("safetensors: names that cannot be told apart are not written") {
  Array array = sample(DType::F32, {1});
  Folder folder;
  CHECK_THAT(writeSafetensors(folder / "x", {{"a", array}, {"a", array}}).error(), Contains("two arrays"));
  CHECK_THAT(writeSafetensors(folder / "x", {{"__metadata__", array}}).error(), Contains("__metadata__"));
  CHECK_THAT(writeSafetensors(folder / "x", {{"\xc3", array}}).error(), Contains("cannot be the name"));
}
