#pragma once
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attnc {

/// On a grid whose points are each the work of a block of so many threads, not of one: its body is what each of them
/// does, and they may wait for one another where all come by.
inline constexpr llvm::StringLiteral blockAttribute = "attnc.block";
/// On such a grid of one axis: there are as many blocks as points, which are no more than the device works on at once.
inline constexpr llvm::StringLiteral persistentAttribute = "attnc.persistent";
/// On an argument of a kernel: it is a tensor map, which is given by its value.
inline constexpr llvm::StringLiteral mapAttribute = "attnc.map";
/// Threads of a warp; and the address space of the memory that a block shares.
inline constexpr std::int64_t warpSize = 32;
inline constexpr unsigned sharedSpace = 3;

/// Whether a loop is the host's: it launches grids, or has scratch of its own. The others are work of one thread.
bool isHostLoop(mlir::scf::ForOp loop);

/// A dense, row-major view of the array that begins where `array` does.
mlir::Value denseView(mlir::OpBuilder &builder, mlir::Location location, mlir::MemRefType type, mlir::Value array,
                      llvm::ArrayRef<mlir::OpFoldResult> extents);

} // namespace attnc
