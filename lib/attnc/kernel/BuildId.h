#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace attnc {

/// The linker's build id of an ELF file, in hexadecimal: a hash of its content. Nothing when it cannot be read or
/// has none.
std::optional<std::string> buildIdOf(const std::filesystem::path &file);

} // namespace attnc
