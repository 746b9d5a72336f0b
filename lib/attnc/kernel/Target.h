#pragma once
#include "attnc/stream/Machine.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace attnc {

/// The machine that code is made for: a triple, a level of the architecture and the features beyond it.
///
///     native                  this machine
///     x86-64-v3               AVX2 and FMA
///     x86-64-v4+avx512bf16    AVX-512 with one more feature
///     x86-64-v4+amx-bf16      AVX-512 and tile registers, by which streams in bf16 are multiplied
///     x86-64-v4+bf16-dot      AVX512-BF16, whose dot products are worth it: at twice the rate of multiply-adds or more
///     native+amx-emulated     this machine, with tile registers as arrays and loops
///     aarch64+sve             64-bit Arm with scalable vectors
///     cuda:sm_90a             NVIDIA's devices of that architecture; sm_80 if left out
///     cuda-emulated:sm_90a    this machine, running that device's kernels one thread after another; sm_80 if left out
///
/// A target is what it can do, not who made it: a virtual machine may call itself an older CPU than it is.
/// The levels of x86-64 are those of its psABI. Where there is AVX-512, vectors of 512 bits are asked for. This machine
/// has tile registers if the system lets the process use them. How fast dot products are no feature tells, so that they
/// are used where they are asked for: `bf16-dot` and `amx-emulated` are features of attnc, the others are LLVM's.
struct Target {
  std::string triple;
  std::string level;    // the -mcpu of LLVM: "x86-64-v4", "generic"
  std::string features; // the -mattr of LLVM: "+avx512bf16,-prefer-256-bit"
  /// Whose memory holds the arrays, and who runs kernels.
  enum class Device : std::uint8_t { None, Cuda, Emulated };
  Device device = Device::None;
  Machine::Pairs pairs = Machine::Pairs::None;
  bool emulatesTiles = false;
  std::string emulated; // the architecture of an emulated device

  /// Two targets with equal keys get equal code.
  std::string key() const;
  /// What of it the tiles of streams are made for.
  Machine machine() const;
  bool isHostArchitecture() const;
  bool hasWideVectors() const;
  /// AVX2's vectors of 256 bits and multiply-add.
  bool hasFusedMultiply() const;
  /// A device whose warps compute by fours, and whose copies come by themselves.
  bool hasWarpGroups() const { return level == "sm_90a" || emulated == "sm_90a"; }
};

/// The target a text names. The error names the known levels, or the feature nearest to one it does not know.
tl::expected<Target, std::string> parseTarget(std::string_view text);

/// Why code for the target cannot run on this machine: another architecture, or the name of a feature it lacks.
tl::expected<void, std::string> runsHere(const Target &target);

} // namespace attnc
