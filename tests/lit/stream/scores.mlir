// What varies with query and key is computed inside; what varies with one of them is an operand; index arithmetic is inside.
// RUN: attnc-opt %s -attnc-stream -split-input-file -verify-diagnostics | FileCheck %s

#qd = affine_map<(i, j, d) -> (i, d)>
#kd = affine_map<(i, j, d) -> (j, d)>
#ij3 = affine_map<(i, j, d) -> (i, j)>
#ij = affine_map<(i, j) -> (i, j)>
#j = affine_map<(i, j) -> (j)>
#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// No softmax: a plain sum, whose weights are masked scores.
// CHECK-LABEL: func.func @decayed(
// CHECK-SAME: %[[Q:.*]]: tensor<5x4xf32>, %[[K:.*]]: tensor<7x4xf32>, %[[V:.*]]: tensor<7x6xf32>, %[[B:.*]]: tensor<7xf32>
// CHECK: attnc.stream "sum" batch 0 contract(%[[Q]], %[[K]] : {{.*}}) values(%[[V]] : {{.*}}) others(%[[B]] : {{.*}})
// CHECK-NEXT: ^bb0(%[[I:.*]]: index, %[[J:.*]]: index, %[[C:.*]]: f32, %[[D:.*]]: f32):
// CHECK-DAG: %[[S:.*]] = arith.mulf %[[C]], %[[D]] : f32
// CHECK-DAG: %[[IN:.*]] = arith.cmpi sle, %[[J]], %[[I]] : index
// CHECK: %[[M:.*]] = arith.select %[[IN]], %[[S]], %{{.*}} : f32
// CHECK: attnc.score %[[M]]
func.func @decayed(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x6xf32>, %b: tensor<7xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<5x7xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %c = linalg.generic {indexing_maps = [#qd, #kd, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %k : tensor<5x4xf32>, tensor<7x4xf32>) outs(%s1 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x7xf32>
  %w = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]} ins(%c, %b : tensor<5x7xf32>, tensor<7xf32>) outs(%s0 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %p = arith.mulf %x, %z : f32
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %in = arith.cmpi sle, %j, %i : index
    %m = arith.select %in, %p, %zero : f32
    linalg.yield %m : f32
  } -> tensor<5x7xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  // expected-remark @+1 {{streamed: sum over 7 keys for 5 queries, 1 times; 0.001 MFLOP, 0.001 MB}}
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%w, %v : tensor<5x7xf32>, tensor<7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// Scores that are in memory already: the softmax alone is streamed, without a contraction.
// CHECK-LABEL: func.func @given(
// CHECK-SAME: %[[S:.*]]: tensor<5x7xf32>, %[[V:.*]]: tensor<7x6xf32>
// CHECK: attnc.stream "softmax" batch 0 values(%[[V]] : {{.*}}) others(%[[S]] : {{.*}})
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[SCORE:.*]]: f32):
// CHECK-NEXT: attnc.score %[[SCORE]]
func.func @given(%s: tensor<5x7xf32>, %v: tensor<7x6xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %a = attnc.softmax %s {rows = 1 : i64} : tensor<5x7xf32> -> tensor<5x7xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  // expected-remark @+1 {{streamed: softmax over 7 keys for 5 queries}}
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %v : tensor<5x7xf32>, tensor<7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

#qd = affine_map<(i, j, d) -> (i, d)>
#kd = affine_map<(i, j, d) -> (j, d)>
#ij3 = affine_map<(i, j, d) -> (i, j)>
#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// A division by the sum of the weights is done on the result, by the sum that the stream takes beside.
// CHECK-LABEL: func.func @normalised(
// CHECK: %[[R:.*]]:2 = attnc.stream "sum" batch 0 {{.*}} into(%{{.*}}, %{{.*}} : tensor<5x6xf32>, tensor<5xf32>)
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[C:.*]]: f32):
// CHECK-NEXT: %[[S:.*]] = arith.maximumf %[[C]], %{{.*}} : f32
// CHECK-NEXT: attnc.score %[[S]] measure %[[S]]
// CHECK: linalg.generic {{.*}} ins(%[[R]]#0, %[[R]]#1 : tensor<5x6xf32>, tensor<5xf32>)
// CHECK-NEXT: ^bb0(%[[Y:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.addf %[[L]]
// CHECK: arith.divf %[[Y]]
func.func @normalised(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x6xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %s0 = tensor.empty() : tensor<5x7xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %c = linalg.generic {indexing_maps = [#qd, #kd, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %k : tensor<5x4xf32>, tensor<7x4xf32>) outs(%s1 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x7xf32>
  %w = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%c : tensor<5x7xf32>) outs(%s0 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %out: f32):
    %p = arith.maximumf %x, %zero : f32
    linalg.yield %p : f32
  } -> tensor<5x7xf32>
  %l0 = tensor.empty() : tensor<5xf32>
  %l1 = linalg.fill ins(%zero : f32) outs(%l0 : tensor<5xf32>) -> tensor<5xf32>
  %l = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<5x7xf32>) outs(%l1 : tensor<5xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %t = arith.addf %acc, %x : f32
    linalg.yield %t : f32
  } -> tensor<5xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%l : tensor<5xf32>) outs(%l0 : tensor<5xf32>) {
  ^bb0(%x: f32, %out: f32):
    %p = arith.addf %x, %one : f32
    linalg.yield %p : f32
  } -> tensor<5xf32>
  %a = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]} ins(%w, %m : tensor<5x7xf32>, tensor<5xf32>) outs(%s0 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %p = arith.divf %x, %z : f32
    linalg.yield %p : f32
  } -> tensor<5x7xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  // expected-remark @+1 {{streamed: sum over 7 keys for 5 queries}}
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %v : tensor<5x7xf32>, tensor<7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

