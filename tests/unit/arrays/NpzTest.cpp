#include "attnc/arrays/Npz.h"
#include "Samples.h"
#include "attnc/arrays/Npy.h"

#include <zip.h>

using namespace attnc;
using namespace attnc::test;
using Catch::Matchers::Contains;

struct Entry {
  std::string name, bytes;
  int method = ZIP_CM_DEFLATE;
};

/// A zip archive of arbitrary members.
static std::string zipOf(const std::vector<Entry> &entries) {
  Folder folder;
  zip_t *archive = zip_open((folder / "x.zip").c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive);
  for (const Entry &entry : entries) {
    auto index = zip_file_add(archive, entry.name.c_str(),
                              zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0), 0);
    REQUIRE(index >= 0);
    zip_set_file_compression(archive, index, entry.method, 0);
  }
  REQUIRE(zip_close(archive) == 0);
  return *readFile(folder / "x.zip");
}

static NamedArrays manyArrays() {
  NamedArrays arrays;
  for (DType dtype : allTypes)
    for (const auto &shape : someShapes)
      arrays.emplace_back(std::string(name(dtype)) + shapeText(shape), sample(dtype, shape));
  return arrays;
}

TEST_CASE("npz: every type and shape comes back by its name, in the same bytes each time") {
  Folder folder;
  NamedArrays arrays = manyArrays();
  REQUIRE(writeNpz(folder / "x.npz", arrays));
  auto file = ArrayFile::open(folder / "x.npz");
  REQUIRE(file);
  REQUIRE(file->keys().size() == arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    CHECK(file->keys()[i] == arrays[i].first);
    auto read = file->read(arrays[i].first);
    REQUIRE(read);
    CHECK(same(*read, arrays[i].second));
  }
  CHECK(!file->has("none"));
  CHECK_THAT(file->read("none").error(), Contains("'none'"));
  std::string once = *readFile(folder / "x.npz");
  ::setenv("TZ", "Asia/Kathmandu", 1);
  ::tzset();
  CHECK(*npzText(arrays) == once);
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("npz: deflated members, big-endian or in Fortran order, are read") {
  std::string header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2)}\n";
  std::string npy = std::string(npyMagic) + std::string("\1\0", 2) + char(header.size()) + '\0' + header +
                    std::string("\0\1\0\2\0\3\0\4", 8);
  auto array = readOne(zipOf({{"a.npy", npy}}), "a");
  auto values = array.as<std::int16_t>();
  CHECK(std::vector<int>(values.begin(), values.end()) == std::vector<int>{1, 3, 2, 4});
}

TEST_CASE("npz: a key is a member's name with or without .npy; folders are none") {
  std::string npy = npyText(sample(DType::F32, {3}));
  auto file =
      ArrayFile::of(Bytes::of(zipOf({{"a", npy}, {"b.npy", npy}, {"deep/c.npy", npy}, {"folder/", "", ZIP_CM_STORE}})));
  REQUIRE(file);
  CHECK(file->keys() == std::vector<std::string>{"a", "b", "deep/c"});
  for (const std::string &key : file->keys())
    CHECK(file->read(key));
}

TEST_CASE("npz: what attnc writes lies aligned in the archive and is not copied") {
  NamedArrays arrays = manyArrays();
  Bytes bytes = Bytes::of(*npzText(arrays));
  auto file = ArrayFile::of(bytes);
  REQUIRE(file);
  for (const auto &[key, array] : arrays) {
    auto read = file->read(key, 0);
    INFO(key);
    REQUIRE(read);
    CHECK(same(*read, array));
    CHECK(read->data() >= bytes.data.data());
    CHECK(read->data() + read->byteCount() <= bytes.data.data() + bytes.data.size());
  }
}

TEST_CASE("npz: a stored member is copied only where it does not lie aligned") {
  Array array = sample(DType::F64, {50});
  unsigned copied = 0;
  for (std::size_t length = 1; length <= 8; ++length) {
    std::string key(length, 'k');
    Bytes bytes = Bytes::of(zipOf({{key + ".npy", npyText(array), ZIP_CM_STORE}}));
    auto file = ArrayFile::of(bytes);
    REQUIRE(file);
    auto read = file->read(key);
    REQUIRE(read);
    CHECK(same(*read, array));
    bool inside = read->data() >= bytes.data.data() && read->data() < bytes.data.data() + bytes.data.size();
    copied += !inside;
    CHECK(file->read(key, inside ? 0 : array.byteCount()));
    if (!inside)
      CHECK_THAT(file->read(key, array.byteCount() - 1).error(), Contains("needs 400 bytes of memory"));
  }
  CHECK(copied == 7);
}

