#include "attnc/support/File.h"
#include "../Folder.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace attnc;
using test::Folder;
namespace fs = std::filesystem;

namespace {
unsigned mode(const fs::path &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : ~0u;
}
} // namespace

TEST_CASE("what is written is read back", "[file]") {
  Folder folder;
  std::string bytes("a\0b\nc", 5);
  REQUIRE(writeFile(folder.path / "x", bytes));
  CHECK(readFile(folder.path / "x") == bytes);
  REQUIRE(writeFile(folder.path / "x", ""));
  CHECK(readFile(folder.path / "x") == "");
  CHECK(folder.entries() == 1); // nothing is left beside it
}

TEST_CASE("a new file heeds the umask, an old one keeps its permissions", "[file]") {
  Folder folder;
  mode_t before = ::umask(027);
  REQUIRE(writeFile(folder.path / "new", "1"));
  ::umask(before);
  CHECK(mode(folder.path / "new") == 0640);
  ::chmod((folder.path / "new").c_str(), 0751);
  REQUIRE(writeFile(folder.path / "new", "2"));
  CHECK(mode(folder.path / "new") == 0751);
}

TEST_CASE("writing through a link writes what it points to", "[file]") {
  Folder folder;
  REQUIRE(writeFile(folder.path / "real", "1"));
  fs::create_symlink("real", folder.path / "link");
  REQUIRE(writeFile(folder.path / "link", "2"));
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(readFile(folder.path / "real") == "2");
}

TEST_CASE("writing through a link to nothing makes what it points to", "[file]") {
  Folder folder;
  fs::create_symlink("real", folder.path / "link");
  REQUIRE(writeFile(folder.path / "link", "2"));
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(readFile(folder.path / "real") == "2");
}

TEST_CASE("a failure leaves the old file and nothing beside it", "[file]") {
  Folder folder;
  REQUIRE_FALSE(writeFile(folder.path / "none" / "x", "1"));
  CHECK(folder.entries() == 0);
  fs::create_directory(folder.path / "dir");
  CHECK_FALSE(writeFile(folder.path / "dir", "1"));
  CHECK(folder.entries() == 1);
  if (::geteuid() != 0) {
    REQUIRE(writeFile(folder.path / "x", "old"));
    fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
    CHECK_FALSE(writeFile(folder.path / "x", "new"));
    CHECK(readFile(folder.path / "x") == "old");
  }
}

TEST_CASE("a full device is an error", "[file]") {
  if (fs::exists("/dev/full"))
    CHECK_FALSE(writeFile("/dev/full", "x"));
  CHECK(writeFile("/dev/null", "x"));
}

TEST_CASE("reading says why it cannot", "[file]") {
  Folder folder;
  CHECK(readFile(folder.path / "none").error() == "No such file or directory");
  CHECK(readFile(folder.path).error() == "it is a directory");
  REQUIRE(writeFile(folder.path / "x", "12345"));
  CHECK(readFile(folder.path / "x", 5) == "12345");
  CHECK(readFile(folder.path / "x", 4).error() == "it is larger than 4 bytes");
}
