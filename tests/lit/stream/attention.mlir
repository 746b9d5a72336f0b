// A softmax of scores along the keys, then a contraction with values along them, is one fold; boxes around it are its batch.
// RUN: attnc-opt %s -attnc-batch -cse -attnc-stream | FileCheck %s

// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4)>
// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q0:.*]]: tensor<2x5x4xf32>, %[[K0:.*]]: tensor<2x7x4xf32>, %[[V0:.*]]: tensor<2x7x6xf32>)
// CHECK-NOT: linalg.generic
// CHECK: attnc.stream "softmax" batch 1 contract(%[[Q0]], %[[K0]] : tensor<2x5x4xf32>, tensor<2x7x4xf32>) values(%[[V0]] : tensor<2x7x6xf32>) into(%{{.*}} : tensor<2x5x6xf32>) maps [#[[Q]], #[[K]], #[[V]], #[[Y]]]
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[C:.*]]: f32):
// CHECK-NEXT: attnc.score %[[C]]
func.func @attention(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x6xf32>) -> tensor<2x5x6xf32> {
  %h = arith.constant 2 : index
  %n = arith.constant 5 : index
  %m = arith.constant 7 : index
  %d = arith.constant 4 : index
  %e = arith.constant 6 : index
  %r = attnc.box "simd" %h (%q, %k, %v) mapped [true, true, true] : (tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x6xf32>) -> tensor<2x5x6xf32> {
  ^bb0(%qh: tensor<5x4xf32>, %kh: tensor<7x4xf32>, %vh: tensor<7x6xf32>):
    %y = attnc.box "simd" %n (%qh, %kh, %vh) mapped [true, false, false] : (tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x6xf32>) -> tensor<5x6xf32> {
    ^bb0(%qi: tensor<4xf32>, %ki: tensor<7x4xf32>, %vi: tensor<7x6xf32>):
      %s = attnc.box "simd" %m (%qi, %ki) mapped [false, true] : (tensor<4xf32>, tensor<7x4xf32>) -> tensor<7xf32> {
      ^bb0(%qij: tensor<4xf32>, %kij: tensor<4xf32>):
        %c = attnc.box "sum" %d (%qij, %kij) mapped [true, true] : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32> {
        ^bb0(%x: tensor<f32>, %z: tensor<f32>):
          %p = attnc.pointwise "mul" (%x, %z) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          attnc.yield %p : tensor<f32>
        }
        attnc.yield %c : tensor<f32>
      }
      %a = attnc.softmax %s : tensor<7xf32> -> tensor<7xf32>
      %o = attnc.box "sum" %m (%a, %vi) mapped [true, true] : (tensor<7xf32>, tensor<7x6xf32>) -> tensor<6xf32> {
      ^bb0(%aj: tensor<f32>, %vj: tensor<6xf32>):
        %t = attnc.box "simd" %e (%aj, %vj) mapped [false, true] : (tensor<f32>, tensor<6xf32>) -> tensor<6xf32> {
        ^bb0(%w: tensor<f32>, %ve: tensor<f32>):
          %p = attnc.pointwise "mul" (%w, %ve) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          attnc.yield %p : tensor<f32>
        }
        attnc.yield %t : tensor<6xf32>
      }
      attnc.yield %o : tensor<6xf32>
    }
    attnc.yield %y : tensor<5x6xf32>
  }
  return %r : tensor<2x5x6xf32>
}
