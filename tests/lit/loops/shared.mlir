// The outer loop of a large nest is shared out, of one that may be large if it is; a small one, one that folds outside,
// and one over two extents that are not known stay.
// RUN: attnc-opt %s -attnc-loops | FileCheck %s

#all = affine_map<(i, j) -> (i, j)>
#cube = affine_map<(i, j, k) -> (i, j, k)>
#column = affine_map<(i, j) -> (j)>

// CHECK-LABEL: func @large
// CHECK: omp.parallel {
// CHECK: omp.wsloop nowait
// CHECK: omp.loop_nest {{.*}} to (%c512)
// CHECK: scf.for
func.func @large(%x: memref<512x512xf32>, %y: memref<512x512xf32>) {
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%x : memref<512x512xf32>) outs(%y : memref<512x512xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %a : f32
    linalg.yield %c : f32
  }
  return
}

// CHECK-LABEL: func @small
// CHECK-NOT: omp.parallel
// CHECK: return
func.func @small(%x: memref<8x8xf32>, %y: memref<8x8xf32>) {
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%x : memref<8x8xf32>) outs(%y : memref<8x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// CHECK-LABEL: func @maybe_large
// CHECK: %[[N:.*]] = memref.dim %arg0, %c0
// CHECK: %[[M:.*]] = memref.dim %arg0, %c1
// CHECK: %[[ROWS:.*]] = arith.muli %[[N]], %[[M]]
// CHECK: %[[WORK:.*]] = arith.muli %[[ROWS]], %c64
// CHECK: %[[WORTH:.*]] = arith.cmpi uge, %[[WORK]], %c131072
// CHECK: omp.parallel if(%[[WORTH]])
// CHECK: omp.loop_nest {{.*}} to (%[[N]])
// CHECK-COUNT-2: scf.for
func.func @maybe_large(%x: memref<?x?x64xf32>, %y: memref<?x?x64xf32>) {
  linalg.generic {indexing_maps = [#cube, #cube], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<?x?x64xf32>) outs(%y : memref<?x?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// CHECK-LABEL: func @fill
// CHECK-NOT: omp.parallel
// CHECK: return
func.func @fill(%x: memref<?x?x64xf32>, %a: f32) {
  linalg.fill ins(%a : f32) outs(%x : memref<?x?x64xf32>)
  return
}

// CHECK-LABEL: func @two_axes
// CHECK-NOT: omp.parallel
// CHECK: return
func.func @two_axes(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}

// CHECK-LABEL: func @folds_outside
// CHECK-NOT: omp.parallel
// CHECK: return
func.func @folds_outside(%x: memref<512x512xf32>, %y: memref<512xf32>) {
  linalg.generic {indexing_maps = [#all, #column], iterator_types = ["reduction", "parallel"]} ins(%x : memref<512x512xf32>) outs(%y : memref<512xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  }
  return
}
