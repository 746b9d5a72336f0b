#pragma once
#include <string>
#include <vector>

namespace llvm {
class Module;
}

namespace attnc {

/// What a kernel returns where it needs tile registers and the system does not let the process use them.
inline constexpr int tilesRefused = 5;

/// Lets kernels that use tile registers (AMX) ask the system for them, once a process: their state is large, and Linux
/// saves it only for processes that ask. Where it is refused, or the processor has none, they return `tilesRefused`.
void requestTiles(llvm::Module &module, const std::vector<std::string> &exported);

/// Asks for this process; false where it is refused, and where there is no such thing.
bool tilesAllowed();

} // namespace attnc
