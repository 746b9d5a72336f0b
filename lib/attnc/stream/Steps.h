#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

/// A value of a loop's body for all steps at once: one axis is that of the steps, unless it is the same at each.
struct Stacked {
  mlir::Value array;
  std::optional<unsigned> steps;
};

/// The values of a loop's body as arrays outside of the loop. What is computed at a step becomes a nest with one loop
/// more; a slice at the step is the array it is taken from. States have no such form but by what `set` says.
class Steps {
public:
  /// `axis` is the one that steps get in arrays made here, where there are so many. Operations go before the loop.
  Steps(mlir::IRRewriter &rewriter, mlir::scf::ForOp loop, unsigned axis)
      : rewriter(rewriter), loop(loop), axis(axis) {}

  void set(mlir::Value value, Stacked stacked) { known[value] = stacked; }
  /// Nothing for what depends on a state or cannot be done for all steps at once.
  std::optional<Stacked> all(mlir::Value value);
  /// The array with the steps along `position`, of a value that is computed in the loop or not.
  std::optional<mlir::Value> along(unsigned position, mlir::Value value);

  mlir::OpFoldResult count() { return mlir::getAsOpFoldResult(loop.getUpperBound()); }

private:
  /// The value where the loop begins, if it is the same at each step and no nest of loops: constants, sizes, arrays not
  /// yet filled or filled with one value.
  std::optional<mlir::Value> outside(mlir::Value value);
  std::optional<Stacked> make(mlir::Value value);
  std::optional<Stacked> slice(mlir::tensor::CollapseShapeOp collapse);
  std::optional<Stacked> nest(mlir::linalg::GenericOp op);
  std::optional<mlir::Value> destination(mlir::linalg::GenericOp op, unsigned position);
  mlir::Value spread(const Stacked &stacked, unsigned position);

  mlir::IRRewriter &rewriter;
  mlir::scf::ForOp loop;
  unsigned axis;
  llvm::DenseMap<mlir::Value, std::optional<Stacked>> known;
  mlir::IRMapping copies;
};

} // namespace attnc
