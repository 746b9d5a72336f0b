#pragma once
#include "attnc/gpu/Warp.h"

namespace attnc {

/// What the factors of a product are rounded to; sums are f32. Those that are rounded are the matrix unit's, the others
/// are true f32. Of tf32 (8 bits of exponent, 10 of mantissa) an array of f32 is read, and rounded where it is
/// multiplied.
enum class Precision : std::uint8_t { F32, TF32, BF16 };

/// On a module whose products of f32 may be rounded to tf32.
inline constexpr llvm::StringLiteral tf32Attribute = "attnc.tf32";
/// What the factors of a product are rounded to that are kept in bf16 or in f32.
Precision precisionOf(mlir::Operation *op, bool bf16);

/// The matrix unit of a warp: c += a b for a of 16 × depth, b of depth × 8, spread over the threads as its results are
/// (`Thread`). Matrices lie in shared memory; places are those of their corners, the same for all threads of the warp.
///
/// In tf32 a thread has two elements of eight along the depth: 2 p and 2 p + 1, as it has them of results, in both
/// factors. So rows of 8 mod 16 floats are read along the depth without two threads on one bank, and those of 4 mod 8
/// across it.
class MatrixUnit {
public:
  using Value = mlir::Value;
  using Pair = std::pair<Value, Value>;
  MatrixUnit(Code &code, const Thread &thread, Precision precision)
      : code(code), thread(thread), rounded(precision == Precision::BF16) {}

  int64_t depth() const { return rounded ? 16 : 8; }
  /// Results of a thread that make a left factor.
  int64_t resultsOfFactor() const { return depth() / 2; }

  /// a[i][k] = matrix[row + i][from + k].
  Value left(Value matrix, Value row, Value from);
  /// a[i][k] = matrix[from + k][row + i].
  Value leftTurned(Value matrix, Value from, Value row);
  /// A left factor whose columns begin with `from`, with 0 in those that are not to be kept.
  Value kept(Value a, Value from, llvm::function_ref<Value(Value column)> keeps);
  /// a is what threads have of so many columns of results.
  Value left(mlir::ValueRange results);
  /// b[k][j] = matrix[column + j][from + k], for 16 columns.
  Pair right(Value matrix, Value column, Value from);
  /// b[k][j] = matrix[from + k][column + j], for 16 columns.
  Pair rightTurned(Value matrix, Value from, Value column);

  void multiplyAdd(Value a, Value b, llvm::MutableArrayRef<Value> c);
  void multiplyAdd(Value a, Pair b, llvm::MutableArrayRef<Value> c) {
    multiplyAdd(a, b.first, c.take_front(4));
    multiplyAdd(a, b.second, c.drop_front(4));
  }

private:
  Value plus(Value a, int64_t b) { return add(code, a, index(code, b)); }
  Value laneOver(int64_t by), laneRest(int64_t by);
  Value squares(Value matrix, Value row, Value column, bool transposed);
  Pair halves(Value squares);
  Value elements(mlir::ValueRange words);
  Value pairAt(Value matrix, Value row, Value column);

  Code &code;
  const Thread &thread;
  bool rounded; // kept in bf16
};

} // namespace attnc
