// The parallel loops of a nest become a grid, whatever their order, and its folds a loop of a thread.
// RUN: attnc-opt %s -attnc-grids -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @fold(
// CHECK: scf.parallel (%[[I:.*]]) =
// CHECK-NEXT: scf.for %[[J:.*]] =
// CHECK: memref.load %{{.*}}[%[[J]], %[[I]]]
// CHECK: memref.store %{{.*}}[%[[I]]]
func.func @fold(%x: memref<5x3xf32>, %y: memref<3xf32>) {
  linalg.generic {indexing_maps = [affine_map<(j, i) -> (j, i)>, affine_map<(j, i) -> (i)>],
                  iterator_types = ["reduction", "parallel"]}
    ins(%x : memref<5x3xf32>) outs(%y : memref<3xf32>) {
  ^bb0(%in: f32, %sum: f32):
    %next = arith.addf %in, %sum : f32
    linalg.yield %next : f32
  }
  return
}

// A loop that is not known to be parallel is one thread's; one that is known is spread.
// CHECK-LABEL: func.func @loops(
// CHECK: scf.parallel (%[[P:.*]]) = (%c0{{.*}}) to (%c7)
// CHECK: scf.for %[[S:.*]] = %c0 to %c5
// CHECK: memref.store %{{.*}}[%[[S]], %[[P]]]
func.func @loops(%y: memref<5x7xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  %one = arith.constant 1.0 : f32
  scf.for %s = %c0 to %c5 step %c1 {
    scf.for %p = %c0 to %c7 step %c1 {
      memref.store %one, %y[%s, %p] : memref<5x7xf32>
    } {attnc.parallel}
  }
  return
}
