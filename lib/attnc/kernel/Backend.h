#pragma once
#include "attnc/kernel/Target.h"

namespace llvm {
class Target;
}

namespace attnc {

/// LLVM's backend for a target. Only the backend of that one architecture is initialised, so that a program
/// that compiles for this machine does not pay for the others.
tl::expected<const llvm::Target *, std::string> backendFor(const Target &target);

} // namespace attnc
