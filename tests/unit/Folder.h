#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace attnc::test {

/// An empty folder for one test, gone when the test ends.
struct Folder {
  std::filesystem::path path;

  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "attnc-test.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored; // a test may have taken the permissions away
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder &) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path / name; }
  /// Writes a file of the folder, and gives its path.
  std::string file(const std::string &name, const std::string &text) const {
    std::ofstream(path / name) << text;
    return path / name;
  }
  std::size_t entries() const { return std::distance(std::filesystem::directory_iterator(path), {}); }
};

} // namespace attnc::test
