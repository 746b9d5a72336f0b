#pragma once
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <tl/expected.hpp>
#include <utility>

namespace attnc {

/// A directory of its own, gone at the end of the scope.
struct WorkDirectory {
  std::filesystem::path path;
  static tl::expected<WorkDirectory, std::string> make(std::string_view prefix) {
    std::error_code error;
    std::filesystem::path root = std::filesystem::temp_directory_path(error);
    std::string name = (error ? std::filesystem::path("/tmp") : root) / fmt::format("{}.XXXXXX", prefix);
    if (!::mkdtemp(name.data()))
      return tl::unexpected(fmt::format("no temporary directory can be made in {}", root.string()));
    return WorkDirectory(name);
  }
  explicit WorkDirectory(std::filesystem::path path) : path(std::move(path)) {}
  WorkDirectory(WorkDirectory &&other) noexcept : path(std::exchange(other.path, {})) {}
  ~WorkDirectory() {
    std::error_code ignored;
    if (!path.empty())
      std::filesystem::remove_all(path, ignored);
  }
};

} // namespace attnc
