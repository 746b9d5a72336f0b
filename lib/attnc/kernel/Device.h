#pragma once
#include "attnc/kernel/Compile.h"
#include "attnc/kernel/Target.h"

namespace mlir {
class ModuleOp;
}

namespace attnc {

/// What is made of a definition whose module is lowered to launches (gpu/Gpu.h): device code as LLVM IR, PTX or cubin,
/// the host and its kernels as text, or a shared object with all of it.
tl::expected<std::string, std::string> deviceArtefact(mlir::ModuleOp launches, const Definition &definition,
                                                      const KernelVariant &variant, const Target &target,
                                                      Artefact artefact);

} // namespace attnc
