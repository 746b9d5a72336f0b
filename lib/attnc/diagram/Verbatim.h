#pragma once
#include "attnc/diagram/Diagram.h"

namespace attnc {

/// A definition as it was built, operation by operation, without names of wires: equal texts are equal
/// diagrams; equal diagrams may have different texts.
std::string verbatim(const Definition &definition);

} // namespace attnc
