#pragma once

namespace llvm {
class Module;
}

namespace attnc {

/// Lets every kernel return 1 when memory for a scratch array is refused, instead of writing through null. What it
/// has taken until then is not given back.
void refuseMissingScratch(llvm::Module &module);

} // namespace attnc
