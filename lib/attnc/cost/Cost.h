#pragma once
#include "attnc/diagram/Diagram.h"

#include <array>
#include <tl/expected.hpp>

namespace attnc {

/// What a definition costs, as polynomials in its sizes, when it is executed one operation at a time over whole arrays:
///
///     simd n (q) { simd m (k) { dot(q, k) / sqrt(d) } }      2*d*m*n + m*n flops
///
/// An operation inside boxes runs once for each index its value depends on, so what does not use an axis is done
/// outside, and boxes, transposes and reshapes only say how arrays are looked at. What depends on sizes alone is
/// known beforehand and costs nothing. A fold is one loop nest with the pointwise functions, gathers and folds inside
/// it that depend on its axis: their values stay in registers, so a contraction reads its operands and writes its
/// result. A scan goes step by step: what it shares is read at each step, and its steps use the same memory.
struct Cost {
  /// Each pointwise function 1 an element, each folded element 1 (so a contraction 2), a linear learner [a] -> [b]
  /// 2ab, affine b more, universal that of its perceptron with 1 for each tanh; softmax 5 an element (maximum, minus,
  /// exp, sum, division); topk n * count (one pass for each result: n log n is no polynomial); scatter 1 an added
  /// element; what only moves, 0.
  Size flops;
  /// Those of them that are exp, log, sin, cos, tanh, erf, sqrt or pow.
  Size transcendental;
  /// Arrays read, once for each operation that uses them, parameters too, and arrays written, outputs too.
  Size bytes;
  /// Of all arrays between inputs and outputs together, as if none were freed before the end.
  Size memory;
  /// Numbers in the learners.
  Size parameters;
  /// Operations in the diagram and the bodies of its boxes: its length, whatever the sizes.
  Size ops;
};

struct Measure {
  std::string_view name; // as in Cost
  Size Cost::*field;
};
inline constexpr std::array<Measure, 6> measures = {{{"flops", &Cost::flops},
                                                     {"transcendental", &Cost::transcendental},
                                                     {"bytes", &Cost::bytes},
                                                     {"memory", &Cost::memory},
                                                     {"parameters", &Cost::parameters},
                                                     {"ops", &Cost::ops}}};
std::optional<Measure> measureNamed(std::string_view name);

/// `elementBytes` is the size of every number. The error names a box that is not filled: its cost is not known.
tl::expected<Cost, std::string> costOf(const Definition &definition, std::int64_t elementBytes = 4);

/// With values for some of the sizes; a constant polynomial in what has none left.
Cost atSizes(const Cost &cost, const Size::Values &values);

/// Which of two costs is less at the sizes given, whatever the other sizes are: by the signs of the coefficients of
/// their difference. Unordered when it turns on sizes that have no value.
std::partial_ordering compare(const Size &left, const Size &right, const Size::Values &values = {});

} // namespace attnc
