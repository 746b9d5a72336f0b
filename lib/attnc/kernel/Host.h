#pragma once
#include <string>

namespace attnc {

/// What this machine's processor says it can do, as text: equal texts, equal code for the `native` target. Made without
/// LLVM, in microseconds.
std::string hostIdentity();

} // namespace attnc
