#pragma once
#include "attnc/theory/Type.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

// The operations are documented in AttncOps.td.
//
// A diagram is a `func.func` whose arguments are the inputs, then the arrays of the learners, then one
// `index` for each size name; every tensor argument and result has the attribute `attnc.shape`, a map from
// the size names (as symbols) to its extents, and `attnc.name`.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" // generated code names parameters it does not use
#include "attnc/dialect/AttncDialect.h.inc"
#define GET_OP_CLASSES
#include "attnc/dialect/AttncOps.h.inc"
#pragma GCC diagnostic pop

namespace attnc::dialect {

inline constexpr llvm::StringLiteral shapeAttribute = "attnc.shape", nameAttribute = "attnc.name";
/// Marks a loop that is a scan.
inline constexpr llvm::StringLiteral scanAttribute = "attnc.scan";

/// The kind of a wire, by the element type of its tensor.
Kind kindOf(mlir::Type elementType);

} // namespace attnc::dialect
