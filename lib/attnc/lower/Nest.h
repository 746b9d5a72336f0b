#pragma once
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Builders.h"

namespace attnc {

/// One array read in a nest of loops: its i-th axis runs along loop `loops[i]`.
struct Access {
  mlir::Value tensor;
  llvm::SmallVector<unsigned, 6> loops;
};

/// What a nest computes from the elements read; in a fold the accumulator comes last.
using Payload = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// A nest of loops as one `linalg.generic`. Bools lie in memory as bytes, so that vectors of them can be
/// loaded; a payload sees and gives them as i1.
struct Nest {
  mlir::OpBuilder &builder;
  mlir::Location location;
  llvm::SmallVector<mlir::OpFoldResult, 6> extents; // of each loop, outermost first
  llvm::SmallVector<Access, 4> reads;

  /// The array over all loops with what `payload` gives; `scalar` is its type.
  mlir::Value map(mlir::Type scalar, Payload payload);
  /// Folds the loops for which `folded` holds into `initial`, an array over the others.
  mlir::Value fold(llvm::ArrayRef<bool> folded, mlir::Value initial, Payload payload);

private:
  mlir::Value generic(mlir::Value output, mlir::AffineMap outputMap,
                      llvm::ArrayRef<mlir::utils::IteratorType> iterators, bool accumulates, Payload payload);
};

/// How a scalar lies in memory: i1 as i8.
mlir::Type stored(mlir::Type scalar);
mlir::Value loadedScalar(mlir::OpBuilder &builder, mlir::Location location, mlir::Value element);
mlir::Value storedScalar(mlir::OpBuilder &builder, mlir::Location location, mlir::Value scalar);

mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<mlir::OpFoldResult> extents,
                        mlir::Type scalar);
/// An array of one value.
mlir::Value filledTensor(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<mlir::OpFoldResult> extents,
                         mlir::TypedAttr value);

/// Loops from 0 to each extent with step 1, carrying arrays.
mlir::scf::LoopNest
loopNest(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<mlir::OpFoldResult> extents,
         mlir::ValueRange carried,
         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location, mlir::ValueRange indices,
                                                           mlir::ValueRange carried)>
             body);
/// Says of loops that their iterations are independent.
void markParallel(llvm::ArrayRef<mlir::scf::ForOp> loops);

} // namespace attnc
