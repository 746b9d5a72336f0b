#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/driver/Session.h"

namespace attnc {

/// Draws a result [n m] as a heat map to .svg, .png or .pdf. `labels` is empty or a JSON file: a list of strings for
/// both axes, or {"rows": [...], "columns": [...]}.
bool writeHeatmap(const std::string &path, const Array &array, const std::string &labels, const std::string &title,
                  Session &session);

} // namespace attnc
