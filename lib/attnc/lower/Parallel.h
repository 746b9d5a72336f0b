#pragma once
#include "llvm/ADT/StringRef.h"

namespace attnc {

/// On a loop whose iterations write no element in common and read none that another one writes.
inline constexpr llvm::StringLiteral parallelAttribute = "attnc.parallel";

} // namespace attnc
