#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace attnc {

/// The bytes of a file, or why it cannot be read. "-" is standard input. `limit` bounds the size in bytes.
tl::expected<std::string, std::string> readFile(const std::filesystem::path &path, std::size_t limit = std::size_t(1)
                                                                                                       << 32);

/// Writes a file whole or not at all: into a new file beside it, flushed, then renamed over it, so that
/// a full disk or a crash leaves the old file. "-" is standard output. Returns why it failed.
tl::expected<void, std::string> writeFile(const std::filesystem::path &path, std::string_view bytes);

} // namespace attnc
