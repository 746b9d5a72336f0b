#pragma once
#include <string>
#include <tl/expected.hpp>

namespace attnc::render {

/// A graph in Graphviz's language, laid out by `dot` and drawn as svg, pdf or png. The same text gives the same svg.
tl::expected<std::string, std::string> drawGraph(const std::string &dot, const std::string &form);

} // namespace attnc::render