TEST_CASE("npz: an empty archive has no keys") {
  auto file = ArrayFile::of(Bytes::of(*npzText({})));
  REQUIRE(file);
  CHECK(file->keys().empty());
}

TEST_CASE("npz: what is wrong with a broken archive is said, and other members still read") {
  std::string npy = npyText(sample(DType::F32, {100}));
  CHECK_THAT(refusal(zipOf({{"a", npy}, {"a.npy", npy}})), Contains("holds 'a' twice"));
  CHECK_THAT(refusal(zipOf({{"notes.txt", "hello world, this is text"}})), Contains("'notes.txt': it does not begin"));
  CHECK_THAT(refusal(zipOf({{"a.npy", ""}})), Contains("'a'"));
  CHECK_THAT(refusal(zipOf({{"a.npy", npy + "x"}})), Contains("400 bytes, but 401 bytes follow"));
  CHECK_THAT(refusal(zipOf({{"a.npy", npy.substr(0, 300)}})), Contains("400 bytes, but 172 bytes follow"));
  CHECK_THAT(refusal(zipOf({{"a.npy", npy.substr(0, 20)}})), Contains("ends within its header"));
  if (zip_compression_method_supported(ZIP_CM_BZIP2, 1))
    CHECK_THAT(refusal(zipOf({{"a.npy", npy, ZIP_CM_BZIP2}})), Contains("method NumPy does not use"));
  CHECK(!refusal("not a zip", "x.npz").empty());
  auto file = ArrayFile::of(Bytes::of(zipOf({{"bad.npy", "x"}, {"good.npy", npy}})));
  REQUIRE(file);
  CHECK(!file->read("bad"));
  CHECK(file->read("good"));
}

TEST_CASE("npz: a changed byte of the elements is found by the checksum") {
  Array array = sample(DType::F64, {50});
  std::string bytes = *npzText({{"a", array}});
  std::size_t at = bytes.find(std::string(reinterpret_cast<const char *>(array.data()), 16));
  REQUIRE(at != std::string::npos);
  bytes[at + 5] ^= 1;
  CHECK_THAT(refusal(bytes), Contains("'a'"));
}

TEST_CASE("npz: any one byte changed or cut off gives an array or an error") {
  std::string bytes = zipOf(
      {{"a.npy", npyText(sample(DType::F32, {5}))}, {"b.npy", npyText(sample(DType::I16, {2, 2})), ZIP_CM_STORE}});
  unsigned refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    refused += !refusal(bytes.substr(0, i), "x.npz").empty();
    for (int bit : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] ^= bit;
      refused += !refusal(changed, "x.npz", 1 << 20).empty();
    }
  }
  CHECK(refused > bytes.size());
}

TEST_CASE("npz: a decompression bomb is refused before memory is taken") {
  std::string header = npyHeaderText(DType::U8, std::vector<std::int64_t>{100 << 20});
  std::string bomb = zipOf({{"a.npy", header + std::string(100 << 20, '\0')}}); // 100 KB
  REQUIRE(bomb.size() < 200000);
  CHECK_THAT(refusal(bomb, "", 1 << 20), Contains("needs 100.0 MiB of memory, and the limit is 1.0 MiB"));
  // The same archive that claims more than deflate can make of its bytes.
  std::string lie = bomb;
  for (const char *record : {"PK\1\2", "PK\3\4"}) {
    std::size_t at = lie.find(record), size = at + (record[2] == 1 ? 24 : 22);
    lie.replace(size, 4, "\xff\xff\xff\x7f");
  }
  CHECK_THAT(refusal(lie), Contains("more than the file can hold"));
  // A header that declares more than the member has.
  std::string short_ =
      zipOf({{"a.npy", npyHeaderText(DType::F32, std::vector<std::int64_t>{std::int64_t(5) << 28}) + "abcd"}});
  CHECK_THAT(refusal(short_), Contains("5368709120 bytes, but 4 bytes follow"));
}

TEST_CASE("npz: names that cannot be told apart are not written") {
  Array array = sample(DType::F32, {1});
  Folder folder;
  CHECK_THAT(writeNpz(folder / "x.npz", {{"a", array}, {"a", array}}).error(), Contains("two arrays called 'a'"));
  CHECK_THAT(writeNpz(folder / "x.npz", {{"", array}}).error(), Contains("cannot be the name"));
  CHECK_THAT(writeNpz(folder / "x.npz", {{"\xff", array}}).error(), Contains("cannot be the name"));
  CHECK(!std::filesystem::exists(folder / "x.npz"));
  CHECK(writeNpz(folder / "x.npz", {{"größe/α", array}}));
  CHECK(ArrayFile::open(folder / "x.npz")->keys() == std::vector<std::string>{"größe/α"});
}
