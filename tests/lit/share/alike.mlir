// In a module of many nests, those that are alike but for the arrays and numbers they read become calls of one function; what
// differs in a constant, or writes where it reads, stays.
// RUN: attnc-opt %s -attnc-share | FileCheck %s

#id = affine_map<(i) -> (i)>
// CHECK-LABEL: func.func @many(
// CHECK-COUNT-31: call @nest_0(%{{.*}}, %{{.*}}) : (memref<?xf32>, memref<?xf32>) -> ()
// CHECK-NOT: call
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[SAME:.*]] : memref<?xf32>) outs(%[[SAME]] : memref<?xf32>)
// CHECK: linalg.generic
// CHECK-NOT: call
// CHECK: return
// CHECK: func.func private @nest_0(%[[IN:.*]]: memref<?xf32>, %[[OUT:.*]]: memref<?xf32>) attributes {attnc.apart}
// CHECK: %[[TWO:.*]] = arith.constant 2.000000e+00
// CHECK: linalg.generic {{.*}} ins(%[[IN]] : memref<?xf32>) outs(%[[OUT]] : memref<?xf32>)
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
func.func @many(%a: memref<?xf32>, %b: memref<?xf32>, %c: memref<?xf32>) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%c : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %two : f32
    linalg.yield %x : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %x = arith.mulf %in, %three : f32
    linalg.yield %x : f32
  }
  return
}
