#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

namespace attnc {

/// A stream whose queries meet keys of their own, or of which there are few: loops over the rows of keys and values
/// where they lie, with the features along the lanes of vectors. `name` is that of the functions of its tasks.
void emitRows(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name);

} // namespace attnc
