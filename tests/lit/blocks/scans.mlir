// An affine scan becomes a grid of blocks: 32 columns of the state, in registers, chunks of steps in shared memory. Gates
// given by logarithms are exponentiated there; four threads have a column; a normaliser is one more, of values 1.
// RUN: attnc-opt %s -attnc-blocks -cse | FileCheck %s

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
