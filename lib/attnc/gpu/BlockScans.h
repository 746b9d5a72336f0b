#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Lanes.h"

#include <string>

namespace attnc {

/// Why blocks of threads have no code for a scan, in lower case; empty where they have.
std::string refusalOfScan(dialect::ChunksOp scan);
/// The grid of blocks that computes a scan on arrays, in its place.
void emitScan(Code &code, dialect::ChunksOp scan);

} // namespace attnc
