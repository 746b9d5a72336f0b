#pragma once
#include "attnc/kernel/Key.h"

#include <tl/expected.hpp>

namespace attnc {

/// The stations of a definition on its way to machine code, each as a file holds it.
enum class Artefact : std::uint8_t {
  Dialect,  // the `attnc` dialect, as text
  Linalg,   // linalg on tensors, as text
  Llvm,     // optimised LLVM IR, as text
  Assembly, // for the target
  Object,   // ELF, position independent
  Shared,   // a shared object that needs libm and libc only (and libomp where threads are used)
  Gpu,      // for a device: the host and its kernels, as text
  Ptx,      // of CUDA
  Cubin,    // the same assembled, where NVIDIA's assembler is installed
  Header,   // C and C++ (Header.h)
  Streams,  // what is streamed, what is not and why: a line each, with its place in the program
};

/// Makes one. With `sources`, the locations in dialect texts point into the program. Errors, in lower case: a hole
/// that is not filled, an unknown target, what the lowering or the linker refuses.
tl::expected<std::string, std::string> makeArtefact(const Definition &definition, const KernelVariant &variant,
                                                    Artefact artefact, const SourceManager *sources = nullptr);

struct CompileTimes {
  double start = 0, lower = 0, codegen = 0, link = 0; // seconds; `start` loads the compiler itself
};

/// The shared object that `Kernel` loads: with the packed entry (ObjectCode.h) beside the function. Refused for a
/// target that is not this machine.
tl::expected<std::string, std::string> compileKernel(const Definition &definition, const KernelVariant &variant,
                                                     CompileTimes &times);

} // namespace attnc
