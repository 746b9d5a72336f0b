#pragma once
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

namespace attnc {

/// Lists of the greatest scores so far, of which each is one number with its key (algebra::TopK): `room` entries in
/// descending order, `room` places for entries that wait, and a vector of slack. Entries that go before the one of the
/// last rank are appended to those that wait; when there is no place left these are sorted, by Batcher's network of
/// comparisons as it stands in Knuth, volume 3, section 5.3.4, and merged with the list. Nothing branches on scores but
/// whether a vector of them has any that enters. What the functions do is a function of the module.
class BestLists {
public:
  /// `count`: how many are asked for.
  BestLists(Code &code, const Machine &machine, mlir::Value count);

  /// The entries that one list takes, with what waits.
  mlir::Value size() const { return entries; }
  void useArray(mlir::Value array) { lists = array; }

  void clear(mlir::Value list) const;
  /// Takes the scores[at], …, of `number` keys from `first` on; `waiting` entries wait before, and so many as it gives
  /// afterwards.
  mlir::Value absorb(mlir::Value list, mlir::Value scores, mlir::Value at, mlir::Value number, mlir::Value first,
                     mlir::Value waiting) const;
  /// No entry waits any more.
  void settle(mlir::Value list, mlir::Value waiting) const;
  /// The entries of another list, in which none waits.
  void merge(mlir::Value list, mlir::Value other) const;
  /// The score, an f32, and the key, an i64, of a rank: −∞ and −1 where there is none.
  std::pair<mlir::Value, mlir::Value> entry(mlir::Value list, mlir::Value rank) const;

private:
  mlir::VectorType type() const;
  mlir::Value load(mlir::Value array, mlir::Value at) const;
  void store(mlir::Value vector, mlir::Value array, mlir::Value at) const;
  mlir::Value reversed(mlir::Value vector) const;
  void exchange(mlir::Value array, mlir::Value high, mlir::Value low, bool mirrored) const;
  mlir::Value sortedWithin(mlir::Value vector, int64_t span) const;
  mlir::Value cleanedWithin(mlir::Value vector, int64_t span) const;
  void sort(mlir::Value array, mlir::Value at, mlir::Value room) const;
  void clean(mlir::Value array, mlir::Value at, mlir::Value room, mlir::Value span) const;
  mlir::Value entriesOf(mlir::Value scores, mlir::Value first) const;

  Code &code;
  int64_t lanes; // of entries
  mlir::Value count, room, entries, lists;
};

} // namespace attnc
