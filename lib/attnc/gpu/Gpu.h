#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace attnc {

/// The road of every diagram to a GPU:
///
///     attnc ─lowerToStreams→ linalg on tensors ─lowerToArrays→
///     linalg on arrays ─lowerToLaunches→ host + gpu.module ─┬─ planOf ────────────→ Plan, which launch/ runs
///                                                           ├─ kernelsForDevice ──→ LLVM dialect for NVPTX
///                                                           └─ kernelsForHost ────→ LLVM dialect for this machine
///
/// A stream whose lengths of keys and values are known becomes one kernel of blocks with shared memory and matrix units
/// (BlockStreams.cpp), or of warp groups where the device has them (WarpGroups.h). Every other nest of loops over
/// arrays becomes one kernel. A point of its parallel loops is the work of one thread, which folds in order: the result
/// does not depend on how many threads there are. Kernels of one program follow each other on one stream, so that none
/// needs a barrier. All arrays lie in the device's memory; what the host knows, sizes and the steps of its loops, are
/// arguments of kernels.
///
/// A kernel takes addresses and 64-bit numbers alone: `NAME_i(void *…, int64_t …)`, in the order of `Plan`; and, where
/// warp groups are (WarpGroups.h), tensor maps by value behind them.

/// The name of the gpu.module with all kernels.
inline constexpr const char *kernelsModule = "kernels";
/// Threads of a block, and the most blocks of a launch; a thread takes several points of a larger grid.
inline constexpr std::int64_t threadsOfBlock = 256, mostBlocks = 1 << 16;
/// 64-bit words of a tensor map.
inline constexpr std::int64_t mapWords = 16;

/// What the host does, as data: a list of instructions on 64-bit registers (launch/Plan.h). Registers hold first the
/// addresses of all arrays of the interface, then the sizes.
struct Plan {
  std::int64_t arrays = 0, sizes = 0, registers = 0;
  std::vector<std::int64_t> code;
  std::vector<std::string> kernels;
  std::vector<std::int64_t> arguments; // how many each kernel takes
  std::vector<std::int64_t> maps;      // how many of them, the last, are tensor maps
  std::vector<std::int32_t> shared;    // bytes of memory that a block of each shares
};

/// Registers dialects, passes and pipelines for a tool that names them in text.
void registerGpu(mlir::DialectRegistry &registry);

/// attnc → linalg on tensors with the streams that blocks can take. Remarks tell which, and why others are not; where
/// the device has warp groups, also which of them are theirs. `tf32`: the factors of their products may be rounded so
/// where arrays are f32.
tl::expected<void, std::string> lowerToStreams(mlir::ModuleOp module, bool tf32, bool warpGroups);

/// linalg on arrays (`lowerToArrays`) → one host function with `gpu.launch_func`, and a `gpu.module`. Fails, in lower
/// case, where the host would have to know an element of an array.
tl::expected<void, std::string> lowerToLaunches(mlir::ModuleOp module, bool warpGroups);

/// The plan of the host function; every kernel it launches is in `kernels`.
tl::expected<Plan, std::string> planOf(mlir::ModuleOp launches);

/// The kernels as functions of the LLVM dialect, a module of their own.
tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> kernelsForDevice(mlir::ModuleOp launches);
/// The same kernels for a CPU: each takes, as a last argument, the number of blocks, and runs the threads of all of
/// them one after another. It is how index arithmetic and algebra are tried without a GPU.
tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> kernelsForHost(mlir::ModuleOp launches);

} // namespace attnc
