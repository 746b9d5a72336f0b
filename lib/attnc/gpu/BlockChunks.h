#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Matrix.h"

#include <optional>

namespace attnc {

/// How a block of threads takes chunks of steps of an affine scan by products of matrices: it has 64 columns of the
/// state, a warp 16 of them.
struct ChunkTiling {
  static constexpr int64_t warps = 4, columns = 16 * warps;

  Precision precision = Precision::TF32;
  int64_t steps = 64, depth = 0;
  int64_t gates = 0; // columns of them: the depth, 1, or 0 where there are none

  int64_t threads() const { return warpSize * warps; }
  int64_t usedDepth() const { return (depth + 15) / 16 * 16; }
  int64_t size() const { return precision == Precision::BF16 ? 2 : 4; }
  /// Elements of rows in shared memory, by the way they are read (`MatrixUnit`): queries and weights along, values
  /// across; keys in both ways, but across by all warps.
  int64_t queryPitch() const { return usedDepth() + 8; }
  int64_t weightPitch() const { return steps + 8; }
  int64_t keyPitch() const { return usedDepth() + across(); }
  int64_t valuePitch() const { return columns + across(); }
  int64_t gatePitch() const { return gates > 1 ? (gates + 3) / 4 * 4 : gates; }

  /// Where arrays lie in shared memory, in bytes; of those that are staged there are two chunks.
  int64_t keysAt() const { return 2 * steps * queryPitch() * size(); }
  int64_t valuesAt() const { return keysAt() + 2 * steps * keyPitch() * size(); }
  int64_t weightsAt() const { return valuesAt() + 2 * steps * valuePitch() * size(); }
  int64_t gatesAt() const { return weightsAt() + steps * weightPitch() * size(); }
  int64_t lastAt() const { return gatesAt() + 2 * steps * gatePitch() * 4; }
  int64_t endsAt() const { return lastAt() + (gates + 3) / 4 * 16; }
  int64_t bytes() const { return endsAt() + warps * 4; }

private:
  int64_t across() const { return precision == Precision::BF16 ? 8 : 4; }
};

/// The tiling of a scan whose products are the matrix unit's; nothing where it takes one step after the other.
std::optional<ChunkTiling> chunkTilingOf(dialect::ChunksOp scan);
/// The grid of blocks that computes a scan on arrays in chunks, in its place.
void emitChunks(Code &code, dialect::ChunksOp scan, const ChunkTiling &tiling);

} // namespace attnc
