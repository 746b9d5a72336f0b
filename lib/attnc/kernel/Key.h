#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"
#include "attnc/support/Hash.h"

namespace attnc {

/// What determines the code of a kernel.
struct KernelVariant {
  DType real = DType::F32;
  Size::Values sizes;            // compiled in; the others are arguments of the kernel
  std::string target = "native"; // Target.h says what can stand here
  unsigned level = 2;
  bool tf32 = false; // a device may round factors of f32 to tf32 (gpu/Matrix.h)
};

/// The diagram as bytes, stable from run to run: operations, types, bodies, learners, in the order they have. Names
/// of wires, comments and places in the source are left out. Definitions with equal bytes have equal code and equal
/// calling conventions; two that only mean the same may differ.
std::string serialise(const Definition &definition);

/// The key under which a kernel is cached: everything its code depends on, the compiler included, and this machine, so
/// that machines that share a cache share no code. Nothing when the compiler's build is not known: a stale kernel must
/// never be found. Made without loading the compiler.
std::optional<Hash128> kernelKey(const Definition &definition, const KernelVariant &variant);

} // namespace attnc
