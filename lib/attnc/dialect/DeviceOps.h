#pragma once
#include "attnc/dialect/AttncDialect.h"

// What kernels of warp groups ask of their device; documented in DeviceOps.td.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" // generated code names parameters it does not use
#define GET_OP_CLASSES
#include "attnc/dialect/DeviceOps.h.inc"
#pragma GCC diagnostic pop
