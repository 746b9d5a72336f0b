// Products of matrices, with the maps that follow them: what the result goes through alone is done with its elements.
// RUN: attnc-opt %s -attnc-products | FileCheck %s

#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#out = affine_map<(i, j, k) -> (i, j)>
#plain = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>

// A bias and an activation, of which one reads the product twice.
// CHECK-LABEL: func.func @activated(
// CHECK-NOT: linalg.generic
// CHECK: attnc.product batch 0 folded 0 %{{.*}} : tensor<32x48xf32> by %{{.*}} : tensor<48x64xf32> others(%{{.*}} : tensor<64xf32>)
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32, %[[BIAS:.*]]: f32):
// CHECK: arith.addf %[[SUM]], %[[BIAS]]
// CHECK: math.tanh
// CHECK: arith.mulf
// CHECK: attnc.finish
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @activated(%x: tensor<32x48xf32>, %w: tensor<48x64xf32>, %b: tensor<64xf32>) -> tensor<32x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x64xf32>) -> tensor<32x64xf32>
  %p = linalg.generic {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<32x48xf32>, tensor<48x64xf32>) outs(%f : tensor<32x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %m = arith.mulf %a, %c : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  %q = linalg.generic {indexing_maps = [#plain, #column, #plain], iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<32x64xf32>, tensor<64xf32>) outs(%e : tensor<32x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  %t = linalg.generic {indexing_maps = [#plain, #plain], iterator_types = ["parallel", "parallel"]}
      ins(%q : tensor<32x64xf32>) outs(%e : tensor<32x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.tanh %a : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  %y = linalg.generic {indexing_maps = [#plain, #plain, #plain], iterator_types = ["parallel", "parallel"]}
      ins(%q, %t : tensor<32x64xf32>, tensor<32x64xf32>) outs(%e : tensor<32x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.mulf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  return %y : tensor<32x64xf32>
}

// What is wanted beside its activation stays an array, and so does a product of few columns stay a nest.
// CHECK-LABEL: func.func @kept(
// CHECK: %[[P:.*]] = attnc.product
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32):
// CHECK-NEXT: attnc.finish %[[SUM]]
// CHECK: linalg.generic {{.*}} ins(%[[P]]
// CHECK: math.exp
// CHECK: return
func.func @kept(%x: tensor<32x48xf32>, %w: tensor<48x64xf32>) -> (tensor<32x64xf32>, tensor<32x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x64xf32>) -> tensor<32x64xf32>
  %p = linalg.generic {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<32x48xf32>, tensor<48x64xf32>) outs(%f : tensor<32x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %m = arith.mulf %a, %c : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  %t = linalg.generic {indexing_maps = [#plain, #plain], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<32x64xf32>) outs(%e : tensor<32x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<32x64xf32>
  return %p, %t : tensor<32x64xf32>, tensor<32x64xf32>
}

// CHECK-LABEL: func.func @narrow(
// CHECK-NOT: attnc.product
// CHECK: return
func.func @narrow(%x: tensor<32x48xf32>, %w: tensor<48x3xf32>) -> tensor<32x3xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x3xf32>) -> tensor<32x3xf32>
  %p = linalg.generic {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<32x48xf32>, tensor<48x3xf32>) outs(%f : tensor<32x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %m = arith.mulf %a, %c : f32
    %s = arith.addf %o, %m : f32
    linalg.yield %s : f32
  } -> tensor<32x3xf32>
  return %p : tensor<32x3xf32>
}
