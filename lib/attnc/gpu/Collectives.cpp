#include "attnc/gpu/Collectives.h"

#include "attnc/gpu/Host.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace attnc {

namespace arith = mlir::arith;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
namespace nvgpu = mlir::nvgpu;
namespace vector = mlir::vector;
using mlir::Value;
using mlir::ValueRange;

bool isCollective(mlir::Operation *op) {
  return mlir::isa<gpu::BarrierOp, gpu::ShuffleOp, nvgpu::LdMatrixOp, nvgpu::MmaSyncOp, nvgpu::DeviceAsyncCreateGroupOp,
                   nvgpu::DeviceAsyncWaitOp>(op);
}

Value loadPlace(Code &code, Value place, Value thread, mlir::Type type) {
  auto wide = mlir::dyn_cast<mlir::VectorType>(type);
  if (!wide)
    return memref::LoadOp::create(code, place, ValueRange{thread});
  if (wide.getRank() == 1)
    return vector::LoadOp::create(code, wide, place, ValueRange{thread, index(code, 0)});
  Value result = splat(code, wide, 0);
  for (int64_t i = 0; i < wide.getShape()[0]; ++i)
    for (int64_t j = 0; j < wide.getShape()[1]; ++j) {
      Value part = memref::LoadOp::create(code, place, ValueRange{thread, index(code, i), index(code, j)});
      result = vector::InsertOp::create(code, part, result, llvm::ArrayRef{i, j});
    }
  return result;
}

void storePlace(Code &code, Value value, Value place, Value thread) {
  auto wide = mlir::dyn_cast<mlir::VectorType>(value.getType());
  if (!wide)
    memref::StoreOp::create(code, value, place, ValueRange{thread});
  else if (wide.getRank() == 1)
    vector::StoreOp::create(code, value, place, ValueRange{thread, index(code, 0)});
  else
    for (int64_t i = 0; i < wide.getShape()[0]; ++i)
      for (int64_t j = 0; j < wide.getShape()[1]; ++j)
        memref::StoreOp::create(code, vector::ExtractOp::create(code, value, llvm::ArrayRef{i, j}).getResult(), place,
                                ValueRange{thread, index(code, i), index(code, j)});
}

namespace {

Value over(Code &code, Value value, int64_t by) { return code.createOrFold<arith::DivUIOp>(value, index(code, by)); }
Value rest(Code &code, Value value, int64_t by) { return code.createOrFold<arith::RemUIOp>(value, index(code, by)); }
Value times(Code &code, Value value, int64_t by) { return multiply(code, value, index(code, by)); }
Value plus(Code &code, Value value, int64_t by) { return add(code, value, index(code, by)); }

/// The thread of the same warp with that lane.
Value ofWarp(Code &code, Value thread, Value lane) {
  return add(code, times(code, over(code, thread, warpSize), warpSize), lane);
}

/// Square i is read from the rows that lanes 8 i, 8 i + 1, … give. A thread gets two elements of a row; transposed, of
/// a column.
void loadSquares(Code &code, nvgpu::LdMatrixOp op, Value thread, Value result,
                 llvm::function_ref<Value(Value, Value)> get) {
  Value lane = rest(code, thread, warpSize), group = over(code, lane, 4), pair = times(code, rest(code, lane, 4), 2);
  for (int64_t i = 0; i < op.getNumTiles(); ++i)
    for (int64_t half = 0; half < 2; ++half) {
      Value row = group, column = plus(code, pair, half);
      if (op.getTranspose())
        std::swap(row, column);
      Value giver = ofWarp(code, thread, plus(code, row, 8 * i));
      Value element = memref::LoadOp::create(
          code, get(op.getSrcMemref(), thread),
          ValueRange{get(op.getIndices()[0], giver), add(code, get(op.getIndices()[1], giver), column)});
      memref::StoreOp::create(code, element, result, ValueRange{thread, index(code, i), index(code, half)});
    }
}

/// The nearest number with 10 bits of mantissa; the farther from 0 of two.
Value roundedToTf32(Code &code, Value number) {
  auto word = [&](int64_t value) { return arith::ConstantOp::create(code, code.getI32IntegerAttr(value)); };
  Value bits = arith::BitcastOp::create(code, code.getI32Type(), number);
  bits = arith::AndIOp::create(code, arith::AddIOp::create(code, bits, word(0x1000)), word(~0x1fff));
  Value rounded = arith::BitcastOp::create(code, code.getF32Type(), bits);
  Value isNumber = arith::CmpFOp::create(code, arith::CmpFPredicate::ORD, number, number);
  return arith::SelectOp::create(code, isNumber, rounded, number);
}

/// With w elements in a word, lane 4 g + p has of a: rows g and g + 8, the w columns from w p on and those 4 w further;
/// of b: the w rows from w p on and those 4 w further, column g; of c: rows g and g + 8, columns 2 p and 2 p + 1.
void multiplyAdd(Code &code, Value thread, Value result, Value a, Value b, Value c, int64_t depth) {
  Value lane = rest(code, thread, warpSize), group = over(code, lane, 4), pair = rest(code, lane, 4);
  int64_t width = depth / 8;
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t x = 0; x < 2; ++x) {
      Value first = memref::LoadOp::create(code, c, ValueRange{thread, index(code, h), index(code, x)});
      Value sum = loop(code, index(code, 0), index(code, depth), 1, first, [&](Value k, ValueRange carried) {
        Value part = over(code, rest(code, k, 4 * width), width), half = rest(code, k, width);
        Value later = over(code, k, 4 * width);
        auto element = [&](Value place, Value line, Value square) -> Value {
          Value giver = ofWarp(code, thread, add(code, times(code, line, 4), part));
          Value read = memref::LoadOp::create(code, place, ValueRange{giver, square, half});
          if (read.getType().isF32())
            return roundedToTf32(code, read);
          return arith::ExtFOp::create(code, code.getF32Type(), read);
        };
        Value left = element(a, group, plus(code, times(code, later, 2), h));
        Value right = element(b, plus(code, times(code, pair, 2), x), later);
        return llvm::SmallVector<Value>{mlir::math::FmaOp::create(code, left, right, carried[0])};
      })[0];
      memref::StoreOp::create(code, sum, result, ValueRange{thread, index(code, h), index(code, x)});
    }
}

} // namespace

