#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/eval/Memory.h"

#include <optional>
#include <span>

namespace attnc::eval {

/// The functor from diagrams to arrays. A body is interpreted once for all iterations of its box: its wires
/// are views with an axis for each box around them (View.h), so a box costs a change of views, and
/// its operations run over whole batches.
///
/// Memory. The batch of all iterations may be too much to hold. The outermost box is first *rehearsed*, which
/// computes nothing and tells the peak; the box runs its axis in the largest chunks (by halving) that need
/// some MiB, else half of the limit, else all of it; and if single iterations do not fit, they are
/// run one by one, and the boxes inside do the same.
///
/// An axis of a scan is a box axis of length 1 that moves. Errors stand in `memory.error`, in lower case;
/// after one, results are empty views.
class Interpreter {
public:
  Interpreter(const Definition &definition, const Size::Values &sizes, Memory &memory)
      : definition(definition), sizes(sizes), parameters(definition.learners.size()), memory(memory) {}

  /// The next parameter of the learner, as a view without box axes.
  void addParameter(LearnerId learner, View view) { parameters[learner.index()].push_back(std::move(view)); }
  std::vector<View> run(const Diagram &diagram, std::span<const View> inputs);

  using Operands = std::span<const View>;
  /// What mapDiagram calls: `on`, and no more after an error.
  template <class G> std::vector<View> apply(const G &generator, const Op &op, Operands operands) {
    std::vector<View> results;
    if (!memory.failed())
      results = on(generator, op, operands);
    if (memory.failed()) {
      locate(op);
      results.assign(op.results.size(), View());
    }
    return results;
  }

  /// The value of a size, at least 0; or 0 and an error.
  std::int64_t value(const Size &size);
  Extents values(const std::vector<Size> &axes);

private:
  std::vector<View> on(const Const &, const Op &, Operands);
  std::vector<View> on(const SizeValue &, const Op &, Operands);
  std::vector<View> on(const Pointwise &, const Op &, Operands);
  std::vector<View> on(const Gather &, const Op &, Operands);
  std::vector<View> on(const Scatter &, const Op &, Operands);
  std::vector<View> on(const TopK &, const Op &, Operands);
  std::vector<View> on(const Softmax &, const Op &, Operands);
  std::vector<View> on(const Transpose &, const Op &, Operands);
  std::vector<View> on(const Reshape &, const Op &, Operands);
  std::vector<View> on(const Box &, const Op &, Operands);
  std::vector<View> on(const Scan &, const Op &, Operands);
  std::vector<View> on(const Call &, const Op &, Operands);
  std::vector<View> on(const Apply &, const Op &, Operands);

  /// The iterations of an enclosing box that are under way: [start, start + extent).
  struct Frame {
    std::int64_t start, extent;
  };

  /// A result that varies along each box along which one of `operands` does, and along its own axes.
  View result(Kind kind, Operands operands, const Extents &own);
  View constant(Kind kind);
  /// f element by element, of operands of equal extents.
  View elementwise(PointwiseFn fn, Operands operands);

  /// The inputs of a body for the iterations of `frame`, from wires outside it: `depth` is the number of
  /// boxes around the wires.
  View enter(Mode mode, const View &wire, Frame frame, std::size_t depth);
  View iota(Frame frame, std::size_t depth);

  std::vector<View> iterate(const Box &box, Operands operands, std::int64_t size, std::int64_t chunk);
  std::vector<View> emptyBox(const Box &box);
  /// A sum of products of two wires, by matrix products; nothing when the box is not of that form.
  std::optional<std::vector<View>> contraction(const Box &box, Operands operands);
  std::vector<View> steps(const Scan &scan, Operands operands, std::int64_t size);
  /// The outer boxes, as positions in `frames`, that pick parameters somewhere in the body.
  void collectPer(const Diagram &body, std::size_t depth, std::vector<bool> &named) const;

  /// A parameter as a wire here: along its `per` axes it varies with the boxes that pick them.
  View parameter(const View &parameter, const Apply &apply);
  /// x W: all own axes of x contracted with the first own axes of W.
  View linear(const View &operand, const View &weight);

  /// The peak of memory that `work` would need.
  template <class Work> std::size_t rehearse(Work &&work);
  void locate(const Op &op);

  const Definition &definition;
  const Size::Values &sizes;
  std::vector<std::vector<View>> parameters;
  Memory &memory;
  std::vector<Frame> frames;
  bool planned = false; // a rehearsal has shown that what is under way fits
  bool located = false;
};

} // namespace attnc::eval
