#pragma once
#include <string_view>

namespace attnc::recombine {

/// The text of taxonomy/generators.attn.
std::string_view shippedGenerators();

} // namespace attnc::recombine
