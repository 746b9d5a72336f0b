#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// Rows of a square, vectors as many as they have lanes, as its columns. Each round interleaves the first half of the
/// rows with the second, which rotates the bits of (row, column) by one; after all bits of the row they are (column,
/// row).
llvm::SmallVector<mlir::Value> turned(Code &code, llvm::SmallVector<mlir::Value> rows);

} // namespace attnc
