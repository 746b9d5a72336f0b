// Boxes become axes of one nest; entering and leaving them moves nothing.
// RUN: attnc-opt %s -attnc-batch | FileCheck %s

// The outer product: each operand is read along the axis of the box that it enters by map.
// CHECK: #[[OUTER:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK: #[[INNER:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK: #[[BOTH:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func.func @outer(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<5xf32>)
// CHECK: %[[OUT:.*]] = linalg.generic
// CHECK-SAME: indexing_maps = [#[[OUTER]], #[[INNER]], #[[BOTH]]], iterator_types = ["parallel", "parallel"]
// CHECK-SAME: ins(%[[X]], %[[Y]] :
// CHECK: arith.mulf
// CHECK: return %[[OUT]] : tensor<4x5xf32>
func.func @outer(%x: tensor<4xf32>, %y: tensor<5xf32>) -> tensor<4x5xf32> {
  %n = arith.constant 4 : index
  %m = arith.constant 5 : index
  %r = attnc.box "simd" %n (%x, %y) mapped [true, false] : (tensor<4xf32>, tensor<5xf32>) -> tensor<4x5xf32> {
  ^bb0(%a: tensor<f32>, %row: tensor<5xf32>):
    %p = attnc.box "simd" %m (%a, %row) mapped [false, true] : (tensor<f32>, tensor<5xf32>) -> tensor<5xf32> {
    ^bb0(%c: tensor<f32>, %d: tensor<f32>):
      %q = attnc.pointwise "mul" (%c, %d) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %q : tensor<f32>
    }
    attnc.yield %p : tensor<5xf32>
  }
  return %r : tensor<4x5xf32>
}

// A cap is a reduction over the box's axis, bools are bytes, and their unit is filled in.
// CHECK-LABEL: func.func @every(
// CHECK-SAME: tensor<?xi8>
// CHECK: %[[TRUE:.*]] = arith.constant true
// CHECK: arith.extui %[[TRUE]] : i1 to i8
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["reduction"]
// CHECK: arith.cmpi ne
// CHECK: arith.andi {{.*}} : i1
func.func @every(%x: tensor<?xi1> {attnc.shape = affine_map<()[n] -> (n)>}, %n: index) -> tensor<i1> {
  %r = attnc.box "all" %n (%x) mapped [true] : (tensor<?xi1>) -> tensor<i1> {
  ^bb0(%a: tensor<i1>):
    attnc.yield %a : tensor<i1>
  }
  return %r : tensor<i1>
}
