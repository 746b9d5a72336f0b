// A list of a query: entries that enter are appended, and when there is no room for more, sorted and merged by comparisons alone.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32" -canonicalize | FileCheck %s

#x = affine_map<(i, j, e) -> (i, j)>
#y = affine_map<(i, j, e) -> (i, e)>
// CHECK-LABEL: func.func @best(
// CHECK: call @best_absorb_8(
// CHECK: call @best_settle_8(
// CHECK: call @best_merge_8(
// CHECK: memref.store {{.*}} : memref<4xf32,
// CHECK: memref.store {{.*}} : memref<4xi64,
// CHECK-LABEL: func.func private @best_absorb_8(
// CHECK: arith.cmpi sgt, {{.*}} : vector<8xi64>
// CHECK: vector.compressstore
// CHECK-LABEL: func.func private @best_settle_8(
// CHECK-NOT: scf.if
// CHECK: arith.maxsi {{.*}} : vector<8xi64>
func.func @best(%x: memref<4x100xf32>, %y: memref<4x10xf32>, %z: memref<4x10xi64>) {
  %m = arith.constant 100 : index
  attnc.stream "topk" batch 0 others(%x : memref<4x100xf32>)
    into(%y, %z : memref<4x10xf32>, memref<4x10xi64>) keys %m maps [#x, #y, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}
