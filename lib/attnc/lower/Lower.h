#pragma once
#include "attnc/diagram/Diagram.h"
#include "attnc/stream/Machine.h"
#include "attnc/stream/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <tl/expected.hpp>

namespace attnc {

/// The road of every diagram to code, whatever its shape:
///
///     Definition ─emitDiagram→ attnc ─lowerToLinalg→ linalg on tensors ─lowerToLLVM→ LLVM dialect
///
/// The function that comes out, which is also the C interface of ahead-of-time objects:
///
///     int32_t attnc_NAME(const T *in0, …, const T *param0, …, T *out0, …, int64_t size0, …)
///
/// Arrays are dense and row-major: real T is float, double or the 16 bits of a bfloat16; int is int64_t;
/// bool is uint8_t, 0 or 1. Inputs in the order of the diagram, parameters in that of `parametersOf`, then
/// outputs; then the values of the size names that are not fixed at compile time, in the order of
/// `sizeNames`. Outputs are written whole and may overlap nothing. Every axis must have a length of at least
/// 0 under the sizes, and constraints must hold: that is the caller's to check. Returns 0.
///
/// Scratch memory comes from `aligned_alloc` and goes to `free`; functions of libm may be called.
enum class Real : std::uint8_t {
  F32,
  F64,
  BF16, // arrays are bf16, everything inside is f32; outputs are rounded to nearest even
};

struct LowerOptions {
  Real real = Real::F32;
  /// Sizes that are fixed; every other size name becomes an argument.
  Size::Values sizes;
};

/// `attnc_` and the name, with `_` for what a C identifier cannot hold.
std::string symbolName(const Definition &definition);
/// The size names that become arguments of the function, in order.
std::vector<std::string> sizeArguments(const Definition &definition, const LowerOptions &options);

/// Loads the dialects that emitting and lowering need.
void prepareContext(mlir::MLIRContext &context);
/// Registers dialects, passes and pipelines for a tool that names them in text.
void registerLowering(mlir::DialectRegistry &registry);

/// The definition as a function of the attnc dialect (AttncDialect.h), verified. With `sources`, locations point
/// into the program. Fails, in lower case, on a hole and on an axis that the sizes make negative.
tl::expected<mlir::OwningOpRef<mlir::ModuleOp>, std::string> emitDiagram(mlir::MLIRContext &context,
                                                                         const Definition &definition,
                                                                         const LowerOptions &options = {},
                                                                         const SourceManager *sources = nullptr);
/// What becomes one operation of its own, instead of nests of loops: attention-shaped folds `attnc.stream`, affine
/// scans `attnc.chunks`, products of matrices `attnc.product`.
struct Streaming {
  bool streams = true, scans = true, products = true;
  StreamRefusal refuse;
  ScanRefusal refuseScan;
};
/// attnc → linalg on tensors, fused: still values, still one function of tensors and indices.
tl::expected<void, std::string> lowerToLinalg(mlir::ModuleOp module, const Streaming &streaming = {});
/// linalg on tensors, without streams → linalg on arrays: results become arguments, each value has its place, and each
/// array of scratch is freed after its last use.
tl::expected<void, std::string> lowerToArrays(mlir::ModuleOp module);
/// linalg on tensors → the LLVM dialect, with the interface above; streams in tiles for a machine.
tl::expected<void, std::string> lowerToLLVM(mlir::ModuleOp module, const Machine &machine = {});

} // namespace attnc
