#include "attnc/eval/Loops.h"

namespace attnc::eval {

Nest::Nest(const Extents &extents, std::vector<Extents> strides) : walks(strides.size()) {
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    empty |= extents[axis] == 0;
    if (extents[axis] == 1)
      continue;
    bool joins = !lengths.empty();
    for (std::size_t a = 0; a < strides.size() && joins; ++a)
      joins = walks[a].back() == strides[a][axis] * extents[axis];
    if (joins)
      lengths.back() *= extents[axis];
    else
      lengths.push_back(extents[axis]);
    for (std::size_t a = 0; a < strides.size(); ++a) {
      if (joins)
        walks[a].back() = strides[a][axis];
      else
        walks[a].push_back(strides[a][axis]);
    }
  }
}

Extents written(const View &out) {
  Extents extents = out.extents;
  for (std::size_t axis = 0; axis < extents.size(); ++axis)
    if (!out.varies(axis) && extents[axis] > 1)
      extents[axis] = 1;
  return extents;
}

std::int64_t product(const Extents &extents, std::size_t from) {
  std::int64_t result = 1;
  for (std::size_t axis = from; axis < extents.size(); ++axis)
    result *= extents[axis];
  return result;
}

} // namespace attnc::eval
