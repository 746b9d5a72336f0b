#pragma once
#include "attnc/diagram/Generator.h"
#include "attnc/eval/View.h"

#include <span>

namespace attnc::eval {

/// The generators on whole batches. In every kernel the views have `boxes` leading axes, one for each
/// enclosing box, of equal length in all; `out` varies along each box's axis along which an operand does,
/// and along all its own axes.

/// out and the operands have equal extents; f element by element.
void pointwise(PointwiseFn fn, const View &out, std::span<const View> operands);
void copy(const View &out, const View &in);

/// Sets every element to the unit of the cap's fold (not Cap::None).
void fillWithUnit(Cap cap, const View &out);
/// Folds `in` along `axis` into `out`, which has that axis no more, on top of what out holds.
void fold(Cap cap, const View &out, const View &in, std::size_t axis);
void fillWithZeros(const View &out);

void gather(const View &out, const View &array, const View &index, std::size_t boxes);
/// `out` holds zeros before.
void scatter(const View &out, const View &indices, const View &array, std::size_t boxes);
void topK(const View &values, const View &indices, const View &array, std::size_t boxes);
/// `sink` may be null. A NaN logit makes its whole distribution NaN, and so does a logit of +inf.
void softmax(const View &out, const View &logits, const View *sink, std::size_t boxes);

} // namespace attnc::eval
