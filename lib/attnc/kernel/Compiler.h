#pragma once
#include "attnc/kernel/Compile.h"

#include <filesystem>

namespace attnc {

/// The compiler proper is a library of its own, `libattnc_compiler.so`, which alone needs MLIR and LLVM. It is loaded
/// when something is first compiled: MLIR and LLVM take tens of milliseconds to load, and a program that only checks,
/// draws, or runs a kernel from the cache does without. It is made together with the program that loads it.
struct CompilerInterface {
  decltype(makeArtefact) *artefact;
  decltype(compileKernel) *kernel;
};

/// The one symbol of the library.
inline constexpr const char *compilerEntry = "attncCompiler";
using CompilerEntry = const CompilerInterface *();

/// Beside the installed program in ../lib/attnc, else where it was built.
std::filesystem::path compilerPath();

/// The build ids of the compiler's library and of the MLIR and LLVM it uses, read from their files; empty when one
/// has none. Two compilers of one identity make the same code.
std::string compilerIdentity();

} // namespace attnc
