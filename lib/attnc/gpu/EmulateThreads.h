#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// Whether threads of a kernel wait for one another other than all together.
bool hasWarpGroups(mlir::gpu::GPUFuncOp kernel);

/// The kernel as the code of one thread, which calls the emulated device (launch/Emulated.h). `function` takes the
/// kernel's arguments and the number of blocks.
void emulateThread(mlir::IRRewriter &rewriter, mlir::gpu::GPUFuncOp kernel, mlir::func::FuncOp function);

} // namespace attnc
