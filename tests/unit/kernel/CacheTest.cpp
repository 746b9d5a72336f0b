#include "attnc/kernel/Cache.h"
#include "../Folder.h"
#include "attnc/support/File.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace attnc;
using test::Folder;
namespace fs = std::filesystem;

namespace {
std::string payloadOf(unsigned seed, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = char((i * 131 + seed * 7919) >> 3);
  return bytes;
}

void age(const fs::path &path, int seconds) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(seconds));
}
} // namespace

TEST_CASE("what is stored is found, and nothing else") {
  Folder directory;
  ObjectCache cache(directory.path / "made" / "when needed", 1 << 20);
  Hash128 key = hash128("a"), other = hash128("b");
  CHECK_FALSE(cache.load(key));
  for (std::size_t size : {0, 1, 1000}) {
    CHECK(cache.store(key, payloadOf(1, size)));
    CHECK(cache.load(key) == payloadOf(1, size));
    CHECK_FALSE(cache.load(other));
  }
  fs::copy_file(cache.entry(key), cache.entry(other));
  CHECK_FALSE(cache.load(other)); // an entry knows its key
  CHECK(std::distance(fs::directory_iterator(cache.path()), {}) == 2);
}

TEST_CASE("an entry with one wrong bit anywhere, cut or lengthened, is none") {
  Folder directory;
  ObjectCache cache(directory.path, 1 << 20);
  Hash128 key = hash128("a");
  REQUIRE(cache.store(key, payloadOf(3, 100)));
  std::string good = readFile(cache.entry(key)).value();
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] ^= char(1 << bit);
      int fd = ::open(cache.entry(key).c_str(), O_WRONLY | O_TRUNC);
      REQUIRE(::write(fd, bad.data(), bad.size()) == ssize_t(bad.size()));
      ::close(fd);
      REQUIRE_FALSE(cache.load(key));
    }
  for (std::size_t length = 0; length < good.size(); ++length) {
    std::ofstream(cache.entry(key), std::ios::binary) << good.substr(0, length);
    REQUIRE_FALSE(cache.load(key));
  }
  REQUIRE(writeFile(cache.entry(key), good + "x").has_value());
  CHECK_FALSE(cache.load(key));
  CHECK(cache.store(key, payloadOf(3, 100)));
  CHECK(cache.load(key) == payloadOf(3, 100));
}

TEST_CASE("the entries used longest ago go first") {
  Folder directory;
  ObjectCache cache(directory.path, 3000);
  auto key = [](int i) { return hash128(std::to_string(i)); };
  for (int i = 0; i < 2; ++i) {
    REQUIRE(cache.store(key(i), payloadOf(i, 900)));
    age(cache.entry(key(i)), 100 - i);
  }
  CHECK(cache.load(key(0))); // now 1 is the oldest
  REQUIRE(cache.store(key(2), payloadOf(2, 900)));
  CHECK(cache.load(key(1)).has_value());
  age(cache.entry(key(1)), 50);
  REQUIRE(cache.store(key(3), payloadOf(3, 900)));
  CHECK_FALSE(cache.load(key(1)));
  CHECK(cache.load(key(0)));
  CHECK(cache.load(key(2)));
  CHECK(cache.load(key(3)));
  CHECK_FALSE(cache.store(key(4), payloadOf(4, 3000))); // larger than all there may be
  CHECK(cache.load(key(3)));
}

TEST_CASE("what a dead writer left behind is removed with the rest, and foreign files are not touched") {
  Folder directory;
  ObjectCache cache(directory.path, 3000);
  fs::path left = cache.entry(hash128("x")).string() + ".a1B2c3", foreign = directory.path / "notes.txt";
  REQUIRE(writeFile(left, payloadOf(0, 2500)).has_value());
  REQUIRE(writeFile(foreign, payloadOf(0, 9000)).has_value());
  age(left, 1000);
  age(foreign, 1000);
  REQUIRE(cache.store(hash128("y"), payloadOf(1, 1000)));
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(foreign));
}

TEST_CASE("a cache that cannot be written stores nothing and says nothing") {
  Folder directory;
  REQUIRE(writeFile(directory.path / "file", "").has_value());
  ObjectCache under(directory.path / "file" / "cache", 1 << 20);
  CHECK_FALSE(under.store(hash128("a"), "payload"));
  CHECK_FALSE(under.load(hash128("a")));
  ObjectCache cache(directory.path, 1 << 20);
  fs::create_directory(cache.entry(hash128("d")));
  CHECK_FALSE(cache.load(hash128("d")));
}

TEST_CASE("eight processes at once leave a whole cache and never see half an entry") {
  Folder directory;
  std::uint64_t limit = 60'000; // of 8 keys only some fit, so that eviction runs all the time
  std::vector<pid_t> children;
  for (unsigned child = 0; child < 8; ++child) {
    pid_t pid = ::fork();
    if (pid == 0) {
      ObjectCache cache(directory.path, limit);
      bool right = true;
      for (unsigned step = 0; step < 60; ++step) {
        unsigned which = (step * 5 + child) % 8;
        Hash128 key = hash128(std::to_string(which));
        if (auto found = cache.load(key))
          right &= *found == payloadOf(which, 10'000);
        else
          cache.store(key, payloadOf(which, 10'000));
      }
      ::_exit(right ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (pid_t pid : children) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  ObjectCache cache(directory.path, limit);
  REQUIRE(cache.store(hash128("last"), payloadOf(9, 10'000)));
  CHECK(cache.load(hash128("last")) == payloadOf(9, 10'000));
  std::uint64_t total = 0;
  for (const auto &entry : fs::directory_iterator(directory.path))
    total += entry.file_size();
  CHECK(total <= limit);
}

TEST_CASE("the place and the bound of the user's cache come from the environment") {
  struct Variable {
    const char *name;
    std::optional<std::string> old;
    Variable(const char *name, const char *value) : name(name) {
      if (const char *was = std::getenv(name))
        old = was;
      value ? ::setenv(name, value, 1) : ::unsetenv(name);
    }
    ~Variable() { old ? ::setenv(name, old->c_str(), 1) : ::unsetenv(name); }
  };
  Variable own("ATTNC_CACHE_DIR", nullptr), xdg("XDG_CACHE_HOME", nullptr), home("HOME", "/h"),
      size("ATTNC_CACHE_SIZE", nullptr);
  CHECK(ObjectCache::ofUser()->path() == "/h/.cache/attnc");
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  CHECK(ObjectCache::ofUser()->path() == "/x/attnc");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(ObjectCache::ofUser()->path() == "/h/.cache/attnc");
  ::setenv("ATTNC_CACHE_DIR", "/own", 1);
  CHECK(ObjectCache::ofUser()->path() == "/own");
  CHECK(ObjectCache::ofUser("/given")->path() == "/given");
  ::setenv("ATTNC_CACHE_SIZE", "0", 1);
  CHECK_FALSE(ObjectCache::ofUser());
  CHECK(parseBytes("2K") == 2048u);
  CHECK(parseBytes("3M") == 3u << 20);
  CHECK(parseBytes("12") == 12u);
  CHECK_FALSE(parseBytes("12Q"));
  CHECK_FALSE(parseBytes(""));
  CHECK_FALSE(parseBytes("-1"));
  CHECK_FALSE(parseBytes("99999999999999999G"));
}
