#include "attnc/eval/Contraction.h"

#include "attnc/eval/Kernels.h"
#include "attnc/eval/Loops.h"

#include <Eigen/Core>

namespace attnc::eval {

namespace {

using Axes = std::vector<std::size_t>;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Source = Eigen::Map<const Matrix>;
using Target = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

Extents pick(const Extents &values, const Axes &axes) {
  Extents result;
  for (std::size_t axis : axes)
    result.push_back(values[axis]);
  return result;
}

Axes joined(Axes first, const Axes &second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The step with which a walk over all the axes, in order, advances; nothing when it is not even.
std::optional<std::int64_t> evenStep(const View &view, const Axes &axes) {
  std::optional<std::int64_t> step;
  std::int64_t span = 0;
  for (std::size_t i = axes.size(); i-- > 0;) {
    const std::int64_t extent = view.extents[axes[i]], stride = view.strides[axes[i]];
    if (extent == 1)
      continue;
    if (step && stride != span)
      return std::nullopt;
    if (!step)
      step = stride;
    span = stride * extent;
  }
  return step.value_or(1);
}

/// The elements along rows and columns as a dense row-major matrix: those of the view as they lie, or a copy
/// of them for the matrix at one offset.
class Factor {
public:
  Factor(Memory &memory, const View &view, const Axes &rows, const Axes &columns) : view(view) {
    const Axes axes = joined(rows, columns);
    direct = evenStep(view, axes) == 1;
    if (direct)
      return;
    source = view;
    source.extents = pick(view.extents, axes);
    source.strides = pick(view.strides, axes);
    packed = memory.allocate(Kind::Real, source.extents);
  }

  const double *at(std::int64_t offset) {
    if (direct)
      return view.as<const double>() + offset;
    if (offset != packedOffset) {
      View here = source;
      advance(here, offset);
      copy(packed, here);
      packedOffset = offset;
    }
    return packed.as<const double>();
  }

private:
  View view, source, packed;
  bool direct;
  std::int64_t packedOffset = -1;
};

} // namespace

View contract(Memory &memory, const View &left, const View &right, const std::vector<bool> &folded) {
  Axes both, rows, columns, sums, kept;
  std::vector<bool> varies;
  Extents extents;
  for (std::size_t axis = 0; axis < folded.size(); ++axis) {
    if (folded[axis]) {
      sums.push_back(axis);
      continue;
    }
    const bool l = left.varies(axis), r = right.varies(axis);
    kept.push_back(axis);
    varies.push_back(l || r);
    extents.push_back(left.extents[axis]);
    if (l || r)
      (l && r ? both : l ? rows : columns).push_back(axis);
  }
  View out = memory.allocate(Kind::Real, extents, varies);
  View target = left; // out, with the axes of the factors
  target.strides.assign(folded.size(), 0);
  for (std::size_t i = 0; i < kept.size(); ++i)
    target.strides[kept[i]] = out.strides[i];

  // A right factor whose columns lie together is read across: (columns, sums) instead of (sums, columns).
  const bool across = evenStep(right, joined(columns, sums)) == 1;
  Factor first(memory, left, rows, sums);
  Factor second = across ? Factor(memory, right, columns, sums) : Factor(memory, right, sums, columns);
  const std::optional<std::int64_t> rowStep = evenStep(target, rows);
  const bool direct = rowStep && evenStep(target, columns) == 1;
  View corner; // one product, where out has its elements in another order
  const Axes face = joined(rows, columns);
  if (!direct)
    corner = memory.allocate(Kind::Real, pick(target.extents, face));
  if (!memory.active())
    return out;

  const std::int64_t m = product(pick(target.extents, rows)), n = product(pick(target.extents, columns)),
                     k = product(pick(target.extents, sums));
  if (m == 0 || n == 0)
    return out;
  View scattered = out;
  scattered.extents = pick(target.extents, face);
  scattered.strides = pick(target.strides, face);
  Nest(pick(target.extents, both), {pick(target.strides, both), pick(left.strides, both), pick(right.strides, both)})
      .run<3>([&](const auto &offsets, std::int64_t count, const auto &steps) {
        for (std::int64_t b = 0; b < count; ++b) {
          const Source a(first.at(offsets[1] + b * steps[1]), m, k);
          const double *other = second.at(offsets[2] + b * steps[2]);
          double *to = direct ? out.as<double>() + offsets[0] + b * steps[0] : corner.as<double>();
          Target c(to, m, n, Eigen::OuterStride<>(direct && m > 1 ? *rowStep : n));
          if (k == 0)
            c.setZero();
          else if (across)
            c.noalias() = a * Source(other, n, k).transpose();
          else
            c.noalias() = a * Source(other, k, n);
          c.array() += 0.0; // a sum of negative zeros is 0, as the fold from 0 has it
          if (!direct) {
            View here = scattered;
            advance(here, offsets[0] + b * steps[0]);
            copy(here, corner);
          }
        }
      });
  return out;
}

} // namespace attnc::eval
