#include "attnc/gpu/Kernels.h"

#include "attnc/gpu/Gpu.h"

namespace attnc {

namespace func = mlir::func;
namespace gpu = mlir::gpu;

func::FuncOp emptyFunction(mlir::OpBuilder &builder, gpu::GPUFuncOp kernel, mlir::TypeRange extra) {
  llvm::SmallVector<mlir::Type> types(kernel.getArgumentTypes());
  types.append(extra.begin(), extra.end());
  return func::FuncOp::create(builder, kernel.getLoc(), kernel.getName(), builder.getFunctionType(types, {}));
}

int64_t threadsOf(gpu::GPUFuncOp kernel) {
  auto size = kernel.getKnownBlockSize();
  return size ? size->front() : threadsOfBlock;
}

void replaceKernels(mlir::IRRewriter &rewriter, mlir::ModuleOp module,
                    llvm::function_ref<void(gpu::GPUFuncOp)> translate) {
  for (auto host : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    host.erase();
  for (auto kernels : llvm::make_early_inc_range(module.getOps<gpu::GPUModuleOp>())) {
    for (auto kernel : llvm::make_early_inc_range(kernels.getOps<gpu::GPUFuncOp>())) {
      rewriter.setInsertionPoint(kernels);
      translate(kernel);
    }
    kernels.erase();
  }
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
}

} // namespace attnc
