// Threads of a block are loops between the places where they meet. What a thread keeps across has a place for each; a loop
// in which threads meet is one of the block.
// RUN: attnc-opt %s -attnc-emulate | FileCheck %s

// CHECK-LABEL: func.func @kernel(
// CHECK-SAME: %[[X:.*]]: memref<64xf32>, %[[BLOCKS:.*]]: index)
// CHECK-DAG: memref.alloca() : memref<64xf32>
// CHECK: scf.for %[[BLOCK:.*]] = %{{.*}} to %[[BLOCKS]]
// CHECK: scf.for %[[T:.*]] = %c0{{.*}} to %c64
// CHECK: memref.load %[[X]][%[[T]]]
// CHECK: memref.store %{{.*}}, %[[KEPT:.*]][%[[T]]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %c3
// A meeting: each thread reads the place of another.
// CHECK: scf.for %[[U:.*]] = %c0{{.*}} to %c64
// CHECK: %[[OTHER:.*]] = arith.xori %[[U]]
// CHECK: memref.load %{{.*}}[%[[OTHER]]]
// CHECK: memref.store
// CHECK: scf.for
// CHECK: arith.addf
// CHECK-NOT: gpu.
gpu.module @kernels {
  gpu.func @kernel(%x: memref<64xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %one = arith.constant 1 : i32
    %width = arith.constant 32 : i32
    %t = gpu.thread_id x
    %mine = memref.load %x[%t] : memref<64xf32>
    %sum = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %mine) -> f32 {
      %other, %valid = gpu.shuffle xor %s, %one, %width : f32
      %next = arith.addf %s, %other : f32
      scf.yield %next : f32
    }
    gpu.barrier
    memref.store %sum, %x[%t] : memref<64xf32>
    gpu.return
  }
}
