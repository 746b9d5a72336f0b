#pragma once
#include "mlir/Pass/Pass.h"

namespace attnc {

/// On a function: its arrays are apart, so that what is written through one is not read through another.
constexpr llvm::StringRef apartAttribute = "attnc.apart";

/// `attnc-batch`: attnc → linalg on tensors, not yet fused.
std::unique_ptr<mlir::Pass> createToLinalgPass();
/// `attnc-expand-softmax`: the softmaxes through which no stream runs, as folds and maps.
std::unique_ptr<mlir::Pass> createExpandSoftmaxPass();
/// `attnc-expand-topk`: the selections that are no streams, as loops.
std::unique_ptr<mlir::Pass> createExpandTopKPass();
/// `attnc-fuse`: producers go into the loops of their consumers where nothing is computed twice at a loss.
std::unique_ptr<mlir::Pass> createFusePass();
/// `attnc-order-loops`: an innermost loop that runs along memory.
std::unique_ptr<mlir::Pass> createOrderLoopsPass();
/// `attnc-destinations`: results of tensors become arrays the caller gives.
std::unique_ptr<mlir::Pass> createDestinationsPass();
/// `attnc-places`: values do not share arrays; loops keep their states in place.
std::unique_ptr<mlir::Pass> createPlacesPass();
/// `attnc-copies`: copies of strided arrays as loops.
std::unique_ptr<mlir::Pass> createCopiesPass();
/// `attnc-free`: each buffer is freed after its last use.
std::unique_ptr<mlir::Pass> createFreePass();
/// `attnc-loops`: nests become loops, the outer ones of large nests shared out to threads.
std::unique_ptr<mlir::Pass> createLoopsPass();
/// `attnc-share`: in a kernel of many nests, those that are alike become calls of one function.
std::unique_ptr<mlir::Pass> createSharePass();
/// `attnc-unscope`: scopes of stack memory that nothing takes are dropped.
std::unique_ptr<mlir::Pass> createUnscopePass();
/// `attnc-expand-math`: functions on f32 become arithmetic that vectorises.
std::unique_ptr<mlir::Pass> createExpandMathPass();
/// `attnc-convert-to-llvm`: what stands below loops becomes the LLVM dialect.
std::unique_ptr<mlir::Pass> createToLLVMPass();
/// `attnc-alias-scopes`: loads and stores that threads share say of which array they are.
std::unique_ptr<mlir::Pass> createAliasScopesPass();
/// `attnc-pointers`: arrays of the interface become bare pointers, index arguments int64_t.
std::unique_ptr<mlir::Pass> createPointersPass();

} // namespace attnc
