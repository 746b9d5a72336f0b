#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Machine.h"

#include "mlir/Pass/Pass.h"

#include <functional>
#include <string>

// Streams: folds over an axis along which their operands are produced, so that nothing with both the axes of the
// queries and of the keys is kept in memory.
//
//     linalg on tensors ─attnc-stream→ attnc.stream ─(bufferisation)─attnc-tiles→ loops of vectors
//
// Scans whose states are affine in themselves take a chunk of steps at a time:
//
//     scf.for on tensors ─attnc-scans→ attnc.chunks ─(bufferisation)─attnc-chunks→ loops of vectors
//
// Products of matrices that are in neither go through the same blocks of registers, with what is done with each element
// after:
//
//     linalg on tensors ─attnc-products→ attnc.product ─(bufferisation)─attnc-multiply→ loops of vectors
namespace attnc {

/// Why a target has no code for a stream or a chunked scan, in lower case; empty where it has.
using StreamRefusal = std::function<std::string(dialect::StreamOp)>;
using ScanRefusal = std::function<std::string(dialect::ChunksOp)>;

/// `attnc-stream`: folds that are streams become `attnc.stream`; remarks tell which, and why others are not.
std::unique_ptr<mlir::Pass> createStreamPass(StreamRefusal refuse = {});
/// `attnc-narrow`: streams that are chosen read and write arrays in bf16 as they are kept, where only they ask for them
/// in f32, and compute what is made of constants alone.
std::unique_ptr<mlir::Pass> createNarrowPass(std::function<bool(dialect::StreamOp)> chosen = {});
/// Whether a machine that multiplies pairs of bf16 does so in a stream, once it is narrowed: what is multiplied is kept
/// in bf16, and is met by enough queries.
bool goesByPairs(dialect::StreamOp stream);
/// `attnc-tiles`: `attnc.stream` on arrays becomes loops over tiles in the registers of a machine, or over rows.
std::unique_ptr<mlir::Pass> createTilesPass(const Machine &machine = {});
void registerTilesPass();
/// `attnc-emulate-amx`: tile registers as arrays, what is done with them as loops.
std::unique_ptr<mlir::Pass> createEmulateAmxPass();

/// `attnc-scans`: loops of steps that are affine in their states become `attnc.chunks`; remarks tell which, and why
/// others are not.
std::unique_ptr<mlir::Pass> createScansPass(ScanRefusal refuse = {});
/// `attnc-chunks`: `attnc.chunks` on arrays becomes loops over chunks in the registers of a machine.
std::unique_ptr<mlir::Pass> createChunksPass(const Machine &machine = {});
void registerChunksPass();

/// `attnc-products`: contractions of matrices, with the maps of their elements that follow, become `attnc.product`.
std::unique_ptr<mlir::Pass> createProductsPass();
/// `attnc-multiply`: `attnc.product` on arrays becomes loops over blocks in the registers of a machine.
std::unique_ptr<mlir::Pass> createMultiplyPass(const Machine &machine = {});
void registerMultiplyPass();

/// Lets bufferisation place the results of streams, of chunked scans and of products.
void registerStreamBufferization(mlir::DialectRegistry &registry);

} // namespace attnc
