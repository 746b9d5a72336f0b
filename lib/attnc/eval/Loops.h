#pragma once
#include "attnc/eval/View.h"

#include <array>

namespace attnc::eval {

/// The loop nest over an index space in which several arrays are walked together, each by its strides.
/// Axes of length 1 are left out and neighbours that every array walks as one are joined, so that the
/// innermost loop is as long as the layout allows.
class Nest {
public:
  Nest(const Extents &extents, std::vector<Extents> strides);

  /// Calls row(offsets, count, steps): `count` elements from `offsets[a]` on, `steps[a]` apart, for each
  /// array a. In row-major order; not at all when an axis is empty.
  template <std::size_t N, class Row> void run(Row &&row) const {
    if (empty)
      return;
    std::array<std::int64_t, N> offsets{}, steps{};
    const std::size_t outer = lengths.empty() ? 0 : lengths.size() - 1;
    const std::int64_t count = lengths.empty() ? 1 : lengths.back();
    for (std::size_t a = 0; a < N; ++a)
      steps[a] = lengths.empty() ? 1 : walks[a].back();
    Extents index(outer, 0);
    for (;;) {
      row(offsets, count, steps);
      std::size_t axis = outer;
      while (axis > 0) {
        --axis;
        for (std::size_t a = 0; a < N; ++a)
          offsets[a] += walks[a][axis];
        if (++index[axis] < lengths[axis])
          break;
        for (std::size_t a = 0; a < N; ++a)
          offsets[a] -= walks[a][axis] * lengths[axis];
        index[axis] = 0;
        if (axis == 0)
          return;
      }
      if (outer == 0)
        return;
    }
  }

private:
  Extents lengths;
  std::vector<Extents> walks;
  bool empty = false;
};

/// The part of the index space in which elements of `out` differ: 1 along axes that do not vary. Loops that
/// write run over this, so that what is shared is computed once.
Extents written(const View &out);
/// The product of extents that are known to fit.
std::int64_t product(const Extents &extents, std::size_t from = 0);

} // namespace attnc::eval
