// A buffer is freed after its last use, be it through a view or inside a loop; one that leaves its block is refused.
// RUN: attnc-opt %s -split-input-file -verify-diagnostics -attnc-free | FileCheck %s

// CHECK-LABEL: func.func @used
// CHECK: %[[A:.*]] = memref.alloc()
// CHECK: %[[V:.*]] = memref.collapse_shape %[[A]]
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %[[V]]
// CHECK: }
// CHECK-NEXT: memref.dealloc %[[A]]
// CHECK-NEXT: memref.store
func.func @used(%x: f32, %out: memref<f32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<2x2xf32>
  %v = memref.collapse_shape %a [[0, 1]] : memref<2x2xf32> into memref<4xf32>
  scf.for %i = %c0 to %n step %c1 {
    memref.store %x, %v[%i] : memref<4xf32>
  }
  memref.store %x, %out[] : memref<f32>
  return
}

// -----

func.func @leaves() -> memref<2xf32> {
  // expected-error @+1 {{leaves its block by 'func.return'}}
  %a = memref.alloc() : memref<2xf32>
  return %a : memref<2xf32>
}
