// Arrays in bf16 are multiplied in pairs where a machine does that: by 2 × 2 tile registers, each loaded where it is used, or by
// dot products, whose elements are words of two. Queries, and weights once they are known, are pairs of rows interleaved.
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32 pairs=tiles" -canonicalize | FileCheck %s --check-prefixes=CHECK,TILES
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32 pairs=dot" -canonicalize | FileCheck %s --check-prefixes=CHECK,DOT
// RUN: attnc-opt %s -attnc-tiles="vector-bits=512 registers=32" -canonicalize | FileCheck %s --check-prefix=NONE

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// NONE-NOT: amx
// NONE-NOT: dpbf16ps

// Of arrays in f32 nothing is rounded.
// CHECK-LABEL: func.func @single(
// CHECK-NOT: amx
// CHECK-NOT: call @pairs
// CHECK: call @accumulate_8x3(
// CHECK: return
func.func @single(%q: memref<96x4xf32>, %k: memref<7x4xbf16>, %v: memref<7x6xbf16>, %y: memref<96x6xbf16>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<96x4xf32>, memref<7x4xbf16>) values(%v : memref<7x6xbf16>)
    into(%y : memref<96x6xbf16>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}

// CHECK-LABEL: func.func @attention(
// TILES-COUNT-2: call @tiles_left(
// TILES: call @pairs_right(
// TILES-NEXT: attnc.amx.configure
// TILES: call @accumulate_tiles_2x2(
// A reference is kept until it is passed by more than 2⁸ in weights.
// TILES: vector.reduction <or>
// TILES: call @scale_2(
// TILES: call @pairs_of_weights_2(
// TILES: call @accumulate_tiles_2x2(
// TILES: attnc.amx.release
// DOT: call @pairs_left(
// DOT: call @accumulate_pairs_8x3(
// DOT-NOT: vector.reduction
// DOT: call @pairs_of_weights_3(
// DOT: call @accumulate_pairs_8x3(
// TILES: func.func private @accumulate_tiles_2x2(
// TILES: attnc.amx.load 0
// TILES: attnc.amx.zero 0
// TILES: scf.for
// TILES-COUNT-2: attnc.amx.load
// TILES-COUNT-2: attnc.amx.load
// TILES-NEXT: attnc.amx.multiply 0 by 4, 6
// TILES-NEXT: attnc.amx.multiply 1 by 4, 7
// TILES-NEXT: attnc.amx.multiply 2 by 5, 6
// TILES-NEXT: attnc.amx.multiply 3 by 5, 7
// TILES-NEXT: }
// TILES-COUNT-4: attnc.amx.store
// DOT: func.func private @accumulate_pairs_8x3(
// DOT-COUNT-24: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// DOT: func.func private @pairs_of_weights_3(
// DOT: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtneps2bf16.512"
// DOT: vector.interleave
func.func @attention(%q: memref<96x4xbf16>, %k: memref<7x4xbf16>, %v: memref<7x6xbf16>, %y: memref<96x6xbf16>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<96x4xbf16>, memref<7x4xbf16>) values(%v : memref<7x6xbf16>)
    into(%y : memref<96x6xbf16>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}
