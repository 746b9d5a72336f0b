// A selection is a stream whose results are ranks: of scores that nothing else reads it takes the contraction.
// RUN: attnc-opt %s -attnc-batch -cse -attnc-stream | FileCheck %s

// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d3)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4)>
// CHECK-LABEL: func.func @scored(
// CHECK-NOT: linalg.generic
// CHECK: attnc.stream "topk" batch 1 contract({{.*}}) into(%{{.*}}, %{{.*}} : tensor<5x3xf32>, tensor<5x3xi64>) keys %{{.*}} maps [#[[Q]], #[[K]], #[[Y]], #[[Y]]]
func.func @scored(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>) -> (tensor<5x3xf32>, tensor<5x3xi64>) {
  %n = arith.constant 5 : index
  %m = arith.constant 7 : index
  %d = arith.constant 4 : index
  %c = arith.constant 3 : index
  %r:2 = attnc.box "simd" %n (%q, %k) mapped [true, false] : (tensor<5x4xf32>, tensor<7x4xf32>) -> (tensor<5x3xf32>, tensor<5x3xi64>) {
  ^bb0(%qi: tensor<4xf32>, %ki: tensor<7x4xf32>):
    %s = attnc.box "simd" %m (%qi, %ki) mapped [false, true] : (tensor<4xf32>, tensor<7x4xf32>) -> tensor<7xf32> {
    ^bb0(%qij: tensor<4xf32>, %kij: tensor<4xf32>):
      %t = attnc.box "sum" %d (%qij, %kij) mapped [true, true] : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32> {
      ^bb0(%x: tensor<f32>, %z: tensor<f32>):
        %p = attnc.pointwise "mul" (%x, %z) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %p : tensor<f32>
      }
      attnc.yield %t : tensor<f32>
    }
    %values, %places = attnc.topk %s count %c : tensor<7xf32> -> tensor<3xf32>, tensor<3xi64>
    attnc.yield %values, %places : tensor<3xf32>, tensor<3xi64>
  }
  return %r#0, %r#1 : tensor<5x3xf32>, tensor<5x3xi64>
}
