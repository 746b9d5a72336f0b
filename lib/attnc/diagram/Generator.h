#pragma once
#include "attnc/support/Id.h"
#include "attnc/theory/Pointwise.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace attnc {

struct Diagram;
/// Bodies are shared and never change.
using DiagramRef = std::shared_ptr<const Diagram>;
using LearnerId = Id<struct LearnerTag>;

/// How a wire enters a box: one slice an iteration, or whole.
enum class Mode : std::uint8_t { Map, Share };

/// What a box does with the axis of its results: puts it back (None), or folds it away. An empty axis
/// folds to the unit: 0, 1, -inf, inf (the extreme int for int), false, true.
enum class Cap : std::uint8_t { None, Sum, Prod, Max, Min, Any, All };
std::string_view name(Cap cap); // "simd" for None, else "sum" …

// ---- The generators. All but the boxes act on exactly the types named; a SIMD box lifts them over axes.

/// A scalar constant of its value's kind.
struct Const {
  std::variant<double, std::int64_t, bool> value;
};
/// The value of a size: int[].
struct SizeValue {
  Size size;
};
/// A function on scalars.
struct Pointwise {
  PointwiseFn fn;
};
/// x: [n t..], i: int[] -> [t..]: the slice at i; outside 0 ≤ i < n it is zero (false).
struct Gather {};
/// i: int[k], x: [k t..] -> [size t..]: adds slice j of x at i[j]; what falls outside is dropped.
/// real and int only.
struct Scatter {
  Size size;
};
/// x: [n] -> [count], int[count]: the greatest first, equal ones by lowest index first, NaN before all;
/// past n: -inf (the least int) and index -1. real and int only.
struct TopK {
  Size count;
};
/// x: [a1 … ak] -> the same: exp(x - max) over its sum, over all axes jointly. With `sink`, a second
/// operand []: a logit that takes part in maximum and sum and whose weight is dropped. Where the
/// maximum is -inf the result is 0.
struct Softmax {
  bool sink = false;
};
/// [a b t..] -> [b a t..].
struct Transpose {};
/// [s.. t..] -> [axes..]: the same elements in row-major order; the products of the axes are equal.
struct Reshape {
  std::vector<Size> axes;
};
/// The SIMD box, a tube: `body` once for each i < size. Operands enter by `modes`; the body's inputs
/// are the index (int[], only if `indexed`), then one for each operand.
struct Box {
  Cap cap = Cap::None;
  Size size;
  bool indexed = false;
  std::vector<Mode> modes;
  DiagramRef body;
};
/// A box that carries a state along its axis, i = 0 first. Operands: `states` initial states, then the
/// wires that enter by `modes`. The body's inputs: the index (if `indexed`), the states, the wires;
/// its outputs: the next states, then one result a step. The scan's results: the step results stacked,
/// then the final states.
struct Scan {
  Size size;
  bool indexed = false;
  unsigned states = 0;
  std::vector<Mode> modes;
  DiagramRef body;
};
/// A named box: `body` has one input for each operand and one output for each result.
struct Call {
  std::string name;
  DiagramRef body;
};
/// A learner applied to its domain. `per[i]` says which enclosing box's index picks the parameters along
/// the learner's i-th `per` axis: 0 is the innermost enclosing Box or Scan, 1 the next. (A Call is no box here.)
struct Apply {
  LearnerId learner;
  std::vector<unsigned> per;
};

using Generator = std::variant<Const, SizeValue, Pointwise, Gather, Scatter, TopK, Softmax, Transpose, Reshape, Box,
                               Scan, Call, Apply>;

/// The name of the generator for messages: "gather", "sum box", "exp" …
std::string describe(const Generator &generator);
/// The body of a Box, Scan or Call; null for the others.
const DiagramRef &bodyOf(const Generator &generator);

} // namespace attnc
