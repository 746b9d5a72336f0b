// A query at a time: its products with a tile of second keys are a panel, keys go in tiles of 128 from a whole block on, and
// the states of the second keys merge, each with its value. A window of second keys begins at a row that moves.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=128 registers=16" -canonicalize -cse | FileCheck %s

#q = affine_map<(i, s, j, d, e, p) -> (i, d)>
#k = affine_map<(i, s, j, d, e, p) -> (j, d)>
#k2 = affine_map<(i, s, j, d, e, p) -> (p, d)>
#v = affine_map<(i, s, j, d, e, p) -> (j, e)>
#v2 = affine_map<(i, s, j, d, e, p) -> (p, e)>
#y = affine_map<(i, s, j, d, e, p) -> (i, e)>
// CHECK-LABEL: func.func @pairs(
// CHECK-COUNT-2: call @{{gather|strips}}_4_f32
// CHECK-COUNT-2: call @gather_4_f32
// CHECK: call @strips_4_f32
// CHECK: scf.for %{{.*}} = %c0 to %c300 step %c128 iter_args({{.*}}) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// CHECK: call @accumulate_4x2
// CHECK: call @accumulate_4x2
// CHECK: vector.reduction <maxnumf>
// CHECK: vector.reduction <add>
// CHECK: vector.shuffle
// CHECK: call @scatter_4_f32
func.func @pairs(%q: memref<24x4xf32>, %k: memref<300x4xf32>, %k2: memref<40x4xf32>, %v: memref<300x6xf32>, %v2: memref<40x6xf32>, %y: memref<24x6xf32>) {
  %keys = arith.constant 300 : index
  %seconds = arith.constant 8 : index
  attnc.stream "softmax" batch 1 contract(%q, %k, %k2 : memref<24x4xf32>, memref<300x4xf32>, memref<40x4xf32>)
    values(%v, %v2 : memref<300x6xf32>, memref<40x6xf32>) into(%y : memref<24x6xf32>) keys %keys queries %seconds
    maps [#q, #k, #k2, #v, #v2, #y] {
  ^bb0(%i: index, %s: index, %j: index, %c: f32):
    %place = arith.addi %i, %s : index
    attnc.score %c at(%place)
  }
  return
}
