#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Nest.h"
#include "attnc/lower/Scalars.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

/// A wire inside boxes, for all their iterations at once: an array whose leading axes are those of the
/// boxes around it on which it depends, outermost first, followed by its own.
///
///     simd n (q) { simd m (k) { dot(q, k) } }        q: {0} [d]   k: {1} [d]   dot: {0 1} []
///
/// To enter a box by map is then to call the outermost own axis a box axis; to share is to do nothing; to
/// leave a SIMD box is the reverse of entering. No array moves.
struct Batched {
  mlir::Value tensor;
  llvm::SmallVector<unsigned, 4> frames;            // ascending: 0 is the outermost box
  llvm::SmallVector<mlir::OpFoldResult, 4> extents; // of the own axes
};
using Wires = llvm::SmallVector<Batched, 4>;

/// Interprets the operations of the attnc dialect once, each value batched over its boxes. A scan is a loop;
/// the boxes around it stay batched inside.
class Batcher {
public:
  /// `known` gives the values of sizes; operations go where `builder` stands.
  Batcher(mlir::IRRewriter &builder, mlir::IRMapping &known) : builder(builder), known(known) {}

  /// Says what an array from outside all boxes is: an input, or a parameter.
  void bind(mlir::Value of, Batched wire) { wires[of] = std::move(wire); }
  const Batched &wire(mlir::Value of) const { return wires.find(of)->second; }
  /// Interprets one operation of the dialect and binds its results.
  void interpret(mlir::Operation *op);

private:
  using Frames = llvm::SmallVector<unsigned, 4>;
  using Extents = llvm::SmallVector<mlir::OpFoldResult, 6>;
  /// A box around what is interpreted now: an axis, or the present step of a scan.
  struct Frame {
    mlir::OpFoldResult size;
    mlir::Value step; // null for an axis
  };

  Wires body(mlir::Block &block, llvm::ArrayRef<Batched> arguments);
  Wires apply(dialect::ConstOp op);
  Wires apply(dialect::SizeOp op);
  Wires apply(dialect::PointwiseOp op);
  Wires apply(dialect::GatherOp op);
  Wires apply(dialect::ScatterOp op);
  Wires apply(dialect::TopKOp op);
  Wires apply(dialect::SoftmaxOp op);
  Wires apply(dialect::TransposeOp op);
  Wires apply(dialect::ReshapeOp op);
  Wires apply(dialect::BoxOp op);
  Wires apply(dialect::ScanOp op);
  Wires apply(dialect::CallOp op);
  Wires apply(dialect::ApplyOp op);

  Wires operands(mlir::ValueRange values) const;
  mlir::OpFoldResult size(mlir::Value index) const;
  /// The boxes on which any of the wires depends.
  static Frames together(llvm::ArrayRef<Batched> wires);
  /// Loops over boxes and then over own axes.
  Nest nest(llvm::ArrayRef<unsigned> frames, llvm::ArrayRef<mlir::OpFoldResult> own);
  Extents sizesOf(llvm::ArrayRef<unsigned> frames) const;
  /// How a wire is read in `nest(frames, …)`: its i-th own axis along the `own[i]`-th own loop.
  static Access read(const Batched &wire, llvm::ArrayRef<unsigned> frames, llvm::ArrayRef<unsigned> own);
  /// The same, own axes along the own loops from `first` on.
  static Access readFrom(const Batched &wire, llvm::ArrayRef<unsigned> frames, unsigned first = 0);
  /// The wire over exactly `frames`, which are all of its own and perhaps more.
  Batched spread(const Batched &wire, llvm::ArrayRef<unsigned> frames);
  /// The slice at a step of a scan, along the axis at `position`.
  mlir::Value slice(mlir::Value array, unsigned position, mlir::Value step);
  /// The array without some axes of length 1. (A slice that drops them itself is folded wrongly by MLIR where other
  /// axes have length 1 too.)
  mlir::Value withoutAxes(mlir::Value array, unsigned first, unsigned count);
  /// An index wire: 0, 1, … along the innermost frame, or its present step.
  Batched indexWire(unsigned frame);
  Frames framesOfLearners(dialect::ScanOp op) const;
  /// A parameter with the frames its `per` axes run along (in that order, not sorted), and its own extents.
  Batched parameter(mlir::Value array, llvm::ArrayRef<int64_t> per);
  /// Σ over the wire's own axes of wire * weight, added to `initial`.
  Batched contract(const Batched &wire, const Batched &weight, const Batched &initial);
  /// All inputs times their weights plus the bias, or plus 0 for a null one.
  Batched affine(llvm::ArrayRef<Batched> inputs, llvm::ArrayRef<Batched> weights, const Batched *bias);
  Batched sumOf(llvm::ArrayRef<Batched> inputs, llvm::ArrayRef<Batched> weights, const Batched *bias,
                const Frames &frames);
  static mlir::Type scalarOf(mlir::Value wire) { return mlir::getElementTypeOrSelf(wire); }

  mlir::IRRewriter &builder;
  mlir::IRMapping &known;
  mlir::Location location = builder.getUnknownLoc();
  llvm::DenseMap<mlir::Value, Batched> wires;
  llvm::SmallVector<Frame, 8> stack;
};

} // namespace attnc
