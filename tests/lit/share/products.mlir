// Products that are alike become calls of one function however few nests there are.
// RUN: attnc-opt %s -attnc-share | FileCheck %s

#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#out = affine_map<(i, j, k) -> (i, j)>
// CHECK-LABEL: func.func @two(
// CHECK: call @nest_0(%[[X:.*]], %[[W:.*]], %[[Y:.*]]) : (memref<?x?xf32>, memref<?x?xf32>, memref<?x?xf32>) -> ()
// CHECK: call @nest_0(%[[X]], %[[Y]], %{{.*}})
// CHECK: attnc.product
// CHECK: return
// CHECK: func.func private @nest_0(
// CHECK: attnc.product
// CHECK: attnc.finish
func.func @two(%x: memref<?x?xf32>, %w: memref<?x?xf32>, %y: memref<?x?xf32>, %z: memref<?x?xf32>) {
  %two = arith.constant 2.0 : f32
  attnc.product batch 0 folded 0 %x : memref<?x?xf32> by %w : memref<?x?xf32> into(%y : memref<?x?xf32>)
    maps [#left, #right, #out] {
  ^bb0(%s: f32):
    attnc.finish %s
  }
  attnc.product batch 0 folded 0 %x : memref<?x?xf32> by %y : memref<?x?xf32> into(%z : memref<?x?xf32>)
    maps [#left, #right, #out] {
  ^bb0(%s: f32):
    attnc.finish %s
  }
  attnc.product batch 0 folded 0 %x : memref<?x?xf32> by %z : memref<?x?xf32> into(%w : memref<?x?xf32>)
    maps [#left, #right, #out] {
  ^bb0(%s: f32):
    %t = arith.mulf %s, %two : f32
    attnc.finish %t
  }
  return
}