void emulateCollective(Code &code, mlir::Operation *op, Value thread, llvm::function_ref<Value(Value, Value)> get,
                       llvm::function_ref<Value(Value)> place) {
  if (auto shuffle = mlir::dyn_cast<gpu::ShuffleOp>(op)) {
    Value mask = arith::IndexCastUIOp::create(code, code.getIndexType(), get(shuffle.getOffset(), thread));
    Value other = arith::XOrIOp::create(code, thread, mask);
    storePlace(code, get(shuffle.getValue(), other), place(shuffle.getShuffleResult()), thread);
  } else if (auto load = mlir::dyn_cast<nvgpu::LdMatrixOp>(op)) {
    loadSquares(code, load, thread, place(load.getRes()), get);
  } else if (auto product = mlir::dyn_cast<nvgpu::MmaSyncOp>(op)) {
    multiplyAdd(code, thread, place(product.getRes()), place(product.getMatrixA()), place(product.getMatrixB()),
                place(product.getMatrixC()), product.getMmaShapeAsArray()[2]);
  }
}

void emulateCopies(mlir::Operation *function) {
  function->walk([](nvgpu::DeviceAsyncCopyOp copy) {
    Code code(copy.getLoc(), copy);
    auto type = mlir::cast<mlir::MemRefType>(copy.getDst().getType());
    for (int64_t i = 0; i < copy.getDstElements().getSExtValue(); ++i) {
      llvm::SmallVector<Value> to(copy.getDstIndices()), from(copy.getSrcIndices());
      from.back() = plus(code, from.back(), i);
      to.back() = plus(code, to.back(), i);
      // What is not there may lie outside the array.
      auto read = mlir::scf::IfOp::create(
          code, less(code, index(code, i), copy.getSrcElements()),
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Value element = memref::LoadOp::create(builder, at, copy.getSrc(), from);
            mlir::scf::YieldOp::create(builder, at, element);
          },
          [&](mlir::OpBuilder &builder, mlir::Location at) {
            Code otherwise(at, builder);
            mlir::scf::YieldOp::create(otherwise, splat(otherwise, type.getElementType(), 0));
          });
      Value element = read.getResult(0);
      memref::StoreOp::create(code, element, copy.getDst(), to);
    }
    copy->erase();
  });
}

} // namespace attnc
