#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"
#include "attnc/stream/Machine.h"

namespace attnc {

/// A stream over pairs of keys: loops over tiles of second keys by keys in registers, a query at a time, with the
/// second keys along the lanes of vectors. `name` is that of the functions of its tasks.
void emitJointTiles(Code &code, dialect::StreamOp stream, const Machine &machine, std::string name);

} // namespace attnc
