// The products of a chunk are blocks of registers that follow the machine: 8 rows by groups of up to 3 vectors of 16, or 4
// by 3 of 8. Of 4 vectors of queries, or of features, two groups of 2 are made, of 8 two of 3 and one of 2. Without a gate there are as many
// steps in a chunk as are left; with one, as many as keep its product in range.
// RUN: attnc-opt %s -attnc-chunks="vector-bits=512 registers=32" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: attnc-opt %s -attnc-chunks="vector-bits=256 registers=16" | FileCheck %s --check-prefixes=CHECK,HALF

#qk = affine_map<(t, d, e) -> (t, d)>
#v = affine_map<(t, d, e) -> (t, e)>
#g = affine_map<(t, d, e) -> (t)>
#s = affine_map<(t, d, e) -> (d, e)>
// CHECK-LABEL: func.func @linear(
// CHECK-NOT: attnc.chunks
// CHECK: memref.alloc
// CHECK: scf.while
// CHECK-NOT: scf.while
// WIDE-COUNT-16: vector.fma {{.*}} : vector<16xf32>
// WIDE-NEXT: scf.yield
// WIDE-COUNT-16: vector.fma {{.*}} : vector<16xf32>
// WIDE-NEXT: scf.yield
// HALF-COUNT-12: vector.fma {{.*}} : vector<8xf32>
// HALF-NEXT: scf.yield
// HALF-COUNT-8: vector.fma {{.*}} : vector<8xf32>
// HALF-NEXT: scf.yield
// HALF-COUNT-12: vector.fma {{.*}} : vector<8xf32>
// HALF-NEXT: scf.yield
// CHECK: memref.dealloc
// CHECK: return
func.func @linear(%q: memref<200x32xf32>, %k: memref<200x32xf32>, %v: memref<200x64xf32>, %s: memref<32x64xf32>, %y: memref<200x64xf32>, %l: memref<32x64xf32>) {
  attnc.chunks batch 0 query(%q : memref<200x32xf32>) key(%k : memref<200x32xf32>) value(%v : memref<200x64xf32>)
    from(%s : memref<32x64xf32>) into(%y, %l : memref<200x64xf32>, memref<32x64xf32>) maps [#qk, #qk, #v, #s, #v, #s]
  return
}

// CHECK-LABEL: func.func @gated(
// CHECK: scf.while
// CHECK: scf.while
// CHECK: arith.cmpf oge
// CHECK: arith.cmpf ole
// CHECK: return
func.func @gated(%q: memref<200x32xf32>, %k: memref<200x32xf32>, %v: memref<200x64xf32>, %g: memref<200xf32>, %s: memref<32x64xf32>, %y: memref<200x64xf32>, %l: memref<32x64xf32>) {
  attnc.chunks batch 0 query(%q : memref<200x32xf32>) key(%k : memref<200x32xf32>) value(%v : memref<200x64xf32>)
    gate(%g : memref<200xf32>) from(%s : memref<32x64xf32>) into(%y, %l : memref<200x64xf32>, memref<32x64xf32>)
    maps [#qk, #qk, #v, #g, #s, #v, #s]
  return
}
