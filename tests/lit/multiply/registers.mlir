// The block of registers follows the machine, as that of streams does: of 4 vectors of columns two groups of 2 are made, 8 rows each
// where there are 32 registers, 4 where there are 16. Where columns do not fill their vectors, parts of these are written.
// RUN: attnc-opt %s -attnc-multiply="vector-bits=512 registers=32" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: attnc-opt %s -attnc-multiply="vector-bits=256 registers=16" | FileCheck %s --check-prefixes=CHECK,HALF

#left = affine_map<(i, j, k) -> (i, k)>
#right = affine_map<(i, j, k) -> (k, j)>
#out = affine_map<(i, j, k) -> (i, j)>
#row = affine_map<(i, j, k) -> (i)>
// CHECK-LABEL: func.func @divided(
// CHECK-NOT: attnc.product
// WIDE: call @gather_16_f32(
// WIDE: call @multiply_8x2(
// WIDE: arith.divf {{.*}} : vector<16xf32>
// HALF: call @gather_8_f32(
// HALF: call @multiply_4x3(
// HALF: call @multiply_4x2(
// HALF: arith.divf {{.*}} : vector<8xf32>
// CHECK: memref.dealloc
// CHECK: return
func.func @divided(%x: memref<66x40xf32>, %w: memref<40x64xf32>, %z: memref<66xf32>, %y: memref<66x64xf32>) {
  attnc.product batch 0 folded 0 %x : memref<66x40xf32> by %w : memref<40x64xf32> others(%z : memref<66xf32>)
    into(%y : memref<66x64xf32>) maps [#left, #right, #row, #out] {
  ^bb0(%s: f32, %d: f32):
    %q = arith.divf %s, %d : f32
    attnc.finish %q
  }
  return
}

// CHECK-LABEL: func.func @part(
// WIDE: call @multiply_part_8x3(
// HALF: call @multiply_part_4x3(
// CHECK: return
func.func @part(%x: memref<66x40xf32>, %w: memref<40x41xf32>, %y: memref<66x41xf32>) {
  attnc.product batch 0 folded 0 %x : memref<66x40xf32> by %w : memref<40x41xf32> into(%y : memref<66x41xf32>)
    maps [#left, #right, #out] {
  ^bb0(%s: f32):
    attnc.finish %s
  }
  return
}
// WIDE: func.func private @multiply_8x2(
// WIDE-COUNT-16: vector.fma {{.*}} : vector<16xf32>
// WIDE-NEXT: scf.yield
