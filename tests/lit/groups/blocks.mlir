// A stream of arrays in bf16 becomes a grid of blocks that stay, each of a group of warps that copies and two that
// compute. What they cannot take is the work of single warps.
// RUN: attnc-opt %s -attnc-blocks=warp-groups=true -cse -split-input-file | FileCheck %s

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// CHECK-LABEL: func.func @groups(
// CHECK: %[[Q:.*]] = attnc.tensor_map %arg0 extents(%c80, %{{.*}}) strides(%c80) box [64, 128]
// CHECK: %[[K:.*]] = attnc.tensor_map %arg1
// CHECK: %[[V:.*]] = attnc.tensor_map %arg2 extents(%c24, %{{.*}}) strides(%c24) box [64, 128]
// CHECK: attnc.processors
// CHECK: scf.parallel
// CHECK: memref.alloca() {alignment = 1024 : i64}
// CHECK-COUNT-18: attnc.begin_barrier
// CHECK: attnc.publish_barriers
// CHECK: gpu.barrier
// The group that copies: queries in two boxes, then keys and values by tiles.
// CHECK: attnc.registers 56
// CHECK: attnc.wait
// CHECK: attnc.expect %{{.*}} bytes 32768
// CHECK-COUNT-2: attnc.load_box %[[Q]]
// CHECK: scf.for
// CHECK: attnc.expect %{{.*}} bytes 32768
// CHECK-COUNT-2: attnc.load_box %[[K]]
// CHECK: attnc.expect %{{.*}} bytes 16384
// CHECK: attnc.load_box %[[V]]
// The groups that compute: the scores of the first tile; those of a further one, and the values before; the last values.
// CHECK: attnc.registers more 224
// CHECK: attnc.pass
// CHECK: attnc.group_product bf16 sums() left() at %{{.*}} steps [0, 2, 4, 6, 1024]
// CHECK: attnc.await pending 0
// CHECK: attnc.arrive
// CHECK: scf.for
// CHECK: attnc.meet
// CHECK: attnc.group_product bf16
// CHECK: attnc.group_product turned bf16
// CHECK: attnc.pass
// CHECK: attnc.await pending 1
// CHECK: math.exp2
// CHECK: attnc.await pending 0
// CHECK: attnc.group_product turned bf16
// CHECK: attnc.await pending 0
// CHECK-NOT: nvgpu
// CHECK: {attnc.block = 384 : i64, attnc.persistent}
func.func @groups(%q: memref<?x80xbf16>, %k: memref<?x80xbf16>, %v: memref<?x24xbf16>, %y: memref<?x24xbf16>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<?x80xbf16>, memref<?x80xbf16>) values(%v : memref<?x24xbf16>)
    into(%y : memref<?x24xbf16>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}

// -----

#q = affine_map<(i, j, d, e) -> (i, d)>
#k = affine_map<(i, j, d, e) -> (j, d)>
#v = affine_map<(i, j, d, e) -> (j, e)>
#y = affine_map<(i, j, d, e) -> (i, e)>
// Lengths that are no multiples of 8.
// CHECK-LABEL: func.func @single(
// CHECK-NOT: attnc.
// CHECK: nvgpu.mma.sync
// CHECK: {attnc.block = 128 : i64}
func.func @single(%q: memref<?x20xbf16>, %k: memref<?x20xbf16>, %v: memref<?x24xbf16>, %y: memref<?x24xbf16>) {
  attnc.stream "softmax" batch 0 contract(%q, %k : memref<?x20xbf16>, memref<?x20xbf16>) values(%v : memref<?x24xbf16>)
    into(%y : memref<?x24xbf16>) maps [#q, #k, #v, #y] {
  ^bb0(%i: index, %j: index, %c: f32):
    attnc.score %c
  }
  return
}
