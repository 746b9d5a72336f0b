#include "attnc/eval/Kernels.h"

#include "attnc/eval/Loops.h"
#include "attnc/eval/Scalars.h"

#include <algorithm>
#include <numeric>

namespace attnc::eval {

namespace {

Extents leading(const Extents &values, std::size_t count) { return {values.begin(), values.begin() + count}; }
Extents trailing(const Extents &values, std::size_t from) { return {values.begin() + from, values.end()}; }

template <class T> constexpr T least() {
  if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::min();
}
template <class T> constexpr T greatest() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::infinity();
  else
    return std::numeric_limits<T>::max();
}

template <class T> T unit(Cap cap) {
  switch (cap) {
  case Cap::Prod:
    return T(1);
  case Cap::Max:
    return least<T>();
  case Cap::Min:
    return greatest<T>();
  case Cap::All:
    return T(1);
  case Cap::None:
  case Cap::Sum:
  case Cap::Any:
    break;
  }
  return T(0);
}

template <class T> void fill(const View &out, T value) {
  Nest(written(out), {out.strides}).run<1>([&](const auto &offsets, std::int64_t count, const auto &steps) {
    T *to = out.as<T>() + offsets[0];
    for (std::int64_t k = 0; k < count; ++k)
      to[k * steps[0]] = value;
  });
}

template <class T, class F> void foldWith(const View &out, const View &in, std::size_t axis, F f) {
  Extents extents = written(out), strides = out.strides, sources = in.strides;
  extents.insert(extents.begin() + axis, in.extents[axis]);
  strides.insert(strides.begin() + axis, 0);
  // A folded axis that lies apart in memory goes outside the box's own axes as they are; one whose elements
  // are neighbours goes innermost, where its sum stays in a register.
  if (in.strides[axis] == 1) {
    std::rotate(extents.begin() + axis, extents.begin() + axis + 1, extents.end());
    std::rotate(strides.begin() + axis, strides.begin() + axis + 1, strides.end());
    std::rotate(sources.begin() + axis, sources.begin() + axis + 1, sources.end());
  }
  Nest(extents, {strides, sources}).run<2>([&](const auto &offsets, std::int64_t count, const auto &steps) {
    T *to = out.as<T>() + offsets[0];
    const T *from = in.as<const T>() + offsets[1];
    if (steps[0] == 0) {
      T total = *to;
      for (std::int64_t k = 0; k < count; ++k)
        total = f(total, from[k * steps[1]]);
      *to = total;
    } else {
      for (std::int64_t k = 0; k < count; ++k)
        to[k * steps[0]] = f(to[k * steps[0]], from[k * steps[1]]);
    }
  });
}

template <class F> void foldNumbers(const View &out, const View &in, std::size_t axis, F f) {
  if (out.kind == Kind::Real)
    foldWith<double>(out, in, axis, f);
  else
    foldWith<std::int64_t>(out, in, axis, f);
}

} // namespace

void fillWithUnit(Cap cap, const View &out) {
  withElement(out.kind, [&](auto *element) {
    using T = std::remove_pointer_t<decltype(element)>;
    fill<T>(out, unit<T>(cap));
  });
}

void fillWithZeros(const View &out) {
  withElement(out.kind, [&](auto *element) { fill<std::remove_pointer_t<decltype(element)>>(out, 0); });
}

void fold(Cap cap, const View &out, const View &in, std::size_t axis) {
  switch (cap) {
  case Cap::None:
    return;
  case Cap::Sum:
    return foldNumbers(out, in, axis, [](auto a, auto b) { return plus(a, b); });
  case Cap::Prod:
    return foldNumbers(out, in, axis, [](auto a, auto b) { return times(a, b); });
  case Cap::Max:
    return foldNumbers(out, in, axis, [](auto a, auto b) { return greater(a, b); });
  case Cap::Min:
    return foldNumbers(out, in, axis, [](auto a, auto b) { return lesser(a, b); });
  case Cap::Any:
    return foldWith<Bool>(out, in, axis, [](Bool a, Bool b) { return Bool(a | b); });
  case Cap::All:
    return foldWith<Bool>(out, in, axis, [](Bool a, Bool b) { return Bool(a & b); });
  }
}

void gather(const View &out, const View &array, const View &index, std::size_t boxes) {
  withElement(out.kind, [&](auto *element) {
    using T = std::remove_pointer_t<decltype(element)>;
    const Nest slice(trailing(out.extents, boxes), {trailing(out.strides, boxes), trailing(array.strides, boxes + 1)});
    const std::int64_t length = array.extents[boxes], step = array.strides[boxes];
    Nest batch(leading(written(out), boxes),
               {leading(out.strides, boxes), leading(array.strides, boxes), leading(index.strides, boxes)});
    batch.run<3>([&](const auto &at, std::int64_t count, const auto &steps) {
      for (std::int64_t b = 0; b < count; ++b) {
        const std::int64_t i = index.as<const std::int64_t>()[at[2] + b * steps[2]];
        const bool inside = i >= 0 && i < length;
        T *to = out.as<T>() + at[0] + b * steps[0];
        const T *from = inside ? array.as<const T>() + at[1] + b * steps[1] + i * step : nullptr;
        slice.run<2>([&](const auto &offsets, std::int64_t n, const auto &strides) {
          for (std::int64_t k = 0; k < n; ++k)
            to[offsets[0] + k * strides[0]] = inside ? from[offsets[1] + k * strides[1]] : T(0);
        });
      }
    });
  });
}

