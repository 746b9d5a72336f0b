#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

namespace attnc {

/// A stream that ranks its scores: loops over queries, and tiles of their keys. `name` is that of the functions of its
/// tasks.
void emitTopK(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name);

} // namespace attnc
