#pragma once
#include "attnc/dialect/AttncDialect.h"

namespace attnc {

/// Remarks what was found: the keys and the queries, and, of known sizes, the multiplications and the bytes that must
/// be read and written.
void explain(dialect::StreamOp stream);

} // namespace attnc
