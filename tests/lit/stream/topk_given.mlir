// Of scores that are an array already a selection reads the rows; numbers that are not f32 are no stream.
// RUN: attnc-opt %s -attnc-stream | FileCheck %s

// CHECK-LABEL: func.func @given(
// CHECK: attnc.stream "topk" batch 1 others(%{{.*}} : tensor<5x7xf32>)
func.func @given(%x: tensor<5x7xf32>) -> (tensor<5x3xf32>, tensor<5x3xi64>) {
  %c = arith.constant 3 : index
  %values, %places = attnc.topk %x count %c {rows = 1 : i64} : tensor<5x7xf32> -> tensor<5x3xf32>, tensor<5x3xi64>
  return %values, %places : tensor<5x3xf32>, tensor<5x3xi64>
}

// CHECK-LABEL: func.func @whole(
// CHECK: attnc.topk
func.func @whole(%x: tensor<5x7xi64>) -> (tensor<5x3xi64>, tensor<5x3xi64>) {
  %c = arith.constant 3 : index
  %values, %places = attnc.topk %x count %c {rows = 1 : i64} : tensor<5x7xi64> -> tensor<5x3xi64>, tensor<5x3xi64>
  return %values, %places : tensor<5x3xi64>, tensor<5x3xi64>
}
