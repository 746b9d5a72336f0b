#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/render/Text.h"

#include <optional>

namespace attnc::render {

/// For each wire of a diagram: how it is written, if it is a number that hangs on no wire from outside and is short to
/// write: `−∞`, `0.5`, `d`, `√d`, `1/√d`; where it is copied along axes, these stand below. Such a wire is drawn as
/// one state.
std::vector<std::optional<Line>> constantLabels(const Diagram &diagram);

/// A size as mathematics writes it, names in italics: `2·d + n`; put after a line.
void append(Line &line, const Size &size);
/// The sign between two operands, or nothing for functions that are written by name.
std::string_view infixSign(PointwiseFn fn);

} // namespace attnc::render
