#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// Kernels of a `gpu.module` on their way to functions.

/// An empty function beside the modules of kernels with the arguments of a kernel and further ones.
mlir::func::FuncOp emptyFunction(mlir::OpBuilder &builder, mlir::gpu::GPUFuncOp kernel, mlir::TypeRange extra);
/// Threads of a block.
int64_t threadsOf(mlir::gpu::GPUFuncOp kernel);
/// Replaces the host and the modules with kernels by what `translate` makes beside them.
void replaceKernels(mlir::IRRewriter &rewriter, mlir::ModuleOp module,
                    llvm::function_ref<void(mlir::gpu::GPUFuncOp)> translate);

} // namespace attnc
