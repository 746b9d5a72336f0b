#pragma once
#include "mlir/IR/BuiltinTypes.h"

namespace attnc {

/// The extents of a scan whose state is d × e; those that are not known are `ShapedType::kDynamic`.
struct ScanShape {
  int64_t steps, depth, features;
};

/// How many steps go into a chunk; 0 where one step after the other costs less. The one place where this is decided.
///
/// A step by itself costs 4de operations at about a third of the speed of register tiles, and starting several nests of
/// loops. In a chunk of c it costs 4de + c(d + e), and packing and the reading and writing of the state are shared by c
/// steps: 24de/c. The least of c(d + e) + 24de/c is near √(12 min(d, e)), below what fills the registers, so that c is
/// as small as blocks of queries allow without being all edge. Chunks were the faster from 8 steps and 4 × 4 on.
inline unsigned stepsInChunk(const ScanShape &shape) {
  auto known = [](int64_t extent) { return !mlir::ShapedType::isDynamic(extent); };
  if (known(shape.steps) && shape.steps < 8)
    return 0;
  if (known(shape.depth) && known(shape.features) && shape.depth * shape.features < 16)
    return 0;
  return 64;
}

/// Operations in multiply-adds: the products of a chunk, of which the causal half is counted, and those with the state.
inline double operationsInChunks(const ScanShape &shape, unsigned chunk) {
  return double(shape.steps) * (4.0 * shape.depth * shape.features + double(chunk) * (shape.depth + shape.features));
}
inline double operationsByStep(const ScanShape &shape) { return 4.0 * shape.steps * shape.depth * shape.features; }

} // namespace attnc
