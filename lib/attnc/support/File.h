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
/// a full disk or a crash leaves the old file. A device or a pipe is written as it is, and so is standard output, which
/// is "-"; a terminal is given text alone. Returns why it failed.
tl::expected<void, std::string> writeFile(const std::filesystem::path &path, std::string_view bytes);

/// "-", or its name as a device.
bool isStandardOutput(const std::filesystem::path &path);

/// The form in which an output is asked for: its extension, without the dot. Standard output, a device or a pipe has no
/// name to choose, so without an extension it takes `otherwise`.
std::string formOf(const std::filesystem::path &path, std::string_view otherwise);

} // namespace attnc
