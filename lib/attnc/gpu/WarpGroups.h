#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"

#include <string>
#include <tl/expected.hpp>

namespace attnc {

/// How warp groups of sm_90a go over a stream: one copies, two have 64 queries each, and all of them meet the same
/// tiles of keys and values, which lie in a ring of stages. A matrix lies in shared memory in columns of 128 bytes.
struct GroupTiling {
  int64_t depth = 0, features = 0, keys = 128, stages = 4;
  mlir::Type element; // of 16 bits

  static constexpr int64_t groups = 2, groupRows = 64, queries = groups * groupRows, groupThreads = 128,
                           threads = (groups + 1) * groupThreads;
  /// Elements of a row of 128 bytes; bytes after which the pattern of swizzled rows begins anew.
  static constexpr int64_t columns = 64, rowBytes = 128, pieceRows = 8, pieceBytes = pieceRows * rowBytes;

  static int64_t panels(int64_t length) { return (length + columns - 1) / columns; }
  int64_t queryBytes() const { return panels(depth) * queries * rowBytes; }
  int64_t keyBytes() const { return panels(depth) * keys * rowBytes; }
  int64_t valueBytes() const { return panels(features) * keys * rowBytes; }
  int64_t keysAt(int64_t stage) const { return queryBytes() + stage * (keyBytes() + valueBytes()); }
  int64_t valuesAt(int64_t stage) const { return keysAt(stage) + keyBytes(); }
  int64_t barriersAt() const { return keysAt(stages); }
  int64_t bytes() const { return barriersAt() + (2 + 4 * stages) * 8; }
};

/// The tiling of a stream whose operands are as they are kept, or why warp groups have none, in lower case.
tl::expected<GroupTiling, std::string> groupTilingOf(dialect::StreamOp stream);

/// The grid of warp groups that computes a stream on arrays, in its place:
///
///     the group that copies                  each of the two others, in turn
///     for each task:                         for each task:
///       Q                                      S = Q K₀ᵀ, P = weights of S
///       for each tile of keys:                 for each further tile:
///         K, V to the next free stage            S = Q Kᵀ and O += P V of the tile before, at once
///                                                P = weights of S, as S is there; O = rescale O
///                                              O += P V of the last, y = the state, finished
///
/// A block stays for all its tasks; the longest begin first.
void emitGroups(Code &code, dialect::StreamOp stream, const GroupTiling &tiling);

} // namespace attnc
