#include "attnc/gpu/Warp.h"

#include "attnc/gpu/Host.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

namespace attnc {

namespace arith = mlir::arith;
namespace gpu = mlir::gpu;
namespace memref = mlir::memref;
namespace nvgpu = mlir::nvgpu;
using mlir::Value;

Thread::Thread(Code &code) {
  auto over = [&](Value value, int64_t by) { return code.createOrFold<arith::DivUIOp>(value, index(code, by)); };
  auto rest = [&](Value value, int64_t by) { return code.createOrFold<arith::RemUIOp>(value, index(code, by)); };
  id = gpu::ThreadIdOp::create(code, code.getIndexType(), gpu::Dimension::x);
  warp = over(id, warpSize);
  lane = rest(id, warpSize);
  group = over(lane, 4);
  pair = rest(lane, 4);
}

void waitForCopies(Code &code) {
  Value asked = nvgpu::DeviceAsyncCreateGroupOp::create(code, nvgpu::DeviceAsyncTokenType::get(code.getContext()),
                                                        mlir::ValueRange());
  nvgpu::DeviceAsyncWaitOp::create(code, asked, code.getI32IntegerAttr(0));
}

void barrier(Code &code) { gpu::BarrierOp::create(code); }

Value exchanged(Code &code, Value value, int64_t mask) {
  return gpu::ShuffleOp::create(code, value, int32_t(mask), int32_t(warpSize), gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value sharedMemory(Code &code, int64_t bytes, int64_t alignment) {
  auto type = mlir::MemRefType::get({bytes}, code.getI8Type(), mlir::MemRefLayoutAttrInterface(),
                                    code.getI64IntegerAttr(sharedSpace));
  return memref::AllocaOp::create(code, type, code.getI64IntegerAttr(alignment));
}

Value sharedMatrix(Code &code, Value memory, int64_t at, int64_t rows, int64_t columns, mlir::Type element) {
  auto type = mlir::MemRefType::get({rows, columns}, element, mlir::MemRefLayoutAttrInterface(),
                                    code.getI64IntegerAttr(sharedSpace));
  return memref::ViewOp::create(code, type, memory, index(code, at), mlir::ValueRange());
}

} // namespace attnc
