#pragma once
#include "attnc/stream/Lanes.h"

namespace attnc {

/// Replaces what a kernel of warp groups asks of its device (dialect/DeviceOps.td) by PTX of sm_90a; false where `op`
/// is no such thing. A tensor map is the address of an argument.
bool writeGroupInstruction(Code &code, mlir::Operation *op);

} // namespace attnc
