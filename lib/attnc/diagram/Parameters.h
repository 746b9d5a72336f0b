#pragma once
#include "attnc/diagram/Diagram.h"

namespace attnc {

/// One array of numbers a learner is filled with when a definition is run.
struct Parameter {
  std::string name;
  LearnerId learner;
  Type type;
};

/// The parameters of one learner, in the order its meaning uses them. `per` axes come first in each:
///   linear    `W`        one input:  [domain.. codomain..]         y = x W
///             `W.0` …    more:       the same for each input       y = Σ_i x_i W.i
///   affine    `W.weight` (`W.weight.0` …) as linear, `W.bias` [codomain..]
///   param     `u`        [codomain..]
///   universal `a.hidden.weight` (`a.hidden.weight.0` …) [domain.. width], `a.hidden.bias` [width],
///             `a.out.weight` [width codomain..], `a.out.bias` [codomain..];
///             y = tanh(Σ_i x_i H_i + b) O + c: dense in the continuous functions as width grows (Cybenko 1989)
///   box       has none: a hole must be filled before it can be run
std::vector<Parameter> parametersOf(const Learner &learner, LearnerId id);
/// Those of every learner, in the order of the table.
std::vector<Parameter> parametersOf(const Definition &definition);

} // namespace attnc
