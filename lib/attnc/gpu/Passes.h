#pragma once
#include "mlir/Pass/Pass.h"

namespace attnc {

/// `attnc-blocks`: streams on arrays become grids of blocks of threads, which share memory and have matrix units; of
/// warp groups, where the device has them and they can (WarpGroups.h).
std::unique_ptr<mlir::Pass> createBlocksPass(bool warpGroups = false);
/// `attnc-grids`: nests of loops over arrays become grids of independent points, each of which folds in order.
std::unique_ptr<mlir::Pass> createGridsPass();
/// `attnc-known`: what the host knows is no array: extents, shapes, scalars of index arithmetic.
std::unique_ptr<mlir::Pass> createKnownPass();
/// `attnc-outline`: grids become kernels of a `gpu.module`, and their places launches.
std::unique_ptr<mlir::Pass> createOutlinePass();
/// `attnc-functions`: functions of real numbers that no instruction of a GPU computes, as arithmetic.
std::unique_ptr<mlir::Pass> createFunctionsPass();
/// `attnc-device`: kernels as functions whose indices are a GPU's registers.
std::unique_ptr<mlir::Pass> createDevicePass();
/// `attnc-emulate`: kernels as functions in which blocks and threads are loops.
std::unique_ptr<mlir::Pass> createEmulatePass();

} // namespace attnc
