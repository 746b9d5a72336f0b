#pragma once
#include "attnc/stream/Machine.h"

#include "mlir/Pass/Pass.h"

// Streams: folds over an axis along which their operands are produced, so that nothing with both the axes of the
// queries and of the keys is kept in memory.
//
//     linalg on tensors ─attnc-stream→ attnc.stream ─(bufferisation)─attnc-tiles→ loops of vectors
namespace attnc {

/// `attnc-stream`: folds that are streams become `attnc.stream`; remarks tell which, and why others are not.
std::unique_ptr<mlir::Pass> createStreamPass();
/// `attnc-tiles`: `attnc.stream` on arrays becomes loops over tiles in the registers of a machine.
std::unique_ptr<mlir::Pass> createTilesPass(const Machine &machine = {});
void registerTilesPass();

/// Lets bufferisation place the results of streams.
void registerStreamBufferization(mlir::DialectRegistry &registry);

} // namespace attnc
