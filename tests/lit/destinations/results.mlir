// Inputs become arrays, results arrays after the parameters and before the sizes; the function gives 0.
// RUN: attnc-opt %s -attnc-destinations | FileCheck %s

// CHECK: func.func @f(%[[IN:.*]]: memref<?xf32> {attnc.name = "x"}, %[[OUT:.*]]: memref<?xf32> {attnc.name = "y"}, %[[N:.*]]: index) -> i32
// CHECK: %[[X:.*]] = bufferization.to_tensor %[[IN]] restrict
// CHECK: bufferization.materialize_in_destination %[[X]] in restrict writable %[[OUT]]
// CHECK: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK: return %[[ZERO]] : i32
func.func @f(%x: tensor<?xf32> {attnc.name = "x"}, %n: index) -> (tensor<?xf32> {attnc.name = "y"}) {
  return %x : tensor<?xf32>
}
