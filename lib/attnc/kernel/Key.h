#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"
#include "attnc/kernel/Target.h"
#include "attnc/support/Hash.h"

namespace attnc {

/// What determines the code of a kernel.
struct KernelVariant {
  DType real = DType::F32;
  Size::Values sizes; // compiled in; the others are arguments of the kernel
  Target target;
  unsigned level = 2;
};

/// The diagram as bytes, stable from run to run: operations, types, bodies, learners, in the order they have. Names
/// of wires, comments and places in the source are left out. Definitions with equal bytes have equal code and equal
/// calling conventions; two that only mean the same may differ.
std::string serialise(const Definition &definition);

/// The key under which a kernel is cached: everything its code depends on, this compiler included. Nothing when the
/// program does not know its own build, so that a stale kernel can never be found.
std::optional<Hash128> kernelKey(const Definition &definition, const KernelVariant &variant);

/// The linker's id of the program or library that holds this function, in hexadecimal; empty when it has none.
std::string buildId();

} // namespace attnc
