#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// The thread that runs, in a block of whole warps. Of a 16 × 8 tile that a warp's matrix unit computes, a thread has
/// rows `group` and `group + 8`, columns `2 pair` and `2 pair + 1`.
struct Thread {
  explicit Thread(Code &code);
  mlir::Value id, warp, lane, group, pair; // below 32 W, W, 32, 8, 4
};

/// Waits for what this thread has asked to be copied to shared memory.
void waitForCopies(Code &code);
/// Waits for all threads of the block.
void barrier(Code &code);
/// The value of the thread whose lane is this one's with the bits of `mask` turned.
mlir::Value exchanged(Code &code, mlir::Value value, int64_t mask);

/// The memory that a block shares: so many bytes.
mlir::Value sharedMemory(Code &code, int64_t bytes, int64_t alignment = 16);
/// A matrix in it.
mlir::Value sharedMatrix(Code &code, mlir::Value memory, int64_t at, int64_t rows, int64_t columns, mlir::Type element);

} // namespace attnc
