#pragma once
#include "attnc/kernel/Abi.h"

#include <tl/expected.hpp>

namespace attnc {

/// An array as a kernel takes it: of the argument's dtype, aligned for it, of the shape its type has for these
/// sizes. Converts where the dtype differs (rounding to nearest even). The error names the argument and both shapes.
tl::expected<Array, std::string> argumentArray(const KernelArgument &argument, const Array &given,
                                               const Size::Values &sizes);

/// The array a kernel writes a result to, filled with what no result should be: NaN for reals, 0x7f in each byte of
/// the others. An element that the kernel forgets is seen.
tl::expected<Array, std::string> poisonedArray(const KernelArgument &argument, const Size::Values &sizes);

} // namespace attnc
