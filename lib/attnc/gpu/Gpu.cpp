#include "attnc/gpu/Gpu.h"

#include "attnc/gpu/BlockScans.h"
#include "attnc/gpu/Passes.h"
#include "attnc/gpu/Tiling.h"
#include "attnc/gpu/WarpGroups.h"
#include "attnc/lower/Lower.h"
#include "attnc/lower/Passes.h"
#include "attnc/lower/RunPasses.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace attnc {

namespace {

void buildToLaunches(mlir::OpPassManager &passes, bool warpGroups) {
  auto simplify = [&] {
    passes.addPass(mlir::createCanonicalizerPass());
    passes.addPass(mlir::createCSEPass());
  };
  passes.addNestedPass<mlir::func::FuncOp>(createKnownPass());
  passes.addNestedPass<mlir::func::FuncOp>(mlir::memref::createResolveShapedTypeResultDimsPass());
  passes.addNestedPass<mlir::func::FuncOp>(createKnownPass()); // extents of views are those of arguments now
  simplify();
  passes.addNestedPass<mlir::func::FuncOp>(createBlocksPass(warpGroups));
  passes.addNestedPass<mlir::func::FuncOp>(createGridsPass());
  // No simplification before kernels are made: it would take grids of one point apart.
  passes.addNestedPass<mlir::func::FuncOp>(mlir::memref::createResolveShapedTypeResultDimsPass());
  passes.addNestedPass<mlir::func::FuncOp>(createKnownPass());
  passes.addPass(createOutlinePass());
  passes.addPass(mlir::createLowerAffinePass());
  simplify();
}

void buildKernels(mlir::OpPassManager &passes, std::unique_ptr<mlir::Pass> threads) {
  passes.addPass(std::move(threads));
  passes.addPass(createFunctionsPass());
  passes.addNestedPass<mlir::func::FuncOp>(createExpandMathPass());
  passes.addPass(mlir::memref::createExpandStridedMetadataPass());
  passes.addPass(mlir::createLowerAffinePass());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addNestedPass<mlir::func::FuncOp>(createPointersPass());
  passes.addPass(createToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
}

tl::expected<void, std::string> run(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build,
                                    const char *situation) {
  module.getContext()->getOrLoadDialect<mlir::gpu::GPUDialect>();
  return runPasses(module, build, situation);
}

tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> kernels(mlir::ModuleOp launches,
                                                                     std::unique_ptr<mlir::Pass> (*threads)()) {
  mlir::OwningOpRef<mlir::ModuleOp> module(launches.clone());
  auto lowered = run(
      *module, [&](mlir::OpPassManager &passes) { buildKernels(passes, threads()); },
      "the kernels cannot be lowered to machine code");
  if (!lowered)
    return tl::unexpected(lowered.error());
  return module;
}

} // namespace

void registerGpu(mlir::DialectRegistry &registry) {
  registry.insert<mlir::gpu::GPUDialect, mlir::nvgpu::NVGPUDialect>();
  mlir::registerPass([] { return createBlocksPass(); });
  for (auto create :
       {createKnownPass, createGridsPass, createOutlinePass, createFunctionsPass, createDevicePass, createEmulatePass})
    mlir::registerPass(create);
  static mlir::PassPipelineRegistration<> launches("attnc-to-launches", "linalg on arrays to a host with kernels",
                                                   [](mlir::OpPassManager &passes) { buildToLaunches(passes, false); });
}

tl::expected<void, std::string> lowerToStreams(mlir::ModuleOp module, bool tf32, bool warpGroups) {
  if (tf32)
    module->setAttr(tf32Attribute, mlir::UnitAttr::get(module.getContext()));
  Streaming streaming;
  streaming.products = false; // blocks have products of their own (Products.cpp)
  streaming.refuseScan = refusalOfScan;
  streaming.refuse = [](dialect::StreamOp stream) -> std::string {
    if (stream.getAlgebra() != "sum" && stream.getAlgebra() != "softmax")
      return "there is no kernel for the algebra " + stream.getAlgebra().str();
    auto tiling = tilingOf(stream);
    return tiling ? std::string() : tiling.error();
  };
  if (auto lowered = lowerToLinalg(module, streaming); !lowered)
    return lowered;
  auto narrowed = run(
      module,
      [](mlir::OpPassManager &passes) {
        passes.addNestedPass<mlir::func::FuncOp>(createNarrowPass());
        passes.addPass(mlir::createCanonicalizerPass());
      },
      "the arrays of streams cannot be narrowed");
  if (narrowed && warpGroups)
    module->walk([](dialect::StreamOp stream) {
      auto tiling = groupTilingOf(stream);
      stream.emitRemark(tiling ? "by warp groups" : "by single warps: " + tiling.error());
    });
  return narrowed;
}

tl::expected<void, std::string> lowerToLaunches(mlir::ModuleOp module, bool warpGroups) {
  return run(
      module, [&](mlir::OpPassManager &passes) { buildToLaunches(passes, warpGroups); },
      "the diagram cannot be lowered to kernels");
}

tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> kernelsForDevice(mlir::ModuleOp launches) {
  return kernels(launches, createDevicePass);
}

tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> kernelsForHost(mlir::ModuleOp launches) {
  return kernels(launches, createEmulatePass);
}

} // namespace attnc
