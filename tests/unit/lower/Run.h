#pragma once
#include "Make.h"

#include "attnc/lower/Lower.h"

namespace attnc {

/// The arrays that the lowered definition computes, by a just-in-time compiler of the test's own: inputs and
/// parameters as the oracle takes them, rounded to `options.real` on the way in. Sizes that `options` does not
/// fix are passed as arguments. Fails the test when the definition cannot be lowered.
std::vector<Array> runLowered(const Definition &definition, const LowerOptions &options, const Size::Values &sizes,
                              const std::vector<Array> &inputs, const std::vector<Array> &parameters = {});

/// The same array with reals rounded to what `real` holds.
Array rounded(const Array &array, Real real);

/// The module after `emitDiagram`, `lowerToLinalg` as text.
std::string dialectText(const Definition &definition, const LowerOptions &options = {},
                        const SourceManager *sources = nullptr);
std::string linalgText(const Definition &definition, const LowerOptions &options = {});

} // namespace attnc
