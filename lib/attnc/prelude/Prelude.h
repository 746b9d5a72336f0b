#pragma once
#include <string_view>

namespace attnc {

/// The part of the language written in the language: the text of prelude.attn.
std::string_view preludeText();

} // namespace attnc
