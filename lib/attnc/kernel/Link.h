#pragma once
#include "attnc/kernel/Target.h"

namespace attnc {

/// Links one object, and a second one if there is `more`, into a shared object, with the linker that is part of this
/// program. `name` becomes its soname. It needs libm and libc, and libomp only where the object calls OpenMP.
///
/// For this machine every symbol must be found there, or the error names it. For another architecture its
/// libraries are not at hand: they are named as needed and looked up when the object is loaded.
tl::expected<std::string, std::string> linkShared(std::string_view object, const Target &target,
                                                  const std::string &name, std::string_view more = {});

} // namespace attnc
