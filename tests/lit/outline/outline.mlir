// A grid becomes a kernel and a launch: a thread for each point, or a block of so many threads with what it shares.
// RUN: attnc-opt %s -attnc-outline | FileCheck %s

// CHECK-LABEL: func.func @points(
// CHECK: %[[BLOCKS:.*]] = arith.minui
// CHECK: gpu.launch_func @kernels::@points_0 blocks in (%[[BLOCKS]], %{{.*}}, %{{.*}}) threads in (%c256{{.*}}, %{{.*}}, %{{.*}}) args(
func.func @points(%x: memref<?xf32> {attnc.shape = affine_map<()[n] -> (n)>}, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %one, %x[%i] : memref<?xf32>
  }
  return
}

// CHECK-LABEL: func.func @blocks(
// CHECK: %[[SHARED:.*]] = arith.constant 64 : i32
// CHECK: gpu.launch_func @kernels::@blocks_0 blocks in {{.*}} threads in (%c128{{.*}}) dynamic_shared_memory_size %[[SHARED]]
func.func @blocks(%x: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %shared = memref.alloca() : memref<64xi8, 3>
    gpu.barrier
    memref.store %one, %x[%i] : memref<8xf32>
  } {attnc.block = 128 : i64}
  return
}

// CHECK: gpu.func @points_0(%{{.*}}: index, %{{.*}}: memref<f32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>}
// CHECK: %[[WIDTH:.*]] = gpu.block_dim x
// CHECK: arith.muli %{{.*}}, %[[WIDTH]]
// CHECK: gpu.func @blocks_0({{.*}}) kernel attributes {known_block_size = array<i32: 128, 1, 1>}
// CHECK: %[[FIRST:.*]] = gpu.block_id x
// CHECK: %[[STEP:.*]] = gpu.grid_dim x
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %{{.*}} step %[[STEP]]
