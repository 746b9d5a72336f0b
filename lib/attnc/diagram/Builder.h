#pragma once
#include "attnc/diagram/Signature.h"

#include <initializer_list>

namespace attnc {

/// Builds a diagram; every operation is checked against its signature as it is added.
///
///     Builder b(learners);
///     WireId q = b.input({Kind::Real, {}}, "q");
///     WireId y = *b.add1(Pointwise{PointwiseFn::Exp}, {q});
///     Diagram d = b.finish({y});
class Builder {
public:
  /// The learners are read when an Apply is added; the table may grow meanwhile.
  explicit Builder(const std::vector<Learner> &learners) : learners(&learners) {}

  WireId input(Type type, std::string name);
  /// The results of the operation, or which law of its signature is broken.
  tl::expected<std::vector<WireId>, std::string> add(Generator generator, std::vector<WireId> operands, Span span = {});
  /// The same for a generator with one result.
  tl::expected<WireId, std::string> add1(Generator generator, std::vector<WireId> operands, Span span = {});

  const Type &type(WireId wire) const { return diagram.type(wire); }
  const std::string &name(WireId wire) const { return diagram.wire(wire).name; }
  /// Names a wire that has no name yet.
  void suggestName(WireId wire, const std::string &name);
  /// The integer, when the wire is an integer constant.
  std::optional<std::int64_t> constantOf(WireId wire) const;
  std::size_t opCount() const { return diagram.ops.size(); }

  /// Ends the building: operations and wires that no output needs are dropped.
  Diagram finish(const std::vector<WireId> &outputs) &&;

private:
  const std::vector<Learner> *learners;
  Diagram diagram;
};

} // namespace attnc
