#include "attnc/gpu/Staging.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
using mlir::Value;
using mlir::ValueRange;

Staging::Staging(Code &code, const View &view, int64_t columns, int64_t room, Value shared, int64_t threads)
    : code(code), view(view), columns(columns), room(room), shared(shared), threads(threads) {
  mlir::Type element = mlir::getElementTypeOrSelf(view.array);
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  span = 16 / bytes;
  bool along = mlir::isConstantIntValue(view.columnStride, 1);
  if (element != mlir::getElementTypeOrSelf(shared) || !along || room % span != 0)
    return;
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(code, view.array);
  Value start = add(code, address, multiply(code, view.start, index(code, bytes)));
  aligned = arith::AndIOp::create(code, isWhole(start), isWhole(multiply(code, view.rowStride, index(code, bytes))));
}

/// Whether bytes are spans of 16.
Value Staging::isWhole(Value bytes) {
  Value rest = code.createOrFold<arith::RemUIOp>(bytes, index(code, 16));
  return equal(code, rest, index(code, 0));
}

void Staging::usePlaces(Region &of, llvm::ArrayRef<Operand::Axis> axes) {
  region = &of;
  placed.assign(axes.begin(), axes.end());
  for (const Operand::Axis &axis : placed)
    if (aligned)
      aligned = arith::AndIOp::create(code, aligned, isWhole(multiply(code, axis.stride, index(code, 16 / span))));
}

Value Staging::rowStart(Value row, Value to) {
  Value start = add(code, view.start, multiply(code, row, view.rowStride));
  Value key = placed.empty() ? row : smaller(code, row, subtract(code, to, index(code, 1)));
  for (const Operand::Axis &axis : placed) {
    Value most = subtract(code, greater(code, axis.extent, index(code, 1)), index(code, 1));
    // Any element may be read where a place is outside.
    Value place = code.createOrFold<arith::MinUIOp>(region->place(axis.place, key), most);
    start = add(code, start, multiply(code, place, axis.stride));
  }
  return start;
}

void Staging::copy(const Thread &thread, Value from, Value to, int64_t count, Value at, Value there) {
  present = there ? there : index(code, columns);
  for (const Operand::Axis &axis : placed) // nothing can be read of an empty array
    to = choose(code, less(code, index(code, 0), axis.extent), to, index(code, 0));
  if (!aligned)
    return copyElements(thread, from, to, count, at);
  branch(
      code, aligned, [&] { copySpans(thread, from, to, count, at); },
      [&] { copyElements(thread, from, to, count, at); });
}

/// The threads take parts of `width` columns in turn, along rows.
template <class Body> void Staging::eachPart(const Thread &thread, int64_t count, int64_t width, Body body) {
  int64_t parts = room / width;
  loop(code, thread.id, index(code, count * parts), threads, [&](Value number) {
    Value row = code.createOrFold<arith::DivUIOp>(number, index(code, parts));
    Value part = code.createOrFold<arith::RemUIOp>(number, index(code, parts));
    body(row, multiply(code, part, index(code, width)));
  });
}

void Staging::copyElements(const Thread &thread, Value from, Value to, int64_t count, Value at) {
  mlir::Type given = mlir::getElementTypeOrSelf(view.array), wanted = mlir::getElementTypeOrSelf(shared);
  eachPart(thread, count, 1, [&](Value row, Value column) {
    Value source = add(code, from, row), begin = rowStart(source, to);
    Value there = arith::AndIOp::create(code, less(code, source, to), less(code, column, present));
    auto read = mlir::scf::IfOp::create(
        code, there,
        [&](mlir::OpBuilder &builder, mlir::Location location) {
          Code inside(location, builder);
          Value place = add(inside, begin, multiply(inside, column, view.columnStride));
          Value element = memref::LoadOp::create(inside, view.array, ValueRange{place});
          if (given != wanted)
            element = arith::ExtFOp::create(inside, wanted, element);
          mlir::scf::YieldOp::create(inside, element);
        },
        [&](mlir::OpBuilder &builder, mlir::Location location) {
          Code inside(location, builder);
          mlir::scf::YieldOp::create(inside, splat(inside, wanted, 0));
        });
    memref::StoreOp::create(code, read.getResult(0), shared, ValueRange{add(code, at, row), column});
  });
}

void Staging::copySpans(const Thread &thread, Value from, Value to, int64_t count, Value at) {
  eachPart(thread, count, span, [&](Value row, Value column) {
    Value source = add(code, from, row), none = index(code, 0);
    Value left = greater(code, subtract(code, present, column), none);
    Value there = smaller(code, left, index(code, span));
    there = choose(code, less(code, source, to), there, none);
    // What is not there is not read, but its address must be that of something.
    Value place = add(code, rowStart(source, to), column);
    place = choose(code, less(code, none, there), place, view.start);
    mlir::nvgpu::DeviceAsyncCopyOp::create(code, mlir::nvgpu::DeviceAsyncTokenType::get(code.getContext()), shared,
                                           ValueRange{add(code, at, row), column}, view.array, ValueRange{place},
                                           code.getIndexAttr(span), there, code.getUnitAttr());
  });
}

} // namespace attnc
