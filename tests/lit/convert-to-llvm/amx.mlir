// Tile registers go by number to the instructions, so that no value holds a tile and none can be spilled.
// RUN: attnc-opt %s -attnc-convert-to-llvm | FileCheck %s

// CHECK: llvm.mlir.global internal constant @amx_configuration({{.*}}) {{.*}}alignment = 64 : i64{{.*}} : !llvm.array<64 x i8>
// CHECK-LABEL: llvm.func @product(
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"(%{{.*}}) : (!llvm.ptr) -> ()
// CHECK: llvm.call_intrinsic "llvm.x86.tilezero"(%{{.*}}) : (i8) -> ()
// CHECK: llvm.mul %{{.*}}, %{{.*}} : i64
// CHECK: llvm.call_intrinsic "llvm.x86.tileloadd64"(%{{.*}}, %{{.*}}, %{{.*}}) : (i8, !llvm.ptr, i64) -> ()
// CHECK: llvm.call_intrinsic "llvm.x86.tdpbf16ps"(%{{.*}}, %{{.*}}, %{{.*}}) : (i8, i8, i8) -> ()
// CHECK: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"() : () -> ()
func.func @product(%words: memref<?xf32>, %at: index, %stride: index) {
  attnc.amx.configure
  attnc.amx.zero 0
  attnc.amx.load 4 from %words[%at] stride %stride : memref<?xf32>
  attnc.amx.multiply 0 by 4, 6
  attnc.amx.store 0 to %words[%at] stride %stride : memref<?xf32>
  attnc.amx.release
  return
}
