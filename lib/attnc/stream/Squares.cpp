#include "attnc/stream/Squares.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace vector = mlir::vector;
using Values = llvm::SmallVector<mlir::Value>;

Values turned(Code &code, Values rows) {
  int64_t size = rows.size(), half = size / 2;
  llvm::SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < half; ++i) {
    low.append({i, size + i});
    high.append({half + i, size + half + i});
  }
  for (int64_t done = 1; done < size; done *= 2) {
    Values next;
    for (int64_t i = 0; i < half; ++i) {
      next.push_back(vector::ShuffleOp::create(code, rows[i], rows[i + half], low));
      next.push_back(vector::ShuffleOp::create(code, rows[i], rows[i + half], high));
    }
    rows = next;
  }
  return rows;
}

} // namespace attnc
