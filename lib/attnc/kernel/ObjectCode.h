#pragma once
#include "attnc/kernel/Abi.h"
#include "attnc/kernel/Target.h"

#include <cstdint>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace attnc {

/// What the backend writes: optimised LLVM IR as text, assembly as text, or an ELF object.
enum class Emit : std::uint8_t { Llvm, Assembly, Object };

struct CodegenOptions {
  Target target;
  unsigned level = 2; // of the optimisation pipeline, 0 to 3
  /// The functions others may call; every other definition becomes local. Empty: all are kept as they are.
  std::vector<std::string> exported;
  /// Adds `int32_t NAME_packed(void **slots)` for each exported function NAME: a slot holds the pointer or
  /// the 64-bit value of one argument, in order. With it a kernel is called without knowing its prototype.
  bool packed = false;
  /// Adds a program for a device, with its functions (Program.h).
  const struct DeviceProgram *program = nullptr;
};

/// Optimises a module in the LLVM dialect and writes it for a target. The code is position independent; floating
/// point is reassociated or contracted only where the operations allow it. Deterministic.
tl::expected<std::string, std::string> emitCode(mlir::ModuleOp module, const CodegenOptions &options, Emit form);

} // namespace attnc
