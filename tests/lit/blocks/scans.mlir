// An affine scan becomes a grid of blocks: 32 columns of the state, in registers, chunks of steps in shared memory. Gates
// given by logarithms are exponentiated there; four threads have a column; a normaliser is one more, of values 1.
// RUN: attnc-opt %s -attnc-blocks -cse -split-input-file | FileCheck %s

#q = affine_map<(t, d, e) -> (t, d)>
#v = affine_map<(t, d, e) -> (t, e)>
#g = affine_map<(t, d, e) -> (t)>
#s = affine_map<(t, d, e) -> (d, e)>
#z = affine_map<(t, d, e) -> (d)>
// CHECK-LABEL: func.func @scan(
// CHECK: %[[ALL:.*]] = arith.addi %{{.*}}, %c1
// CHECK: scf.parallel
// CHECK: memref.view {{.*}} to memref<64x20xf32, 3>
// CHECK: memref.view {{.*}} to memref<64x36xf32, 3>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c32
// CHECK: gpu.barrier
// CHECK: math.exp
// CHECK: gpu.barrier
// CHECK: scf.for
// CHECK-COUNT-4: arith.mulf
// CHECK-COUNT-2: gpu.shuffle xor
// CHECK: {attnc.block = 128 : i64}
func.func @scan(%q: memref<?x13xf32>, %k: memref<?x13xf32>, %v: memref<?x?xf32>, %g: memref<?xf32>, %s: memref<13x?xf32>,
                %z: memref<13xf32>, %y: memref<?x?xf32>, %last: memref<13x?xf32>, %r: memref<?xf32>, %lastz: memref<13xf32>) {
  attnc.chunks batch 0 query(%q : memref<?x13xf32>) key(%k : memref<?x13xf32>) value(%v : memref<?x?xf32>)
    gate logarithms(%g : memref<?xf32>) from(%s, %z : memref<13x?xf32>, memref<13xf32>)
    into(%y, %last, %r, %lastz : memref<?x?xf32>, memref<13x?xf32>, memref<?xf32>, memref<13xf32>)
    maps [#q, #q, #v, #g, #s, #z, #v, #s, #g, #z]
  return
}

// -----

#q = affine_map<(t, d, e) -> (t, d)>
#v = affine_map<(t, d, e) -> (t, e)>
#s = affine_map<(t, d, e) -> (d, e)>
// Where the matrix unit multiplies, a block has 64 columns of the state and takes chunks of 64 steps: queries by keys, the
// state by queries, values by what is past, values by keys. Gates end a chunk before its tile where they leave their range.
// CHECK-LABEL: func.func @chunks(
// CHECK: %[[SHARED:.*]] = memref.alloca() {alignment = 16 : i64} : memref<{{.*}}xi8, 3>
// CHECK: memref.view {{.*}} to memref<128x24xbf16, 3>
// CHECK: memref.view {{.*}} to memref<128x24xbf16, 3>
// CHECK: memref.view {{.*}} to memref<128x72xbf16, 3>
// CHECK: memref.view {{.*}} to memref<64x72xbf16, 3>
// CHECK: memref.view {{.*}} to memref<128x16xf32, 3>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c64
// CHECK: math.absf
// CHECK: arith.minimumf
// CHECK: scf.for
// CHECK: scf.if
// CHECK: arith.divf
// CHECK: gpu.barrier
// CHECK-COUNT-8: nvgpu.mma.sync
// CHECK: memref.store %{{.*}} : memref<64x72xbf16, 3>
// CHECK: gpu.barrier
// CHECK-COUNT-36: nvgpu.mma.sync
// CHECK-NOT: nvgpu.mma.sync
// CHECK: {attnc.block = 128 : i64}
func.func @chunks(%q: memref<?x16xbf16>, %k: memref<?x16xbf16>, %v: memref<?x?xbf16>, %g: memref<?x16xf32>, %s: memref<16x?xf32>,
                  %y: memref<?x?xf32>, %last: memref<16x?xf32>) {
  attnc.chunks batch 0 query(%q : memref<?x16xbf16>) key(%k : memref<?x16xbf16>) value(%v : memref<?x?xbf16>)
    gate(%g : memref<?x16xf32>) from(%s : memref<16x?xf32>) into(%y, %last : memref<?x?xf32>, memref<16x?xf32>)
    maps [#q, #q, #v, #q, #s, #v, #s]
  return
}
