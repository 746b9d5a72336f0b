// Each index of the rows has a softmax of its own: a maximum and a sum over the other axes, and exponentials between.
// RUN: attnc-opt %s -attnc-expand-softmax | FileCheck %s

// CHECK-LABEL: func.func @softmax(
// CHECK-NOT: attnc.softmax
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: math.exp
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf
func.func @softmax(%x: tensor<3x?xf32>) -> tensor<3x?xf32> {
  %y = attnc.softmax %x {rows = 1 : i64} : tensor<3x?xf32> -> tensor<3x?xf32>
  return %y : tensor<3x?xf32>
}
