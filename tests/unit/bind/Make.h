#pragma once
#include "attnc/bind/Bind.h"
#include "attnc/diagram/Builder.h"
#include "attnc/diagram/Parameters.h"

#include <catch2/catch.hpp>

namespace attnc::test {

inline Size var(const char *name) { return Size::variable(name); }
inline Type real(std::vector<Size> axes) { return {Kind::Real, std::move(axes)}; }

struct Wiring {
  std::string name;
  Type type;
};

/// A definition of these inputs that returns them.
inline Definition define(const std::vector<Wiring> &inputs, std::vector<Learner> learners = {},
                         std::vector<Constraint> constraints = {}) {
  Definition definition;
  definition.name = "f";
  definition.learners = std::move(learners);
  definition.constraints = std::move(constraints);
  Builder builder(definition.learners);
  std::vector<WireId> wires;
  for (const Wiring &input : inputs)
    wires.push_back(builder.input(input.type, input.name));
  definition.diagram = std::move(builder).finish(wires);
  return definition;
}

inline Array zeros(std::vector<std::int64_t> shape, DType dtype = DType::F32) {
  return *Array::zeros(dtype, std::move(shape));
}

/// One run of the binder and all it reported.
struct Outcome {
  SourceManager sources;
  Diagnostics diagnostics{sources};
  std::optional<Bound> bound;

  Outcome(const Definition &definition, const Given &given) { bound = bindArrays(definition, given, diagnostics); }

  std::vector<Diag> kinds() const {
    std::vector<Diag> all;
    for (const Diagnostic &diagnostic : diagnostics.all())
      all.push_back(diagnostic.kind);
    return all;
  }
  std::string text() const { return diagnostics.render(); }
};

} // namespace attnc::test
