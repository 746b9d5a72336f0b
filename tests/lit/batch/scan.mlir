// A scan inside a box is one loop over steps; its state carries the box's axis.
// RUN: attnc-opt %s -attnc-batch | FileCheck %s

// CHECK-LABEL: func.func @sums(
// CHECK-SAME: %[[X:.*]]: tensor<6x3xf32>)
// CHECK: scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[ALL:.*]] = %{{.*}}) -> (tensor<6xf32>, tensor<6x3xf32>)
// CHECK: %[[THIN:.*]] = tensor.extract_slice %[[X]][0, %[[T]]] [6, 1] [1, 1] : tensor<6x3xf32> to tensor<6x1xf32>
// CHECK: tensor.collapse_shape %[[THIN]] {{\[\[}}0, 1]] : tensor<6x1xf32> into tensor<6xf32>
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}}iterator_types = ["parallel"]
// CHECK: %[[MORE:.*]] = tensor.insert_slice %[[NEXT]] into %[[ALL]][0, %[[T]]] [6, 1] [1, 1]
// CHECK: scf.yield %[[NEXT]], %[[MORE]]
func.func @sums(%x: tensor<6x3xf32>) -> tensor<6x3xf32> {
  %n = arith.constant 6 : index
  %t = arith.constant 3 : index
  %r = attnc.box "simd" %n (%x) mapped [true] : (tensor<6x3xf32>) -> tensor<6x3xf32> {
  ^bb0(%row: tensor<3xf32>):
    %zero = attnc.const 0.0 : f32 : tensor<f32>
    %all, %last = attnc.scan %t states 1 (%zero, %row) mapped [true] : (tensor<f32>, tensor<3xf32>) -> (tensor<3xf32>, tensor<f32>) {
    ^bb0(%s: tensor<f32>, %a: tensor<f32>):
      %sum = attnc.pointwise "add" (%s, %a) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %sum, %sum : tensor<f32>, tensor<f32>
    }
    attnc.yield %all : tensor<3xf32>
  }
  return %r : tensor<6x3xf32>
}
