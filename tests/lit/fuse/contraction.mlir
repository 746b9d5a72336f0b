// Products go into the sum that takes them; exponentials do not go where they would be computed again.
// RUN: attnc-opt %s -attnc-fuse | FileCheck %s

#row = affine_map<(d0, d1, d2) -> (d0, d2)>
#column = affine_map<(d0, d1, d2) -> (d1, d2)>
#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#kept = affine_map<(d0, d1, d2) -> (d0, d1)>
#plain = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @products
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: tensor<4x5x6xf32>
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
func.func @products(%q: tensor<4x6xf32>, %k: tensor<5x6xf32>, %zero: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %e = tensor.empty() : tensor<4x5x6xf32>
  %p = linalg.generic {indexing_maps = [#row, #column, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%q, %k : tensor<4x6xf32>, tensor<5x6xf32>) outs(%e : tensor<4x5x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<4x5x6xf32>
  %s = linalg.generic {indexing_maps = [#all, #kept], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p : tensor<4x5x6xf32>) outs(%zero : tensor<4x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<4x5xf32>
  return %s : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @exponentials
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.yield
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @exponentials(%q: tensor<4x6xf32>, %k: tensor<5x6xf32>, %zero: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %e = tensor.empty() : tensor<4x6xf32>
  %p = linalg.generic {indexing_maps = [#plain, #plain], iterator_types = ["parallel", "parallel"]}
      ins(%q : tensor<4x6xf32>) outs(%e : tensor<4x6xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<4x6xf32>
  %s = linalg.generic {indexing_maps = [#row, #column, #kept], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p, %k : tensor<4x6xf32>, tensor<5x6xf32>) outs(%zero : tensor<4x5xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %n = arith.addf %m, %o : f32
    linalg.yield %n : f32
  } -> tensor<4x5xf32>
  return %s : tensor<4x5xf32>
}
