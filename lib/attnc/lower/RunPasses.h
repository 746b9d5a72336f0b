#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <tl/expected.hpp>

namespace attnc {

/// The passes that `build` adds, on a module; `situation: what they reported` where one fails.
tl::expected<void, std::string> runPasses(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build,
                                          const char *situation);

} // namespace attnc
