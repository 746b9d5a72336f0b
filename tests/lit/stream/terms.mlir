// A contraction whose terms are no products is a region of the stream; contractions that are summed are one, of arrays side by
// side; what varies with the distance alone is an array of distances.
// RUN: attnc-opt %s -attnc-stream -split-input-file | FileCheck %s

#qr = affine_map<(i, j, r) -> (i, r)>
#kr = affine_map<(i, j, r) -> (j, r)>
#r = affine_map<(i, j, r) -> (r)>
#ijr = affine_map<(i, j, r) -> (i, j, r)>
#ij3 = affine_map<(i, j, r) -> (i, j)>
#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// CHECK-LABEL: func.func @additive(
// CHECK-SAME: %[[Q:.*]]: tensor<5x4xf32>, %[[K:.*]]: tensor<7x4xf32>, %[[V:.*]]: tensor<7x6xf32>, %[[W:.*]]: tensor<4xf32>)
// CHECK-NOT: linalg.generic
// CHECK: attnc.stream "softmax" batch 0 contract(%[[Q]], %[[K]], %[[W]] : {{.*}}) values(%[[V]] : tensor<7x6xf32>)
// CHECK: attnc.score
// CHECK: terms
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32, %[[F:.*]]: f32):
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
// CHECK-NEXT: %[[T:.*]] = math.tanh %[[S]] : f32
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[T]], %[[F]] : f32
// CHECK-NEXT: attnc.term %[[P]]
func.func @additive(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x6xf32>, %w: tensor<4xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %t0 = tensor.empty() : tensor<5x7x4xf32>
  %t = linalg.generic {indexing_maps = [#qr, #kr, #ijr], iterator_types = ["parallel", "parallel", "parallel"]} ins(%q, %k : tensor<5x4xf32>, tensor<7x4xf32>) outs(%t0 : tensor<5x7x4xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %s = arith.addf %x, %z : f32
    %p = math.tanh %s : f32
    linalg.yield %p : f32
  } -> tensor<5x7x4xf32>
  %s0 = tensor.empty() : tensor<5x7xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %c = linalg.generic {indexing_maps = [#ijr, #r, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%t, %w : tensor<5x7x4xf32>, tensor<4xf32>) outs(%s1 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<5x7xf32>
  %a = attnc.softmax %c {rows = 1 : i64} : tensor<5x7xf32> -> tensor<5x7xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %v : tensor<5x7xf32>, tensor<7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// -----

#qd = affine_map<(i, j, d) -> (i, d)>
#kd = affine_map<(i, j, d) -> (j, d)>
#ij3 = affine_map<(i, j, d) -> (i, j)>
#ij = affine_map<(i, j) -> (i, j)>
#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// CHECK-LABEL: func.func @parts(
// CHECK: %[[Q:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 4] [50, 2] [1, 1] : tensor<50x2xf32> into tensor<50x6xf32>
// CHECK: %[[K:.*]] = tensor.insert_slice %{{.*}} into %{{.*}}[0, 4] [70, 2] [1, 1] : tensor<70x2xf32> into tensor<70x6xf32>
// CHECK: attnc.stream "softmax" batch 0 contract(%[[Q]], %[[K]] : tensor<50x6xf32>, tensor<70x6xf32>)
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[C:.*]]: f32):
// CHECK-NEXT: attnc.score %[[C]]
func.func @parts(%q: tensor<50x4xf32>, %k: tensor<70x4xf32>, %r: tensor<50x2xf32>, %t: tensor<70x2xf32>, %v: tensor<70x6xf32>) -> tensor<50x6xf32> {
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty() : tensor<50x70xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<50x70xf32>) -> tensor<50x70xf32>
  %c = linalg.generic {indexing_maps = [#qd, #kd, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %k : tensor<50x4xf32>, tensor<70x4xf32>) outs(%s1 : tensor<50x70xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<50x70xf32>
  %g = linalg.generic {indexing_maps = [#qd, #kd, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%r, %t : tensor<50x2xf32>, tensor<70x2xf32>) outs(%s1 : tensor<50x70xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<50x70xf32>
  %b = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%c, %g : tensor<50x70xf32>, tensor<50x70xf32>) outs(%s0 : tensor<50x70xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %n = arith.addf %x, %z : f32
    linalg.yield %n : f32
  } -> tensor<50x70xf32>
  %a = attnc.softmax %b {rows = 1 : i64} : tensor<50x70xf32> -> tensor<50x70xf32>
  %y0 = tensor.empty() : tensor<50x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<50x6xf32>) -> tensor<50x6xf32>
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %v : tensor<50x70xf32>, tensor<70x6xf32>) outs(%y1 : tensor<50x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<50x6xf32>
  return %y : tensor<50x6xf32>
}

// -----

#qd = affine_map<(i, j, d) -> (i, d)>
#kd = affine_map<(i, j, d) -> (j, d)>
#ij3 = affine_map<(i, j, d) -> (i, j)>
#ij = affine_map<(i, j) -> (i, j)>
#w = affine_map<(i, e, j) -> (i, j)>
#v = affine_map<(i, e, j) -> (j, e)>
#y = affine_map<(i, e, j) -> (i, e)>
// CHECK-LABEL: func.func @distances(
// CHECK: %[[T:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<11xf32>)
// CHECK: attnc.stream "softmax" batch 0 contract(%{{.*}}, %{{.*}} : {{.*}}) values(%{{.*}} : {{.*}}) others(%[[T]] : tensor<11xf32>)
// CHECK-NEXT: ^bb0(%[[I:.*]]: index, %[[J:.*]]: index, %[[C:.*]]: f32, %[[X:.*]]: f32):
// CHECK-DAG: %[[L:.*]] = arith.addi %[[I]], %{{.*}} : index
// CHECK-DAG: %[[P:.*]] = arith.subi %[[L]], %[[J]] : index
// CHECK: attnc.score %{{.*}} at(%[[P]])
func.func @distances(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x6xf32>, %b: tensor<9xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %nine = arith.constant 9 : index
  %s0 = tensor.empty() : tensor<5x7xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %c = linalg.generic {indexing_maps = [#qd, #kd, #ij3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%q, %k : tensor<5x4xf32>, tensor<7x4xf32>) outs(%s1 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<5x7xf32>
  %g = linalg.generic {indexing_maps = [#ij], iterator_types = ["parallel", "parallel"]} outs(%s0 : tensor<5x7xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %d = arith.subi %i, %j : index
    %in = arith.cmpi ult, %d, %nine : index
    %e = scf.if %in -> (f32) {
      %h = tensor.extract %b[%d] : tensor<9xf32>
      scf.yield %h : f32
    } else {
      scf.yield %zero : f32
    }
    linalg.yield %e : f32
  } -> tensor<5x7xf32>
  %t = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%c, %g : tensor<5x7xf32>, tensor<5x7xf32>) outs(%s0 : tensor<5x7xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %n = arith.addf %x, %z : f32
    linalg.yield %n : f32
  } -> tensor<5x7xf32>
  %a = attnc.softmax %t {rows = 1 : i64} : tensor<5x7xf32> -> tensor<5x7xf32>
  %y0 = tensor.empty() : tensor<5x6xf32>
  %y1 = linalg.fill ins(%zero : f32) outs(%y0 : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%a, %v : tensor<5x7xf32>, tensor<7x6xf32>) outs(%y1 : tensor<5x6xf32>) {
  ^bb0(%x: f32, %z: f32, %acc: f32):
    %p = arith.mulf %x, %z : f32
    %n = arith.addf %acc, %p : f32
    linalg.yield %n : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
