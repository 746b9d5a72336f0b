// The block of registers follows the machine: 8 keys by 3 vectors of 16 where there are 32 registers of 512 bits, 4 by 3 of 8
// where there are 16 of 256. The last tile is as wide as what is left: of 66 queries, 48 and 18; or 2 × 24 and 18.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: attnc-opt %s -attnc-tiles="vector-bits=256 registers=16" | FileCheck %s --check-prefixes=CHECK,HALF

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-LABEL: func.func @attention(
// CHECK-NOT: attnc.stream
// WIDE: call @accumulate_8x3(
// WIDE: arith.cmpf ogt
// WIDE: arith.bitcast {{.*}} : vector<16xf32> to vector<16xi32>
// WIDE: call @accumulate_8x3(
// WIDE: call @accumulate_8x2(
// HALF: call @accumulate_4x3(
// HALF: arith.bitcast {{.*}} : vector<8xf32> to vector<8xi32>
// CHECK: memref.dealloc
// CHECK: return
// The products are functions that all streams of a module share.
// WIDE: func.func private @accumulate_8x3(
// WIDE-COUNT-24: vector.fma {{.*}} : vector<16xf32>
// WIDE-NOT: vector.fma
// WIDE: func.func private @accumulate_8x2(
// WIDE-COUNT-16: vector.fma {{.*}} : vector<16xf32>
// HALF: func.func private @accumulate_4x3(
// HALF-COUNT-12: vector.fma {{.*}} : vector<8xf32>
func.func @attention(%q: memref<66x4xf32>, %k: memref<7x4xf32>, %v: memref<7x6xf32>, %y: memref<66x6xf32>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<66x4xf32>, memref<7x4xf32>) values(%v : memref<7x6xf32>)
    into(%y : memref<66x6xf32>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}
