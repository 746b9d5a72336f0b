#pragma once

namespace llvm {
class Module;
}

namespace attnc {

/// Replaces each rounding of a float to a bfloat16 by integer operations: to nearest, ties to even, NaN kept quiet.
/// x86 without AVX512-BF16 has no such instruction, and the function that the backend would call instead is in
/// neither libm nor libc.
void expandBfloatRounding(llvm::Module &module);

} // namespace attnc
