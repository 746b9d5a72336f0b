// A row of numbers at a time: what goes before the last of those held is moved in, and where there are not enough, -inf at -1.
// RUN: attnc-opt %s -attnc-expand-topk | FileCheck %s

// CHECK-LABEL: func.func @best(
// CHECK-NOT: attnc.topk
// CHECK: %[[LOWEST:.*]] = arith.constant -9223372036854775808 : i64
// CHECK: %[[NOWHERE:.*]] = arith.constant -1 : i64
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.cmpi sgt
// CHECK: scf.for
// CHECK: tensor.insert %[[LOWEST]]
// CHECK: tensor.insert %[[NOWHERE]]
// CHECK: attnc.parallel
func.func @best(%x: tensor<3x?xi64>) -> (tensor<3x4xi64>, tensor<3x4xi64>) {
  %count = arith.constant 4 : index
  %values, %places = attnc.topk %x count %count {rows = 1 : i64} : tensor<3x?xi64> -> tensor<3x4xi64>, tensor<3x4xi64>
  return %values, %places : tensor<3x4xi64>, tensor<3x4xi64>
}
