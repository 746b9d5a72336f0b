#pragma once
#include "attnc/diagram/Generator.h"

#include "mlir/IR/Builders.h"

namespace attnc {

/// A function of theory/Pointwise.def on scalars: f32 or f64, i64, i1. NaN, division by zero and what does
/// not fit are as that file says. `result` is the type of the result.
mlir::Value emitPointwise(mlir::OpBuilder &builder, mlir::Location location, PointwiseFn fn, mlir::ValueRange operands,
                          mlir::Type result);

/// The cap of that name (`name(Cap)`).
Cap capNamed(llvm::StringRef name);
/// The value of an empty fold, of a scalar type.
mlir::TypedAttr unitOf(Cap cap, mlir::Type type);
/// One step of a fold; real sums and products may be reassociated.
mlir::Value emitFold(mlir::OpBuilder &builder, mlir::Location location, Cap cap, mlir::Value accumulator,
                     mlir::Value element);

/// accumulator + a * b, as a step of a contraction.
mlir::Value emitMultiplyAdd(mlir::OpBuilder &builder, mlir::Location location, mlir::Value accumulator, mlir::Value a,
                            mlir::Value b);

} // namespace attnc
