#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

namespace attnc {

/// A stream whose queries meet the same keys: loops over tiles of queries by keys in registers, with the queries along
/// the lanes of vectors. `name` is that of the functions of its tasks.
void emitTiles(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name);

} // namespace attnc
