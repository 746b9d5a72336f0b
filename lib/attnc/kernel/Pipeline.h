#pragma once
#include "attnc/kernel/Compile.h"

namespace attnc {

/// What the compiler's library does behind `makeArtefact` and `compileKernel`, for every artefact but the header.
tl::expected<std::string, std::string> buildArtefact(const Definition &definition, const KernelVariant &variant,
                                                     Artefact artefact, const SourceManager *sources);
tl::expected<std::string, std::string> buildKernel(const Definition &definition, const KernelVariant &variant,
                                                   CompileTimes &times);

} // namespace attnc
