// A softmax over the axes of two folds, one inside the other, is one fold over pairs of keys. Windows become places that
// slide with the query. Seven second keys fill half a vector, three would fill less.
// RUN: attnc-opt %s -attnc-batch -cse -attnc-stream 2>&1 | FileCheck %s

// CHECK: remark: streamed: softmax over 3 by 7 pairs of keys for each query, the second ones in the lanes, 5 times
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d5, d3)>
// CHECK-DAG: #[[K2:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d3)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d5, d4)>
// CHECK-DAG: #[[V2:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d4)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4)>
// CHECK-LABEL: func.func @pairs(
// CHECK-SAME: %[[Q0:[a-z0-9]*]]: tensor<5x4xf32>, %[[K0:[a-z0-9]*]]: tensor<7x4xf32>, %[[K1:[a-z0-9]*]]: tensor<9x4xf32>, %[[V0:[a-z0-9]*]]: tensor<7x6xf32>, %[[V1:[a-z0-9]*]]: tensor<9x6xf32>
// CHECK: attnc.stream "softmax" batch 1 contract(%[[Q0]], %[[K1]], %[[K0]] : {{.*}}) values(%[[V1]], %[[V0]] : {{.*}}) into(%{{.*}}) keys %c3 queries %c7 maps [#[[Q]], #[[K]], #[[K2]], #[[V]], #[[V2]], #[[Y]]]
// CHECK-NEXT: ^bb0(%[[I:.*]]: index, %{{.*}}: index, %[[J:.*]]: index, %[[C:.*]]: f32):
// CHECK: %[[PLACE:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK-NOT: arith.cmpi
// CHECK: attnc.score %[[C]] at(%[[PLACE]])
func.func @pairs(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %k2: tensor<9x4xf32>, %v: tensor<7x6xf32>, %v2: tensor<9x6xf32>) -> tensor<5x6xf32> {
  %n = arith.constant 5 : index
  %m = arith.constant 7 : index
  %w = arith.constant 3 : index
  %d = arith.constant 4 : index
  %e = arith.constant 6 : index
  %y = attnc.box "simd" %n indexed(%q, %k, %k2, %v, %v2) mapped [true, false, false, false, false] : (tensor<5x4xf32>, tensor<7x4xf32>, tensor<9x4xf32>, tensor<7x6xf32>, tensor<9x6xf32>) -> tensor<5x6xf32> {
  ^bb0(%i: tensor<i64>, %qi: tensor<4xf32>, %ki: tensor<7x4xf32>, %k2i: tensor<9x4xf32>, %vi: tensor<7x6xf32>, %v2i: tensor<9x6xf32>):
    %kw = attnc.box "simd" %w indexed(%i, %k2i) mapped [false, false] : (tensor<i64>, tensor<9x4xf32>) -> tensor<3x4xf32> {
    ^bb0(%o: tensor<i64>, %at: tensor<i64>, %all: tensor<9x4xf32>):
      %p = attnc.pointwise "add"(%at, %o) : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %r = attnc.gather %all at %p : (tensor<9x4xf32>, tensor<i64>) -> tensor<4xf32>
      attnc.yield %r : tensor<4xf32>
    }
    %vw = attnc.box "simd" %w indexed(%i, %v2i) mapped [false, false] : (tensor<i64>, tensor<9x6xf32>) -> tensor<3x6xf32> {
    ^bb0(%o: tensor<i64>, %at: tensor<i64>, %all: tensor<9x6xf32>):
      %p = attnc.pointwise "add"(%at, %o) : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %r = attnc.gather %all at %p : (tensor<9x6xf32>, tensor<i64>) -> tensor<6xf32>
      attnc.yield %r : tensor<6xf32>
    }
    %s = attnc.box "simd" %m (%qi, %ki, %kw) mapped [false, true, false] : (tensor<4xf32>, tensor<7x4xf32>, tensor<3x4xf32>) -> tensor<7x3xf32> {
    ^bb0(%qij: tensor<4xf32>, %kij: tensor<4xf32>, %kwj: tensor<3x4xf32>):
      %r = attnc.box "simd" %w (%qij, %kij, %kwj) mapped [false, false, true] : (tensor<4xf32>, tensor<4xf32>, tensor<3x4xf32>) -> tensor<3xf32> {
      ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>):
        %t = attnc.box "sum" %d (%a, %b, %c) mapped [true, true, true] : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<f32> {
        ^bb0(%x: tensor<f32>, %z: tensor<f32>, %u: tensor<f32>):
          %xz = attnc.pointwise "mul"(%x, %z) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          %xzu = attnc.pointwise "mul"(%xz, %u) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          attnc.yield %xzu : tensor<f32>
        }
        attnc.yield %t : tensor<f32>
      }
      attnc.yield %r : tensor<3xf32>
    }
    %a = attnc.softmax %s : tensor<7x3xf32> -> tensor<7x3xf32>
    %o = attnc.box "sum" %m (%a, %vi, %vw) mapped [true, true, false] : (tensor<7x3xf32>, tensor<7x6xf32>, tensor<3x6xf32>) -> tensor<6xf32> {
    ^bb0(%aj: tensor<3xf32>, %vj: tensor<6xf32>, %vwj: tensor<3x6xf32>):
      %inner = attnc.box "sum" %w (%aj, %vwj) mapped [true, true] : (tensor<3xf32>, tensor<3x6xf32>) -> tensor<6xf32> {
      ^bb0(%ajk: tensor<f32>, %vk: tensor<6xf32>):
        %t = attnc.box "simd" %e (%ajk, %vk) mapped [false, true] : (tensor<f32>, tensor<6xf32>) -> tensor<6xf32> {
        ^bb0(%x: tensor<f32>, %z: tensor<f32>):
          %xz = attnc.pointwise "mul"(%x, %z) : (tensor<f32>, tensor<f32>) -> tensor<f32>
          attnc.yield %xz : tensor<f32>
        }
        attnc.yield %t : tensor<6xf32>
      }
      %t = attnc.box "simd" %e (%vj, %inner) mapped [true, true] : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32> {
      ^bb0(%x: tensor<f32>, %z: tensor<f32>):
        %xz = attnc.pointwise "mul"(%x, %z) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %xz : tensor<f32>
      }
      attnc.yield %t : tensor<6xf32>
    }
    attnc.yield %o : tensor<6xf32>
  }
  return %y : tensor<5x6xf32>
}
