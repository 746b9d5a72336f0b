// The tile registers of a function are an array on its stack; a product adds the first of each pair, then the second. Rounding
// is what a processor without such an instruction does.
// RUN: attnc-opt %s -attnc-emulate-amx | FileCheck %s

// CHECK-LABEL: func.func @product(
// CHECK: %[[TILES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8x16x16xf32>
// CHECK-NOT: attnc.amx
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %[[TILES]][%c0{{.*}}] : memref<8x16x16xf32>, vector<16xf32>
// CHECK: scf.for
// CHECK: arith.muli %{{.*}}, %arg3
// CHECK: vector.load %arg0
// CHECK: vector.store %{{.*}}, %[[TILES]][%c4
// CHECK: scf.for
// CHECK: scf.for
// CHECK: memref.load %[[TILES]][%c4
// CHECK: vector.load %[[TILES]][%c6
// CHECK: arith.shli
// CHECK: vector.fma
// CHECK: arith.andi
// CHECK: vector.fma
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %arg0
// CHECK-NOT: attnc.amx
func.func @product(%words: memref<?xf32>, %left: index, %right: index, %stride: index) {
  attnc.amx.configure
  attnc.amx.zero 0
  attnc.amx.load 4 from %words[%left] stride %stride : memref<?xf32>
  attnc.amx.load 6 from %words[%right] stride %stride : memref<?xf32>
  attnc.amx.multiply 0 by 4, 6
  attnc.amx.store 0 to %words[%left] stride %stride : memref<?xf32>
  attnc.amx.release
  return
}

// CHECK-LABEL: func.func @state(
// CHECK-NEXT: return
func.func @state() {
  attnc.amx.configure
  attnc.amx.release
  return
}

// CHECK-LABEL: func.func @rounded(
// CHECK-NEXT: %[[HALVES:.*]] = arith.truncf %arg0 : vector<16xf32> to vector<16xbf16>
// CHECK-NEXT: return %[[HALVES]]
func.func @rounded(%x: vector<16xf32>) -> vector<16xbf16> {
  %y = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtneps2bf16.512"(%x) : (vector<16xf32>) -> vector<16xbf16>
  return %y : vector<16xbf16>
}
