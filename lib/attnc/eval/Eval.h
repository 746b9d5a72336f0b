#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"

#include <tl/expected.hpp>

namespace attnc {

struct EvalOptions {
  std::size_t maxMemory = std::size_t(8) << 30; // bytes, of arrays alive at one time
};

/// The reference meaning of a definition, in float64, int64 and bool. `inputs` in the order of the diagram's
/// inputs, `parameters` in the order of `parametersOf`, as F64, I64 or Bool arrays of exactly the shapes that
/// `sizes` gives. The outputs likewise; or why it cannot be run (a hole, too much memory), in lower case.
tl::expected<std::vector<Array>, std::string> evaluate(const Definition &definition, const Size::Values &sizes,
                                                       std::span<const Array> inputs, std::span<const Array> parameters,
                                                       const EvalOptions &options = {});

} // namespace attnc
