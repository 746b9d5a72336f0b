#pragma once
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attnc {

/// Whether a loop is the host's: it launches grids, or has scratch of its own. The others are work of one thread.
bool isHostLoop(mlir::scf::ForOp loop);

/// A dense, row-major view of the array that begins where `array` does.
mlir::Value denseView(mlir::OpBuilder &builder, mlir::Location location, mlir::MemRefType type, mlir::Value array,
                      llvm::ArrayRef<mlir::OpFoldResult> extents);

} // namespace attnc
