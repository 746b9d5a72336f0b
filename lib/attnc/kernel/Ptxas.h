#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace attnc {

/// NVIDIA's assembler: on the PATH, in $CUDA_HOME/bin, $CUDA_PATH/bin or /usr/local/cuda/bin.
std::optional<std::filesystem::path> findPtxas();

/// PTX as machine code of an architecture, e.g. "sm_90a". The error says where the assembler was looked for, or what it
/// said.
tl::expected<std::string, std::string> assemblePtx(const std::string &ptx, const std::string &architecture);

} // namespace attnc
