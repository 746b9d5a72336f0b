#pragma once
#include "attnc/gpu/Warp.h"
#include "attnc/stream/Region.h"
#include "attnc/stream/StreamLoops.h"

namespace attnc {

/// Rows of an operand on their way to shared memory, where they have elements of the matrix's type, and 0 beyond the
/// rows and the columns that there are. Rows of bf16 or f32 that start at multiples of 16 bytes are asked for and not
/// waited for (`waitForCopies` does); which they are is seen when the kernel runs.
class Staging {
public:
  /// `view`: the first row. `columns`: those that there are; `room`: those that are written.
  Staging(Code &code, const View &view, int64_t columns, int64_t room, mlir::Value shared, int64_t threads);
  /// Rows lie at places of the region, and not behind one another.
  void usePlaces(Region &region, llvm::ArrayRef<Operand::Axis> axes);

  /// Rows `from`, `from + 1`, … below `to`, as many as `count`, to the rows of the shared matrix from `at` on. `there`:
  /// how many of the columns there are, where that is only known when the kernel runs.
  void copy(const Thread &thread, mlir::Value from, mlir::Value to, int64_t count, mlir::Value at,
            mlir::Value there = nullptr);

private:
  template <class Body> void eachPart(const Thread &thread, int64_t count, int64_t width, Body body);
  mlir::Value isWhole(mlir::Value bytes);
  /// Where a row begins that is below `to`.
  mlir::Value rowStart(mlir::Value row, mlir::Value to);
  void copyElements(const Thread &thread, mlir::Value from, mlir::Value to, int64_t count, mlir::Value at);
  void copySpans(const Thread &thread, mlir::Value from, mlir::Value to, int64_t count, mlir::Value at);

  Code &code;
  View view;
  int64_t columns, room;
  mlir::Value shared;
  int64_t threads, span; // elements of 16 bytes
  mlir::Value aligned;   // a bool; null where spans cannot be copied at all
  Region *region = nullptr;
  llvm::SmallVector<Operand::Axis, 1> placed;
  mlir::Value present; // of the columns
};

} // namespace attnc
