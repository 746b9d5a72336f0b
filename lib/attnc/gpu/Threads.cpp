#include "attnc/gpu/Gpu.h"
#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

// What a thread is: registers of a GPU that tell it apart from others, or a step of two loops of a CPU.
namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace func = mlir::func;
namespace gpu = mlir::gpu;
namespace scf = mlir::scf;
using mlir::Value;

/// The place of a thread among all.
struct Thread {
  Value block, thread, blocks;
};

/// The kernel as a function with the body of one thread, still to be given its place. `extra` are the types of further
/// arguments.
func::FuncOp functionOf(mlir::IRRewriter &rewriter, gpu::GPUFuncOp kernel, mlir::TypeRange extra) {
  llvm::SmallVector<mlir::Type> types(kernel.getArgumentTypes());
  types.append(extra.begin(), extra.end());
  auto function =
      func::FuncOp::create(rewriter, kernel.getLoc(), kernel.getName(), rewriter.getFunctionType(types, {}));
  rewriter.inlineRegionBefore(kernel.getBody(), function.getBody(), function.getBody().end());
  for (mlir::Type type : extra)
    function.getBody().front().addArgument(type, kernel.getLoc());
  mlir::Operation *end = function.getBody().front().getTerminator();
  rewriter.setInsertionPoint(end);
  rewriter.replaceOpWithNewOp<func::ReturnOp>(end);
  return function;
}

void place(mlir::IRRewriter &rewriter, func::FuncOp function, const Thread &thread) {
  function->walk([&](mlir::Operation *op) {
    rewriter.setInsertionPoint(op);
    if (mlir::isa<gpu::BlockDimOp>(op))
      rewriter.replaceOpWithNewOp<arith::ConstantIndexOp>(op, threadsOfBlock);
    else if (mlir::isa<gpu::GridDimOp>(op))
      rewriter.replaceOp(op, thread.blocks);
    else if (mlir::isa<gpu::BlockIdOp>(op))
      rewriter.replaceOp(op, thread.block);
    else if (mlir::isa<gpu::ThreadIdOp>(op))
      rewriter.replaceOp(op, thread.thread);
  });
}

/// Replaces a module with kernels by their functions.
void replaceModule(mlir::IRRewriter &rewriter, mlir::ModuleOp module,
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

struct Device : mlir::PassWrapper<Device, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Device)
  llvm::StringRef getArgument() const final { return "attnc-device"; }
  llvm::StringRef getDescription() const final { return "kernels as functions whose places are a GPU's registers"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, func::FuncDialect, mlir::LLVM::LLVMDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    replaceModule(rewriter, getOperation(), [&](gpu::GPUFuncOp kernel) {
      func::FuncOp function = functionOf(rewriter, kernel, {});
      rewriter.setInsertionPointToStart(&function.getBody().front());
      auto special = [&](llvm::StringRef name) -> Value {
        auto read = mlir::LLVM::CallIntrinsicOp::create(rewriter, function.getLoc(), rewriter.getI32Type(),
                                                        rewriter.getStringAttr("llvm.nvvm.read.ptx.sreg." + name),
                                                        mlir::ValueRange());
        return arith::IndexCastUIOp::create(rewriter, function.getLoc(), rewriter.getIndexType(), read.getResult(0));
      };
      Thread thread{special("ctaid.x"), special("tid.x"), special("nctaid.x")};
      place(rewriter, function, thread);
    });
  }
};

struct Emulate : mlir::PassWrapper<Emulate, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Emulate)
  llvm::StringRef getArgument() const final { return "attnc-emulate"; }
  llvm::StringRef getDescription() const final { return "kernels as functions in which blocks and threads are loops"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<arith::ArithDialect, func::FuncDialect, scf::SCFDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    replaceModule(rewriter, getOperation(), [&](gpu::GPUFuncOp kernel) {
      func::FuncOp function = functionOf(rewriter, kernel, rewriter.getIndexType());
      mlir::Location location = function.getLoc();
      mlir::Block &body = function.getBody().front();
      auto work = llvm::map_to_vector(body.without_terminator(), [](mlir::Operation &op) { return &op; });
      rewriter.setInsertionPoint(body.getTerminator());
      auto number = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(rewriter, location, value); };
      Value zero = number(0), one = number(1), threads = number(threadsOfBlock);
      Value blocks = body.getArguments().back();
      auto outer = scf::ForOp::create(rewriter, location, zero, blocks, one);
      rewriter.setInsertionPointToStart(outer.getBody());
      auto inner = scf::ForOp::create(rewriter, location, zero, threads, one);
      for (mlir::Operation *op : work)
        op->moveBefore(inner.getBody()->getTerminator());
      place(rewriter, function, {outer.getInductionVar(), inner.getInductionVar(), blocks});
    });
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createDevicePass() { return std::make_unique<Device>(); }
std::unique_ptr<mlir::Pass> createEmulatePass() { return std::make_unique<Emulate>(); }

} // namespace attnc
