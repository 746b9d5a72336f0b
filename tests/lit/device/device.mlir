// What only a device has becomes intrinsics of LLVM; the memory of a block is a symbol whose length a launch says.
// RUN: attnc-opt %s -attnc-device | FileCheck %s

// CHECK: llvm.mlir.global external @attnc_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
// CHECK-LABEL: func.func @kernel(
// CHECK: llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.tid.x"()
// CHECK: llvm.mlir.addressof @attnc_shared
// CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.cg.shared.global.16.s"({{.*}}) : (!llvm.ptr<3>, !llvm.ptr<1>, i32) -> ()
// CHECK: llvm.call_intrinsic "llvm.nvvm.cp.async.wait.all"()
// CHECK: llvm.call_intrinsic "llvm.nvvm.barrier.cta.sync.aligned.all"
// CHECK: llvm.call_intrinsic "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"({{.*}}) : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
// CHECK: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k16.row.col.bf16"
// CHECK-COUNT-6: llvm.call_intrinsic "llvm.nvvm.f2tf32.rna"({{.*}}) : (f32) -> i32
// CHECK: llvm.call_intrinsic "llvm.nvvm.mma.m16n8k8.row.col.tf32"
// CHECK: llvm.call_intrinsic "llvm.nvvm.shfl.sync.bfly.f32"
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"
// CHECK: llvm.fptrunc %{{.*}} : f32 to bf16
// CHECK-NOT: nvgpu
// CHECK-NOT: gpu.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @kernel(%x: memref<64xbf16>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %t = gpu.thread_id x
      %memory = memref.alloca() : memref<512xi8, 3>
      %square = memref.view %memory[%c0][] : memref<512xi8, 3> to memref<16x16xbf16, 3>
      %asked = nvgpu.device_async_copy %x[%c0], %square[%c0, %c0], 8, %c8 {bypassL1} : memref<64xbf16> to memref<16x16xbf16, 3>
      %group = nvgpu.device_async_create_group
      nvgpu.device_async_wait %group {numGroups = 0 : i32}
      gpu.barrier
      %a = nvgpu.ldmatrix %square[%t, %c0] {numTiles = 4 : i32, transpose = true} : memref<16x16xbf16, 3> -> vector<4x2xbf16>
      %b = arith.constant dense<1.0> : vector<2x2xbf16>
      %c = arith.constant dense<0.0> : vector<2x2xf32>
      %d = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xbf16>, vector<2x2xbf16>, vector<2x2xf32>) -> vector<2x2xf32>
      %fa = arith.constant dense<1.0> : vector<4x1xf32>
      %fb = arith.constant dense<1.0> : vector<2x1xf32>
      %f = nvgpu.mma.sync(%fa, %fb, %d) {mmaShape = [16, 8, 8], tf32Enabled} : (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
      %e = vector.extract %f[0, 0] : f32 from vector<2x2xf32>
      %one = arith.constant 1 : i32
      %width = arith.constant 32 : i32
      %other, %valid = gpu.shuffle xor %e, %one, %width : f32
      %power = math.exp2 %other : f32
      %short = arith.truncf %power : f32 to bf16
      memref.store %short, %x[%t] : memref<64xbf16>
      gpu.return
    }
  }
}
