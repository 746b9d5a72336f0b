// A stream becomes a grid of blocks of four warps: 64 queries each, the keys of its range by 64. Arrays in bf16 are
// multiplied by matrix units; arrays in f32 are not.
// RUN: attnc-opt %s -attnc-blocks -cse -split-input-file | FileCheck %s

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-LABEL: func.func @matrix(
// CHECK: scf.parallel (%{{.*}}, %[[TILE:.*]]) =
// CHECK: %[[SHARED:.*]] = memref.alloca() {alignment = 16 : i64} : memref<[[BYTES:.*]]xi8, 3>
// CHECK: nvgpu.device_async_copy {{.*}} 8, %{{.*}} {bypassL1} : memref<?xbf16> to memref<64x24xbf16, 3>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c64
// CHECK: nvgpu.device_async_wait
// CHECK: gpu.barrier
// CHECK-COUNT-8: nvgpu.mma.sync
// CHECK-COUNT-2: gpu.shuffle xor
// CHECK: math.exp2
// CHECK: arith.truncf %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK: nvgpu.ldmatrix %{{.*}} {numTiles = 4 : i32, transpose = true} : memref<128x24xbf16, 3> -> vector<4x2xbf16>
// CHECK-COUNT-8: nvgpu.mma.sync
// CHECK-NOT: nvgpu.mma.sync
// CHECK: {attnc.block = 128 : i64}
func.func @matrix(%q: memref<?x16xbf16>, %k: memref<?x16xbf16>, %v: memref<?x16xbf16>, %y: memref<?x16xbf16>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<?x16xbf16>, memref<?x16xbf16>) values(%v : memref<?x16xbf16>)
    into(%y : memref<?x16xbf16>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}

// -----

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// The last key of a tile of causal queries is the last query's.
// CHECK-LABEL: func.func @single(
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK-NOT: nvgpu.mma.sync
// CHECK: math.fma
// CHECK-NOT: nvgpu.mma.sync
// CHECK: return
func.func @single(%q: memref<100x6xf32>, %k: memref<100x6xf32>, %v: memref<100x5xf32>, %y: memref<100x5xf32>) {
  %none = arith.constant 0.0 : f32
  attnc.stream "sum" batch 0 contract(%q, %k : memref<100x6xf32>, memref<100x6xf32>) values(%v : memref<100x5xf32>)
    into(%y : memref<100x5xf32>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    %past = arith.cmpi sle, %j, %i : index
    %s = arith.select %past, %c, %none : f32
    attnc.score %s
  }
  return
}

// -----

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// Few queries: keys are parted, into 264 blocks at most and 256 keys at least, and the states of parts merged.
// CHECK-LABEL: func.func @few(
// CHECK-DAG: arith.constant 264 : index
// CHECK-DAG: arith.constant 256 : index
// CHECK: %[[PARTS:.*]] = arith.maxsi
// CHECK: %[[STATES:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: scf.parallel (%{{.*}}, %{{.*}}, %[[PART:.*]]) = ({{.*}}) to (%{{.*}}, %{{.*}}, %[[PARTS]])
// CHECK: arith.muli %[[PART]]
// CHECK: memref.store %{{.*}}, %[[STATES]]
// CHECK: {attnc.block = 128 : i64}
// CHECK: scf.parallel
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[PARTS]]
// CHECK: memref.load %[[STATES]]
// CHECK: memref.dealloc %[[STATES]]
func.func @few(%q: memref<3x8xf32>, %k: memref<?x8xf32>, %v: memref<?x8xf32>, %y: memref<3x8xf32>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<3x8xf32>, memref<?x8xf32>) values(%v : memref<?x8xf32>)
    into(%y : memref<3x8xf32>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}

// -----

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
module attributes {attnc.tf32} {
// Arrays in f32 whose products may be rounded are the matrix unit's. Rows are padded so that none is read on the bank of
// another: along the depth two floats of a row, across it one of two rows.
// CHECK-LABEL: func.func @rounded(
// CHECK: memref.view {{.*}} to memref<128x24xf32, 3>
// CHECK: memref.view {{.*}} to memref<128x20xf32, 3>
// CHECK: vector.load {{.*}} : memref<64x24xf32, 3>, vector<2xf32>
// CHECK-COUNT-16: nvgpu.mma.sync{{.*}} {mmaShape = [16, 8, 8], tf32Enabled} : (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>)
// CHECK: math.exp2
// CHECK: memref.load {{.*}} : memref<128x20xf32, 3>
// CHECK-COUNT-16: nvgpu.mma.sync
// CHECK-NOT: nvgpu.mma.sync
// CHECK: return
func.func @rounded(%q: memref<?x16xf32>, %k: memref<?x16xf32>, %v: memref<?x16xf32>, %y: memref<?x16xf32>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<?x16xf32>, memref<?x16xf32>) values(%v : memref<?x16xf32>)
    into(%y : memref<?x16xf32>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}
}
