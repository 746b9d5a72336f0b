#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Machine.h"
#include "attnc/stream/Registers.h"
#include "attnc/stream/Sharing.h"
#include "attnc/stream/StreamLoops.h"

namespace attnc {

/// C stays between 1 / reach and reach.
inline constexpr double reach = 0x1p60;
/// Whether |x| does, of a number or of each lane; NaN does not.
mlir::Value inReach(Code &code, mlir::Value x);

/// The code of a chunked scan, as loops of vectors. With C_i the product of the gates after the first step of the
/// chunk, up to i:
///
///     S ← gate_0 ∘ S
///     P [j][i] = (k_j / C_j) · (C_i q_i)                        `rows` keys by queries in lanes; Q turned, [d][i]
///     y_i = (C_i q_i) · S + Σ_(j ≤ i) P [j][i] v_j              `rows` queries by features in lanes
///     S ← C_last ∘ (S + Σ_j (k_j / C_j) ⊗ v_j)                  `rows` of the depth by features in lanes
///
/// A chunk ends before the step whose C would leave the range of `reach`, so that no quotient is of a number that has
/// lost bits: a gate of 0 is the first of its chunk. A gate that is the same along the depth scales y instead of q.
///
/// Streams share nothing, nor do features, and a task takes its chunks in order: the result does not depend on threads.
class Chunk {
public:
  /// `name` is one of its own for each in a module.
  Chunk(Code &code, dialect::ChunksOp op, const Machine &machine, std::string name);
  void emit();

private:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;
  using ValueRange = mlir::ValueRange;

  /// Rows of a task's scratch.
  struct Area {
    Value at, pitch;
  };

  // ChunkFrame.cpp: what the arrays are, and where a task keeps what it works on.
  void findOperands();
  void layOut();
  View of(const Operand &operand) { return operand.at(code, batch, index(code, 0)); }
  Value pitchOf(Value columns);
  Value place(const Area &area, Value row, Value column);
  Value place(const Area &area, Value row) { return place(area, row, index(code, 0)); }
  Value scalar(Value at);
  void setScalar(Value number, Value at);
  /// The one loop over tasks: all features of a stream, or a part of them.
  void runTask(Value task);
  Value larger(Value number);
  /// The groups of vectors of features that are the task's own: how many vectors, the first column, how many columns.
  void forFeatures(llvm::function_ref<void(unsigned wide, Value column, Value width)> body);
  /// Only one of the tasks of a stream writes what is not along features.
  void once(llvm::function_ref<void()> body);

  // ChunkGates.cpp: what gates do, and the operands of the products.
  Value decay(Value from, Value left);
  Value decayEqually(Value from, Value left);
  Value decayAlongDepth(Value from, Value left);
  void scaleState(llvm::function_ref<Lanes(Value)> ofRow, llvm::function_ref<Lanes(Value)> ofVector);
  void pack(Value from, Value steps);
  Value decayOf(Value step);

  // ChunkProducts.cpp
  Value run(Value from);
  void readFirst(Value from);
  void weigh(Value from, Value steps);
  void ask(Value after, Value step, llvm::function_ref<void(Value row)> rows);
  void read(Value from, Value steps);
  void write(unsigned wide, Value step, Value rest, Value column, Value width, ValueRange sums);
  void triangle(unsigned wide, Value i, Value column, Values &sums);
  void normalise(Value steps);
  void advance(Value steps);

  Code &code;
  dialect::ChunksOp op;
  unsigned lanes, vectors, rows;
  int64_t size = 0;      // steps in a chunk
  bool diagonal = false; // the gate varies along the depth
  StreamLoops loops;
  Sharing sharing;
  Blocks turning;
  Operand query, key, value, gate, state, norm, output, lastState, normOutput, lastNorm;
  Value count, depth, features, scratch, slot;
  Registers blocks;
  Area states, keys, values, outputs, firstOutput, queries, weights, norms, normReads, first, decays, inverses,
      scaledQueries;
  // Of the task:
  Values batch;
  Value base, part, parts; // the part of the features, of how many
};

} // namespace attnc
