// What the host knows is a value: extents of arguments by their shapes, constants of one element, small arrays of scratch
// whose elements are stored once.
// RUN: attnc-opt %s -attnc-known -canonicalize | FileCheck %s

memref.global "private" constant @three : memref<f32> = dense<3.0>

// CHECK-LABEL: func.func @known(
// CHECK-SAME: %[[N:[a-z0-9]*]]: index)
// CHECK: %[[ROWS:.*]] = arith.addi %[[N]], %c1
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.dim
// CHECK: scf.for %[[I:.*]] = %c0 to %[[ROWS]]
// CHECK-NEXT: memref.store %cst, %{{.*}}[%[[I]]]
func.func @known(%x: memref<?x4xf32> {attnc.shape = affine_map<()[n] -> (n + 1, 4)>},
                 %y: memref<?xf32> {attnc.shape = affine_map<()[n] -> (n + 1)>}, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = memref.dim %x, %c0 : memref<?x4xf32>
  %kept = memref.alloc() : memref<1xindex>
  memref.store %rows, %kept[%c0] : memref<1xindex>
  %again = memref.load %kept[%c0] : memref<1xindex>
  memref.dealloc %kept : memref<1xindex>
  %constant = memref.get_global @three : memref<f32>
  %value = memref.load %constant[] : memref<f32>
  scf.for %i = %c0 to %again step %c1 {
    memref.store %value, %y[%i] : memref<?xf32>
  }
  return
}
