#pragma once
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace attnc {

using Code = mlir::ImplicitLocOpBuilder;

/// One f32 for each query of a vector, or a scalar for one query: the numbers of an algebra (Algebra.h) in a kernel.
struct Lanes {
  Code *code;
  mlir::Value value;
};

Lanes operator+(Lanes a, Lanes b);
Lanes operator-(Lanes a, Lanes b);
Lanes operator*(Lanes a, Lanes b);
Lanes maximum(Lanes a, Lanes b);
/// e^x for x ≤ 87, with relative error 1e-7 + 2e-8 |x|; 0 from −87.3 down, NaN of NaN.
Lanes expBelow(Lanes x);
/// 0 in place of −∞.
Lanes finiteOrZero(Lanes x);
/// 1 / x, and 0 of 0.
Lanes reciprocalOrZero(Lanes x);
/// 1 / x with relative error 1e-7, for 2^-100 < |x| < 2^100.
Lanes reciprocal(Lanes x);

/// As many vectors as they have lanes: lane i of the result is the sum of the lanes of vector i.
Lanes sumsOfLanes(Code &code, llvm::ArrayRef<mlir::Value> vectors);

/// A constant of the type, in every lane where it is a vector.
mlir::Value splat(Code &code, mlir::Type type, double value);
/// The scalar in every lane; a vector as it is. One lane is the scalar itself.
mlir::Value broadcast(Code &code, mlir::Value value, unsigned lanes);

// Arithmetic of indices.
mlir::Value index(Code &code, int64_t value);
mlir::Value add(Code &code, mlir::Value a, mlir::Value b);
mlir::Value multiply(Code &code, mlir::Value a, mlir::Value b);
mlir::Value subtract(Code &code, mlir::Value a, mlir::Value b);
mlir::Value smaller(Code &code, mlir::Value a, mlir::Value b);
mlir::Value greater(Code &code, mlir::Value a, mlir::Value b);
mlir::Value ceilDiv(Code &code, mlir::Value a, int64_t b);
mlir::Value less(Code &code, mlir::Value a, mlir::Value b);
mlir::Value equal(Code &code, mlir::Value a, mlir::Value b);
/// Whether a bool can be so, as far as is known.
bool canBe(mlir::Value value, bool what);
/// One of two values of any type.
mlir::Value choose(Code &code, mlir::Value condition, mlir::Value then, mlir::Value otherwise);

/// A loop that carries values; the body gives the next ones.
using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value index, mlir::ValueRange carried)>;
llvm::SmallVector<mlir::Value> loop(Code &code, mlir::Value from, mlir::Value to, int64_t step,
                                    mlir::ValueRange initial, LoopBody body);
/// The same, carrying nothing.
void loop(Code &code, mlir::Value from, mlir::Value to, int64_t step, llvm::function_ref<void(mlir::Value)> body);
/// Runs one of two bodies, of which each gives values.
llvm::SmallVector<mlir::Value> branch(Code &code, mlir::Value condition, mlir::TypeRange types,
                                      llvm::function_ref<llvm::SmallVector<mlir::Value>()> then,
                                      llvm::function_ref<llvm::SmallVector<mlir::Value>()> otherwise);
/// Runs one of two bodies.
void branch(Code &code, mlir::Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise);

/// Calls a function of the module, which is made when it is first called. Its body gives the results.
using FunctionBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange arguments)>;
llvm::SmallVector<mlir::Value> callShared(Code &code, llvm::StringRef name, mlir::TypeRange results,
                                          mlir::ValueRange arguments, FunctionBody body);

} // namespace attnc