void scatter(const View &out, const View &indices, const View &array, std::size_t boxes) {
  withElement(out.kind, [&](auto *element) {
    using T = std::remove_pointer_t<decltype(element)>;
    const Nest slice(trailing(out.extents, boxes + 1),
                     {trailing(out.strides, boxes + 1), trailing(array.strides, boxes + 1)});
    const std::int64_t length = out.extents[boxes];
    // The added slices stand in the innermost loop of the batch, so that they are added in their order.
    Extents extents = leading(written(out), boxes), none = leading(out.strides, boxes);
    extents.push_back(array.extents[boxes]);
    none.push_back(0);
    Nest batch(extents, {none, leading(indices.strides, boxes + 1), leading(array.strides, boxes + 1)});
    batch.run<3>([&](const auto &at, std::int64_t count, const auto &steps) {
      for (std::int64_t b = 0; b < count; ++b) {
        const std::int64_t i = indices.as<const std::int64_t>()[at[1] + b * steps[1]];
        if (i < 0 || i >= length)
          continue;
        T *to = out.as<T>() + at[0] + b * steps[0] + i * out.strides[boxes];
        const T *from = array.as<const T>() + at[2] + b * steps[2];
        slice.run<2>([&](const auto &offsets, std::int64_t n, const auto &strides) {
          for (std::int64_t k = 0; k < n; ++k) {
            T &cell = to[offsets[0] + k * strides[0]];
            if constexpr (!std::is_same_v<T, Bool>)
              cell = plus(cell, from[offsets[1] + k * strides[1]]);
          }
        });
      }
    });
  });
}

namespace {

template <class T> bool comesBefore(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(a) || std::isnan(b))
      return std::isnan(a) && !std::isnan(b);
  return a > b;
}

template <class T> void topKOf(const View &values, const View &indices, const View &array, std::size_t boxes) {
  const std::int64_t length = array.extents[boxes], count = values.extents[boxes], step = array.strides[boxes];
  const std::int64_t kept = std::min(length, count);
  std::vector<std::int64_t> order(length);
  Nest batch(leading(written(values), boxes),
             {leading(values.strides, boxes), leading(indices.strides, boxes), leading(array.strides, boxes)});
  batch.run<3>([&](const auto &at, std::int64_t rows, const auto &steps) {
    for (std::int64_t b = 0; b < rows; ++b) {
      const T *from = array.as<const T>() + at[2] + b * steps[2];
      std::iota(order.begin(), order.end(), std::int64_t(0));
      std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](std::int64_t i, std::int64_t j) {
        const T a = from[i * step], c = from[j * step];
        return comesBefore(a, c) || (!comesBefore(c, a) && i < j);
      });
      T *value = values.as<T>() + at[0] + b * steps[0];
      std::int64_t *index = indices.as<std::int64_t>() + at[1] + b * steps[1];
      for (std::int64_t k = 0; k < count; ++k) {
        value[k * values.strides[boxes]] = k < kept ? from[order[k] * step] : least<T>();
        index[k * indices.strides[boxes]] = k < kept ? order[k] : -1;
      }
    }
  });
}

} // namespace

void topK(const View &values, const View &indices, const View &array, std::size_t boxes) {
  if (array.kind == Kind::Real)
    topKOf<double>(values, indices, array, boxes);
  else
    topKOf<std::int64_t>(values, indices, array, boxes);
}

void softmax(const View &out, const View &logits, const View *sink, std::size_t boxes) {
  copy(out, logits);
  const std::int64_t length = product(out.extents, boxes);
  const Extents none(boxes, 0);
  Nest batch(leading(written(out), boxes), {leading(out.strides, boxes), sink ? leading(sink->strides, boxes) : none});
  batch.run<2>([&](const auto &at, std::int64_t rows, const auto &steps) {
    for (std::int64_t b = 0; b < rows; ++b) {
      double *row = out.as<double>() + at[0] + b * steps[0]; // out's own axes lie together
      const double rest = sink ? sink->as<const double>()[at[1] + b * steps[1]] : least<double>();
      double top = rest;
      for (std::int64_t k = 0; k < length; ++k)
        top = greater(top, row[k]);
      if (top == least<double>()) {
        std::fill(row, row + length, 0.0);
        continue;
      }
      double total = sink ? std::exp(rest - top) : 0.0;
      for (std::int64_t k = 0; k < length; ++k)
        total += row[k] = std::exp(row[k] - top);
      for (std::int64_t k = 0; k < length; ++k)
        row[k] /= total;
    }
  });
}

} // namespace attnc::eval
