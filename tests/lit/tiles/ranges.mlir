// The comparisons on which a weight depends become the bounds of the loop over keys: here i - 8 < j ≤ i, for queries up to the
// last of the tile, from a whole block of 4 keys on.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=128 registers=16" -canonicalize -cse | FileCheck %s

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-LABEL: func.func @window(
// CHECK: arith.minsi
// CHECK: %[[FROM:.*]] = arith.maxsi
// CHECK: %[[BLOCK:.*]] = arith.divui %{{.*}}, %c4
// CHECK: %[[BEGIN:.*]] = arith.muli %[[BLOCK]], %c4
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %{{.*}} step %c128
func.func @window(%q: memref<24x4xf32>, %k: memref<300x4xf32>, %v: memref<300x6xf32>, %y: memref<24x6xf32>) {
  %lowest = arith.constant 0xFF800000 : f32
  %eight = arith.constant 8 : index
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<24x4xf32>, memref<300x4xf32>) values(%v : memref<300x6xf32>)
    into(%y : memref<24x6xf32>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    %past = arith.cmpi sle, %j, %i : index
    %apart = arith.subi %i, %j : index
    %near = arith.cmpi slt, %apart, %eight : index
    %both = arith.andi %past, %near : i1
    %s = arith.select %both, %c, %lowest : f32
    attnc.score %s
  }
  return
}
