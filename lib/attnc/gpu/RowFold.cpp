#include "attnc/gpu/RowFold.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
using mlir::Value;

StreamOutputs::StreamOutputs(Code &code, dialect::StreamOp stream, StreamLoops &loops, llvm::ArrayRef<Value> batch) {
  StreamOperands operands(loops, stream);
  Value none = index(code, 0);
  results = operands.output().at(code, batch, none);
  if (stream.isMeasured())
    measures = operands.measures().at(code, batch, none);
}

void StreamOutputs::store(Code &code, Value value, const View &output, Value query, Value column) {
  mlir::Type element = mlir::getElementTypeOrSelf(output.array);
  if (!element.isF32())
    value = arith::TruncFOp::create(code, element, value);
  Value place = add(code, output.start, multiply(code, query, output.rowStride));
  place = add(code, place, multiply(code, column, output.columnStride));
  memref::StoreOp::create(code, value, output.array, mlir::ValueRange{place});
}

} // namespace attnc
