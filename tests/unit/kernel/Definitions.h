#pragma once
#include "attnc/diagram/Builder.h"

namespace attnc::test {

/// mul(a: [n], b: [n]) -> [n], pointwise.
inline Definition mulDefinition(Kind kind = Kind::Real) {
  Definition definition;
  definition.name = "mul";
  definition.doc = "The pointwise product.\n";
  Size n = Size::variable("n");
  Builder body(definition.learners);
  WireId x = body.input({kind, {}}, "a"), y = body.input({kind, {}}, "b");
  WireId product = body.add1(Pointwise{*pointwiseNamed("mul")}, {x, y}).value();
  auto inner = std::make_shared<const Diagram>(std::move(body).finish({product}));
  Builder builder(definition.learners);
  WireId a = builder.input({kind, {n}}, "a"), b = builder.input({kind, {n}}, "b");
  WireId result = builder.add1(Box{Cap::None, n, false, {Mode::Map, Mode::Map}, inner}, {a, b}).value();
  definition.diagram = std::move(builder).finish({result});
  definition.outputNames = {""};
  return definition;
}

} // namespace attnc::test
