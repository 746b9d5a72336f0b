#include "attnc/lower/Lower.h"

#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Passes.h"
#include "attnc/lower/RunPasses.h"
#include "attnc/stream/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/SCFToOpenMP/SCFToOpenMP.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace attnc {

namespace {

namespace func = mlir::func;
namespace bufferization = mlir::bufferization;

void addDialects(mlir::DialectRegistry &registry) {
  registry.insert<dialect::AttncDialect, mlir::affine::AffineDialect, mlir::arith::ArithDialect,
                  bufferization::BufferizationDialect, mlir::cf::ControlFlowDialect, func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::linalg::LinalgDialect, mlir::math::MathDialect,
                  mlir::memref::MemRefDialect, mlir::omp::OpenMPDialect, mlir::scf::SCFDialect,
                  mlir::tensor::TensorDialect, mlir::ub::UBDialect, mlir::vector::VectorDialect>();
  mlir::arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  mlir::linalg::registerAllDialectInterfaceImplementations(registry);
  mlir::scf::registerBufferizableOpInterfaceExternalModels(registry);
  mlir::tensor::registerBufferizableOpInterfaceExternalModels(registry);
  mlir::tensor::registerSubsetOpInterfaceExternalModels(registry);
  registerStreamBufferization(registry);
}

void buildToLinalg(mlir::OpPassManager &passes, const Streaming &streaming) {
  passes.addNestedPass<func::FuncOp>(createToLinalgPass());
  passes.addPass(mlir::createCSEPass());
  if (streaming.scans)
    passes.addNestedPass<func::FuncOp>(createScansPass(streaming.refuseScan));
  if (streaming.streams)
    passes.addNestedPass<func::FuncOp>(createStreamPass(streaming.refuse));
  passes.addNestedPass<func::FuncOp>(createExpandSoftmaxPass());
  passes.addNestedPass<func::FuncOp>(createExpandTopKPass());
  if (streaming.products)
    passes.addNestedPass<func::FuncOp>(createProductsPass());
  passes.addNestedPass<func::FuncOp>(createFusePass());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addNestedPass<func::FuncOp>(createOrderLoopsPass());
}

void buildToArrays(mlir::OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createDestinationsPass());
  passes.addNestedPass<func::FuncOp>(createPlacesPass());
  passes.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferAlignment = 64; // a cache line, and the widest vector
  passes.addPass(bufferization::createOneShotBufferizePass(bufferize));
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addNestedPass<func::FuncOp>(createCopiesPass());
  passes.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  passes.addNestedPass<func::FuncOp>(createFreePass());
}

void buildToLLVM(mlir::OpPassManager &passes, const Machine &machine) {
  if (machine.pairs != Machine::Pairs::None) {
    passes.addNestedPass<func::FuncOp>(createNarrowPass(goesByPairs));
    passes.addPass(mlir::createCanonicalizerPass());
  }
  buildToArrays(passes);
  passes.addPass(createSharePass());
  passes.addPass(createTilesPass(machine));
  if (machine.emulatesTiles)
    passes.addPass(createEmulateAmxPass());
  passes.addPass(createChunksPass(machine));
  passes.addPass(createMultiplyPass(machine));
  passes.addNestedPass<func::FuncOp>(createLoopsPass());
  passes.addNestedPass<func::FuncOp>(createExpandMathPass());
  passes.addPass(mlir::memref::createExpandStridedMetadataPass());
  passes.addPass(mlir::createLowerAffinePass());
  passes.addPass(mlir::createConvertSCFToOpenMPPass());
  passes.addNestedPass<func::FuncOp>(createUnscopePass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addNestedPass<func::FuncOp>(createPointersPass());
  passes.addPass(createToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  passes.addNestedPass<mlir::LLVM::LLVMFuncOp>(createAliasScopesPass());
}

tl::expected<void, std::string> run(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build,
                                    const char *situation) {
  prepareContext(*module.getContext());
  return runPasses(module, build, situation);
}

} // namespace

void prepareContext(mlir::MLIRContext &context) {
  if (context.getLoadedDialect<dialect::AttncDialect>())
    return;
  mlir::DialectRegistry registry;
  addDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

void registerLowering(mlir::DialectRegistry &registry) {
  addDialects(registry);
  for (auto create : {createToLinalgPass, createFusePass, createOrderLoopsPass, createDestinationsPass,
                      createPlacesPass, createCopiesPass, createFreePass, createLoopsPass, createUnscopePass,
                      createExpandMathPass, createPointersPass, createToLLVMPass, createAliasScopesPass,
                      createExpandSoftmaxPass, createExpandTopKPass, createSharePass, createProductsPass})
    mlir::registerPass(create);
  mlir::registerPass([] { return createScansPass(); });
  mlir::registerPass([] { return createStreamPass(); });
  mlir::registerPass([] { return createNarrowPass(); });
  mlir::registerPass(createEmulateAmxPass);
  registerTilesPass();
  registerChunksPass();
  registerMultiplyPass();
  static mlir::PassPipelineRegistration<> linalg("attnc-to-linalg", "attnc to linalg on tensors, fused",
                                                 [](mlir::OpPassManager &passes) { buildToLinalg(passes, {}); });
  static mlir::PassPipelineRegistration<> nests(
      "attnc-to-nests", "attnc to linalg on tensors, fused, without streams",
      [](mlir::OpPassManager &passes) { buildToLinalg(passes, {false, false, false, {}, {}}); });
  static mlir::PassPipelineRegistration<> arrays(
      "attnc-to-arrays", "linalg on tensors to linalg on arrays, each with its place", buildToArrays);
  static mlir::PassPipelineRegistration<> llvm("attnc-to-llvm",
                                               "linalg on tensors to the LLVM dialect with the C interface",
                                               [](mlir::OpPassManager &passes) { buildToLLVM(passes, {}); });
}

tl::expected<void, std::string> lowerToLinalg(mlir::ModuleOp module, const Streaming &streaming) {
  return run(
      module, [&](mlir::OpPassManager &passes) { buildToLinalg(passes, streaming); },
      "the diagram cannot be lowered to loops over arrays");
}

tl::expected<void, std::string> lowerToArrays(mlir::ModuleOp module) {
  return run(module, buildToArrays, "no places can be found for the arrays");
}

tl::expected<void, std::string> lowerToLLVM(mlir::ModuleOp module, const Machine &machine) {
  return run(
      module, [&](mlir::OpPassManager &passes) { buildToLLVM(passes, machine); },
      "the loops cannot be lowered to machine code");
}

} // namespace attnc
