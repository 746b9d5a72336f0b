#pragma once
#include "attnc/kernel/Abi.h"

namespace attnc {

/// The C header of a compiled definition, for C and C++: what it computes, the shape and type of every argument,
/// and the prototype. `fixed` are the sizes that are compiled in; the others are its last arguments.
/// The same text for the same definition, always.
/// With `device`, that of a shared object for CUDA or its emulation (Program.h).
std::string headerText(const Definition &definition, DType real, const Size::Values &fixed, bool device = false);

} // namespace attnc
