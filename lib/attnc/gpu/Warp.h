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

/// The memory that a block shares: so many bytes, aligned to 16.
mlir::Value sharedMemory(Code &code, int64_t bytes);
/// A matrix in it.
mlir::Value sharedMatrix(Code &code, mlir::Value memory, int64_t at, int64_t rows, int64_t columns, mlir::Type element);

/// Four 8 × 8 squares of bf16, a row of each from the place that one thread of the warp gives: `vector<4x2xbf16>`.
mlir::Value loadSquares(Code &code, mlir::Value matrix, mlir::Value row, mlir::Value column, bool transposed);
/// c + a b, for a 16 × 16 and b 16 × 8 in bf16 (`vector<4x2xbf16>`, `vector<2x2xbf16>`); four f32 of c.
void multiplyAdd(Code &code, mlir::Value a, mlir::Value b, llvm::MutableArrayRef<mlir::Value> c);
/// Two of the four squares, from `first` on.
mlir::Value squarePair(Code &code, mlir::Value squares, int64_t first);

} // namespace attnc
