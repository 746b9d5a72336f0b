#pragma once
#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Blocks.h"

namespace attnc {

/// An operand of a stream as matrices, one for each index of the loops of the batch along which it runs.
struct Operand {
  View whole;                             // rows and columns of the matrix at index 0 of the batch
  llvm::SmallVector<unsigned> loops;      // of the batch, that it runs along, in order
  llvm::SmallVector<mlir::Value> strides; // of those loops
  bool hasRows = false, hasColumns = false;
  /// The axes that run along places of the region.
  struct Axis {
    unsigned place;
    mlir::Value stride, extent;
  };
  llvm::SmallVector<Axis, 1> placed;

  View at(Code &code, llvm::ArrayRef<mlir::Value> batch, mlir::Value row, mlir::Value column) const;
  View at(Code &code, llvm::ArrayRef<mlir::Value> batch, mlir::Value row) const;
};

/// The loops of a stream, or of a chunked scan, on arrays: their extents, and the numbering of the indices of its
/// batch.
class StreamLoops {
public:
  template <class Op>
  StreamLoops(Code &code, Op op) : StreamLoops(code, op.getOperation(), op.getMaps(), op.getBatch(), op.loopCount()) {}

  Operand operand(unsigned number, unsigned rowLoop, std::optional<unsigned> columnLoop);
  mlir::Value extent(unsigned loop) const { return extents[loop]; }
  llvm::ArrayRef<unsigned> batch() const { return all; }

  /// How many indices the loops have together.
  mlir::Value count(llvm::ArrayRef<unsigned> loops);
  /// The number of an index of the batch among those of `loops`.
  mlir::Value number(llvm::ArrayRef<unsigned> loops, llvm::ArrayRef<mlir::Value> at);
  /// The way back; loops that are not among `loops` get 0.
  llvm::SmallVector<mlir::Value> indices(llvm::ArrayRef<unsigned> loops, mlir::Value number);
  /// The multiplications of all loops together.
  mlir::Value work();

private:
  StreamLoops(Code &code, mlir::Operation *op, mlir::ArrayAttr maps, unsigned batch, unsigned loops);
  mlir::AffineMap mapOf(unsigned operand) const { return mlir::cast<mlir::AffineMapAttr>(maps[operand]).getValue(); }

  Code &code;
  mlir::Operation *op;
  mlir::ArrayAttr maps;
  llvm::SmallVector<mlir::Value> extents;
  llvm::SmallVector<unsigned> all;
};

/// The operands of a stream by the part they play. Each call looks at the array anew, where the code is.
class StreamOperands {
public:
  StreamOperands(StreamLoops &loops, dialect::StreamOp stream) : loops(loops), stream(stream) {}

  Operand query() { return loops.operand(0, stream.queryLoop(), stream.depthLoop()); }
  Operand key() { return loops.operand(1, stream.keyLoop(), stream.depthLoop()); }
  Operand value() { return loops.operand(stream.getContraction().size(), stream.keyLoop(), stream.featureLoop()); }
  Operand other(unsigned number) { return loops.operand(firstOther() + number, stream.queryLoop(), stream.keyLoop()); }
  /// Its columns are the features, or there are none.
  Operand output();
  Operand keysOfRanks() { return loops.operand(firstOutput() + 1, stream.queryLoop(), stream.featureLoop()); }
  Operand measures() { return loops.operand(firstOutput() + 1, stream.queryLoop(), std::nullopt); }

private:
  unsigned firstOther() { return stream.getContraction().size() + stream.getValue().size(); }
  unsigned firstOutput() { return firstOther() + stream.getOthers().size(); }

  StreamLoops &loops;
  dialect::StreamOp stream;
};

} // namespace attnc
