#pragma once
#include "attnc/arrays/Array.h"

namespace attnc {

/// A result for people: its name, type and shape, then its elements, with … where there are many.
std::string summary(const std::string &name, const Array &array);

} // namespace attnc
