#include "attnc/dialect/DeviceOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

// Generated code names parameters it does not use.
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "attnc/dialect/AttncDialect.cpp.inc"
#define GET_OP_CLASSES
#include "attnc/dialect/AttncOps.cpp.inc"
#define GET_OP_CLASSES
#include "attnc/dialect/DeviceOps.cpp.inc"

namespace attnc::dialect {

void AttncDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "attnc/dialect/AttncOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "attnc/dialect/DeviceOps.cpp.inc"
      >();
}

Kind kindOf(mlir::Type elementType) {
  if (mlir::isa<mlir::FloatType>(elementType))
    return Kind::Real;
  return elementType.isInteger(1) ? Kind::Bool : Kind::Int;
}

} // namespace attnc::dialect