#w = affine_map<(i, e, j) -> (i, j)>
#ije = affine_map<(i, e, j) -> (i, j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
#ij = affine_map<(i, j, d) -> (i, j)>
#ijd = affine_map<(i, j, d) -> (i, j, d)>
#id = affine_map<(i, j, d) -> (i, d)>
// Rows of keys that each query picks for itself are read where they are.
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d5, d3)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d5, d4)>
// CHECK-LABEL: func.func @picked(
// CHECK-SAME: %[[Q:.*]]: tensor<5x4xf32>, %[[KEYS:.*]]: tensor<9x4xf32>, %[[VALUES:.*]]: tensor<9x6xf32>, %[[LIST:.*]]: tensor<5x7xi64>
// CHECK-NOT: tensor.extract
// CHECK: attnc.stream "softmax" batch 1 contract(%[[Q]], %[[KEYS]] : {{.*}}) values(%[[VALUES]] : {{.*}}) others(%[[LIST]] : {{.*}}) {{.*}} maps [#{{.*}}, #[[K]], #[[V]],
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[C:.*]]: f32, %[[P:.*]]: i64):
// CHECK-DAG: %[[AT:.*]] = arith.index_cast %[[P]] : i64 to index
// CHECK-DAG: %[[IN:.*]] = arith.cmpi ult, %[[AT]], %{{.*}} : index
// CHECK-DAG: %[[S:.*]] = arith.select %[[IN]], %[[C]], %{{.*}} : f32
// CHECK: %[[F:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : f32
// CHECK: attnc.score %[[S]] factor %[[F]] at(%[[AT]])
func.func @picked(%q: tensor<5x4xf32>, %k: tensor<9x4xf32>, %v: tensor<9x6xf32>, %list: tensor<5x7xi64>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %nine = arith.constant 9 : index
  %k0 = tensor.empty() : tensor<5x7x4xf32>
  %ks = linalg.generic {indexing_maps = [#ij, #ijd], iterator_types = ["parallel", "parallel", "parallel"]} ins(%list : tensor<5x7xi64>) outs(%k0 : tensor<5x7x4xf32>) {
  ^bb0(%p: i64, %out: f32):
    %d = linalg.index 2 : index
    %at = arith.index_cast %p : i64 to index
    %in = arith.cmpi ult, %at, %nine : index
    %x = scf.if %in -> (f32) {
      %r = tensor.extract %k[%at, %d] : tensor<9x4xf32>
      scf.yield %r : f32
    } else {
      scf.yield %zero : f32
    }
    linalg.yield %x : f32
  } -> tensor<5x7x4xf32>
  %s0 = tensor.empty() : tensor<5x7xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %c = linalg.generic {indexing_maps = [#id, #ijd, #ij], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %ks : tensor<5x4xf32>, tensor<5x7x4xf32>) outs(%s1 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x7xf32>
  %a = attnc.softmax %c {rows = 1 : i64} : tensor<5x7xf32> -> tensor<5x7xf32>
  %v0 = tensor.empty() : tensor<5x7x6xf32>
  %vs = linalg.generic {indexing_maps = [#ij, #ijd], iterator_types = ["parallel", "parallel", "parallel"]} ins(%list : tensor<5x7xi64>) outs(%v0 : tensor<5x7x6xf32>) {
  ^bb0(%p: i64, %out: f32):
    %e = linalg.index 2 : index
    %at = arith.index_cast %p : i64 to index
    %in = arith.cmpi ult, %at, %nine : index
    %x = scf.if %in -> (f32) {
      %r = tensor.extract %v[%at, %e] : tensor<9x6xf32>
      scf.yield %r : f32
    } else {
      scf.yield %zero : f32
    }
    linalg.yield %x : f32
  } -> tensor<5x7x6xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  // expected-remark @+1 {{streamed: softmax over 7 keys for each query, 5 times}}
  %y = linalg.generic {indexing_maps = [#w, #ije, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %vs : tensor<5x7xf32>, tensor<5x7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %t = arith.addf %acc, %p : f32
    linalg.yield %t : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
