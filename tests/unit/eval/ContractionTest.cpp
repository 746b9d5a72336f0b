#include "attnc/eval/Contraction.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

using namespace attnc;
using namespace attnc::eval;

namespace {

/// A factor that varies along the axes told, stored with these in a random order and with gaps.
View factor(Memory &memory, const Extents &extents, const std::vector<bool> &varies, std::mt19937 &random) {
  std::vector<std::size_t> order(extents.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  if (random() % 2)
    std::shuffle(order.begin(), order.end(), random);
  View view;
  view.extents = extents;
  view.strides.assign(extents.size(), 0);
  std::int64_t stride = random() % 4 ? 1 : 2;
  for (std::size_t i = order.size(); i-- > 0;)
    if (varies[order[i]]) {
      view.strides[order[i]] = stride;
      stride *= std::max<std::int64_t>(extents[order[i]], 1);
    }
  View storage = memory.allocate(Kind::Real, {stride});
  for (std::int64_t k = 0; k < stride; ++k)
    storage.as<double>()[k] = (double(random() % 17) - 8) / 4; // products and sums are exact
  view.owner = storage.owner;
  view.data = storage.data;
  return view;
}

double at(const View &view, const Extents &index) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis)
    offset += index[axis] * view.strides[axis];
  return view.as<const double>()[offset];
}

/// Calls `use` with every index of the space.
template <class Use> void forEach(const Extents &extents, Use &&use) {
  if (std::count(extents.begin(), extents.end(), 0))
    return;
  Extents index(extents.size(), 0);
  for (;;) {
    use(index);
    std::size_t axis = extents.size();
    while (axis > 0 && ++index[axis - 1] == extents[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

} // namespace

TEST_CASE("contractions of every layout are the sums of products", "[eval][contraction]") {
  std::mt19937 random(7);
  for (int round = 0; round < 4000; ++round) {
    INFO("round " << round);
    Memory memory(std::size_t(1) << 30);
    const std::size_t rank = random() % 6;
    Extents extents;
    std::vector<bool> l, r, folded;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      extents.push_back(Extents{1, 2, 3, 4, 5, 2, 3, random() % 8 ? 1 : 0}[random() % 8]);
      l.push_back(random() % 3 != 0);
      r.push_back(random() % 3 != 0);
      folded.push_back(random() % 3 == 0);
    }
    const View left = factor(memory, extents, l, random), right = factor(memory, extents, r, random);
    const View out = contract(memory, left, right, folded);
    REQUIRE(memory.active());

    Extents kept, sums;
    for (std::size_t axis = 0; axis < rank; ++axis)
      (folded[axis] ? sums : kept).push_back(extents[axis]);
    REQUIRE(out.extents == kept);
    forEach(kept, [&](const Extents &index) {
      double wanted = 0;
      forEach(sums, [&](const Extents &summed) {
        Extents full;
        for (std::size_t axis = 0, k = 0, s = 0; axis < rank; ++axis)
          full.push_back(folded[axis] ? summed[s++] : index[k++]);
        wanted += at(left, full) * at(right, full);
      });
      if (at(out, index) != wanted || std::signbit(at(out, index)) != std::signbit(wanted))
        FAIL("found " << at(out, index) << ", wanted " << wanted);
    });
    for (std::size_t axis = 0, k = 0; axis < rank; ++axis)
      if (!folded[axis])
        CHECK(out.varies(k++) == (l[axis] || r[axis]));
  }
}

TEST_CASE("a rehearsed contraction needs what a real one does", "[eval][contraction]") {
  std::mt19937 random(3);
  Memory memory(std::size_t(1) << 30);
  const View left = factor(memory, {4, 3, 5}, {true, false, true}, random),
             right = factor(memory, {4, 3, 5}, {true, true, true}, random);
  memory.peak = memory.live();
  contract(memory, left, right, {false, false, true});
  const std::size_t needed = memory.peak;
  memory.rehearsing = true;
  memory.peak = memory.live();
  contract(memory, left, right, {false, false, true});
  CHECK(memory.peak == needed);
}
