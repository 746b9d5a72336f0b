// The C interface: bare pointers, then sizes as int64_t, from which the extents of arrays are computed.
// RUN: attnc-opt %s -attnc-pointers -split-input-file -verify-diagnostics | FileCheck %s

// CHECK: func.func @f(%[[P:.*]]: !llvm.ptr {llvm.noalias}, %[[N:.*]]: i64, %[[M:.*]]: i64) -> i32
// CHECK-DAG: llvm.insertvalue %[[P]], %{{.*}}[0]
// CHECK-DAG: llvm.insertvalue %[[P]], %{{.*}}[1]
// CHECK: arith.muli
// CHECK: builtin.unrealized_conversion_cast %{{.*}} : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<?xf32>
func.func @f(%x: memref<?xf32> {attnc.shape = affine_map<()[n, m] -> (n * m)>}, %n: index, %m: index) -> i32 {
  %c0 = arith.constant 0 : index
  %v = arith.constant 1.0 : f32
  memref.store %v, %x[%c0] : memref<?xf32>
  %r = arith.constant 0 : i32
  return %r : i32
}

// -----

// expected-error @+1 {{argument 0 of type 'memref<?xf32>' has no 'attnc.shape'}}
func.func @g(%x: memref<?xf32>) -> i32 {
  %r = arith.constant 0 : i32
  return %r : i32
}
