#pragma once
#include "attnc/kernel/Abi.h"

#include <optional>

namespace attnc {

/// The C header of a compiled definition, for C and C++: what it computes, the shape and type of every argument,
/// and the prototype. `sizes` are those the kernel was compiled for, or none when it takes them as arguments.
/// The same text for the same definition, always.
std::string headerText(const Definition &definition, DType real, const std::optional<Size::Values> &sizes);

} // namespace attnc
