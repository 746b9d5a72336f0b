#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Parameters.h"

namespace attnc {

/// An array drawn for a name and a seed, the same on every machine and for every other array beside it: reals from
/// N(0, deviation²) by Box and Muller (1958) over theory's `uniform`, ints uniform in 0..7, bools fair coins.
/// As F64, I64 or Bool. Fails when memory does.
std::optional<Array> randomArray(Kind kind, std::vector<std::int64_t> shape, std::string_view name, std::int64_t seed,
                                 double deviation);

/// The standard deviation of each parameter of a learner, in the order of `parametersOf`: 1 / sqrt(fan-in) for the
/// weights and biases of a layer, so that it keeps the size of its inputs (LeCun 1998); 1 for a `param`.
std::vector<double> parameterDeviations(const Learner &learner, const Size::Values &sizes);

} // namespace attnc
