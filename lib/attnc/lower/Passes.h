#pragma once
#include "mlir/Pass/Pass.h"

namespace attnc {

/// `attnc-batch`: attnc → linalg on tensors, not yet fused.
std::unique_ptr<mlir::Pass> createToLinalgPass();
/// `attnc-fuse`: producers go into the loops of their consumers where nothing is computed twice at a loss.
std::unique_ptr<mlir::Pass> createFusePass();
/// `attnc-order-loops`: an innermost loop that runs along memory.
std::unique_ptr<mlir::Pass> createOrderLoopsPass();
/// `attnc-destinations`: results of tensors become arrays the caller gives.
std::unique_ptr<mlir::Pass> createDestinationsPass();
/// `attnc-pointers`: arrays of the interface become bare pointers, index arguments int64_t.
std::unique_ptr<mlir::Pass> createPointersPass();

} // namespace attnc
