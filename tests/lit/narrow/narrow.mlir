// A stream reads arrays in bf16 as they are kept, along turned axes too, and writes its result so where nothing else asks
// for it. What is read with others, and the result that is asked for in f32, stay as they are.
// RUN: attnc-opt %s -attnc-narrow -canonicalize | FileCheck %s

#id = affine_map<(a, b) -> (a, b)>
#turned = affine_map<(a, b) -> (b, a)>
#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-DAG: #[[KEYS:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d1)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d0)>
// CHECK-LABEL: func.func @narrow(
// CHECK: %[[Y:.*]] = tensor.empty() : tensor<4x8xbf16>
// CHECK: attnc.stream "sum" batch 0 contract(%{{.*}}, %{{.*}} : tensor<8x16xf32>, tensor<16x9xbf16>)
// CHECK-SAME: values(%{{.*}} : tensor<9x4xbf16>) into(%[[Y]] : tensor<4x8xbf16>)
// CHECK-SAME: [#{{.*}}, #[[KEYS]], #{{.*}}, #[[RESULT]]]
// CHECK-NOT: arith.extf
// CHECK-NOT: arith.truncf
func.func @narrow(%q: tensor<8x16xf32>, %k: tensor<16x9xbf16>, %v: tensor<9x4xbf16>) -> tensor<4x8xbf16> {
  %ke = tensor.empty() : tensor<9x16xf32>
  %kf = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
    ins(%k : tensor<16x9xbf16>) outs(%ke : tensor<9x16xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %wide = arith.extf %in : bf16 to f32
    linalg.yield %wide : f32
  } -> tensor<9x16xf32>
  %ve = tensor.empty() : tensor<9x4xf32>
  %vf = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%v : tensor<9x4xbf16>) outs(%ve : tensor<9x4xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %wide = arith.extf %in : bf16 to f32
    linalg.yield %wide : f32
  } -> tensor<9x4xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %y = attnc.stream "sum" batch 0 contract(%q, %kf : tensor<8x16xf32>, tensor<9x16xf32>) values(%vf : tensor<9x4xf32>)
    into(%e : tensor<8x4xf32>) maps [#q, #k, #v, #y] -> tensor<8x4xf32> {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  %re = tensor.empty() : tensor<4x8xbf16>
  %r = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<8x4xf32>) outs(%re : tensor<4x8xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %short = arith.truncf %in : f32 to bf16
    linalg.yield %short : bf16
  } -> tensor<4x8xbf16>
  return %r : tensor<4x8xbf16>
}

// A number that is made of constants is computed in the region, by no kernel of its own.
// CHECK-LABEL: func.func @constant(
// CHECK: %[[EIGHT:.*]] = arith.constant 8.000000e+00 : f32
// CHECK-NOT: linalg.generic
// CHECK: attnc.stream "sum" batch 0 contract(%{{.*}}) values(%{{.*}}) into(%{{.*}}) maps
// CHECK: arith.divf %{{.*}}, %[[EIGHT]]
func.func @constant(%q: tensor<8x64xf32>, %k: tensor<9x64xf32>, %v: tensor<9x4xf32>) -> tensor<8x4xf32> {
  %width = arith.constant dense<64> : tensor<i64>
  %se = tensor.empty() : tensor<f32>
  %scale = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
    ins(%width : tensor<i64>) outs(%se : tensor<f32>) {
  ^bb0(%in: i64, %out: f32):
    %real = arith.sitofp %in : i64 to f32
    %root = math.sqrt %real : f32
    linalg.yield %root : f32
  } -> tensor<f32>
  %e = tensor.empty() : tensor<8x4xf32>
  %y = attnc.stream "sum" batch 0 contract(%q, %k : tensor<8x64xf32>, tensor<9x64xf32>) values(%v : tensor<9x4xf32>)
    others(%scale : tensor<f32>) into(%e : tensor<8x4xf32>)
    maps [#q, #k, #v, affine_map<(i, j, d, e) -> ()>, #y] -> tensor<8x4xf32> {
  ^bb0(%i: index, %j: index, %c: f32, %s: f32):
    %scaled = arith.divf %c, %s : f32
    attnc.score %scaled
  }
  return %y : tensor<8x4xf32>
}
