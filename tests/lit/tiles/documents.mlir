// Where a mask compares a number of each query with one of each key, a tile of keys of which no pair is equal is left out.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32" -canonicalize -cse | FileCheck %s

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#f = affine_map<(i, j, d, e) -> (i)>
#o = affine_map<(i, j, d, e) -> (j)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-LABEL: func.func @documents(
// CHECK: %[[LEAST:.*]] = vector.reduction <minsi>, %{{.*}} : vector<16xi64> into i64
// CHECK: %[[MOST:.*]] = vector.reduction <maxsi>, %{{.*}} : vector<16xi64> into i64
// CHECK: scf.for
// CHECK: %[[KEYS:.*]]:2 = scf.for
// CHECK-DAG: %[[KEYLEAST:.*]] = vector.reduction <minsi>, %[[KEYS]]#0
// CHECK-DAG: %[[KEYMOST:.*]] = vector.reduction <maxsi>, %[[KEYS]]#1
// CHECK-DAG: %[[A:.*]] = arith.cmpi sle, %[[LEAST]], %[[KEYMOST]]
// CHECK-DAG: %[[B:.*]] = arith.cmpi sle, %[[KEYLEAST]], %[[MOST]]
// CHECK: %[[SEEN:.*]] = arith.andi %[[A]], %[[B]]
// CHECK: scf.if %[[SEEN]]
func.func @documents(%q: memref<48x4xf32>, %k: memref<300x4xf32>, %v: memref<300x6xf32>, %from: memref<48xi64>, %of: memref<300xi64>, %y: memref<48x6xf32>) {
  %lowest = arith.constant 0xFF800000 : f32
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<48x4xf32>, memref<300x4xf32>) values(%v : memref<300x6xf32>)
    others(%from, %of : memref<48xi64>, memref<300xi64>) into(%y : memref<48x6xf32>) maps [#q, #k, #v, #f, #o, #y] {
  ^bb0(%i: index, %j: index, %c: f32, %a: i64, %b: i64):
    %same = arith.cmpi eq, %a, %b : i64
    %s = arith.select %same, %c, %lowest : f32
    attnc.score %s
  }
  return
}
