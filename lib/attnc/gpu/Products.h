#pragma once
#include "attnc/gpu/RowFold.h"
#include "attnc/gpu/Tiling.h"
#include "attnc/gpu/Warp.h"

namespace attnc {

/// The two products of a tile: of matrices in shared memory, to results in registers. Of eight columns a thread has
/// four: (row, column), (row, column + 1), then the same eight rows on (`Thread`).
class TileProducts {
public:
  TileProducts(Code &code, const Tiling &tiling, const Thread &thread);

  /// In shared memory: the queries of the block, and the keys and values of a tile, or of two.
  mlir::Value queryRoom, keyRoom, valueRoom;
  /// The first row of the thread in the block.
  mlir::Value row;

  /// S = Q Kᵀ of the tile of keys that begins at a row of theirs.
  llvm::SmallVector<mlir::Value> contract(mlir::Value at);
  /// sums += P V of the tile of values that begins at a row of theirs.
  void accumulate(llvm::ArrayRef<mlir::Value> weights, mlir::Value at, llvm::MutableArrayRef<mlir::Value> sums);

private:
  using Values = llvm::SmallVector<mlir::Value>;
  Values contractByMatrix(mlir::Value at, Values scores);
  Values contractByFma(mlir::Value at, const Values &scores);
  void accumulateByMatrix(llvm::ArrayRef<mlir::Value> weights, mlir::Value at, llvm::MutableArrayRef<mlir::Value> sums);
  void accumulateByFma(llvm::ArrayRef<mlir::Value> weights, mlir::Value at, llvm::MutableArrayRef<mlir::Value> sums);

  mlir::Value plus(mlir::Value a, int64_t b) { return add(code, a, index(code, b)); }
  mlir::Value loadWide(mlir::Value matrix, mlir::Value row, mlir::Value column, int64_t width);
  mlir::Value fma(mlir::Value wide, int64_t i, mlir::Value other, int64_t j, mlir::Value sum);

  Code &code;
  Tiling tiling;
  Thread thread;
  mlir::Value weightRoom;
};

} // namespace attnc
