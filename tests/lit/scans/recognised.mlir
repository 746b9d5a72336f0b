// A scan whose states are affine in themselves and read by contractions is one operation on all steps; a state without
// features is its normaliser, and what is done with the reads is done for all steps at once.
// RUN: attnc-opt %s -attnc-batch -cse -attnc-scans -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-DAG: #[[QK:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[Z:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func.func @normalised(
// CHECK-SAME: %[[Q:.*]]: tensor<70x8xf32>, %[[K:.*]]: tensor<70x8xf32>, %[[W:.*]]: tensor<70x9xf32>, %[[G:.*]]: tensor<70xf32>, %[[S0:.*]]: tensor<8x9xf32>, %[[Z0:.*]]: tensor<8xf32>)
// CHECK-NOT: scf.for
// CHECK: %[[R:.*]]:4 = attnc.chunks batch 0 query(%[[Q]] : {{.*}}) key(%[[K]] : {{.*}}) value(%[[W]] : {{.*}}) gate(%[[G]] : {{.*}}) from(%[[S0]], %[[Z0]] : {{.*}}) into({{.*}}) maps [#[[QK]], #[[QK]], #[[V]], #[[A]], #[[S]], #[[Z]], #[[V]], #[[S]], #[[A]], #[[Z]]] -> tensor<70x9xf32>, tensor<8x9xf32>, tensor<70xf32>, tensor<8xf32>
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[R]]#0, %[[R]]#2 : tensor<70x9xf32>, tensor<70xf32>)
// CHECK: arith.divf
// CHECK: return %[[Y]], %[[R]]#1 : tensor<70x9xf32>, tensor<8x9xf32>
func.func @normalised(%q: tensor<70x8xf32>, %k: tensor<70x8xf32>, %v: tensor<70x9xf32>, %a: tensor<70xf32>, %S0: tensor<8x9xf32>, %z0: tensor<8xf32>) -> (tensor<70x9xf32>, tensor<8x9xf32>) {
  %n = arith.constant 70 : index
  %d = arith.constant 8 : index
  %e = arith.constant 9 : index
  // expected-remark @+1 {{chunked: 70 steps, 64 at a time, of a state of 8 × 9 and its normaliser, 1 times; 0.096 MFLOP, 0.020 step by step}}
  %y, %S, %z = attnc.scan %n states 2 (%S0, %z0, %q, %k, %v, %a) mapped [true, true, true, true] : (tensor<8x9xf32>, tensor<8xf32>, tensor<70x8xf32>, tensor<70x8xf32>, tensor<70x9xf32>, tensor<70xf32>) -> (tensor<70x9xf32>, tensor<8x9xf32>, tensor<8xf32>) {
  ^bb0(%St: tensor<8x9xf32>, %zt: tensor<8xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<9xf32>, %at: tensor<f32>):
    %Sn, %zn = attnc.box "simd" %d (%St, %zt, %kt, %vt, %at) mapped [true, true, true, false, false] : (tensor<8x9xf32>, tensor<8xf32>, tensor<8xf32>, tensor<9xf32>, tensor<f32>) -> (tensor<8x9xf32>, tensor<8xf32>) {
    ^bb0(%Sd: tensor<9xf32>, %zd: tensor<f32>, %kd: tensor<f32>, %vd: tensor<9xf32>, %ad: tensor<f32>):
      %row = attnc.box "simd" %e (%Sd, %kd, %vd, %ad) mapped [true, false, true, false] : (tensor<9xf32>, tensor<f32>, tensor<9xf32>, tensor<f32>) -> tensor<9xf32> {
      ^bb0(%s: tensor<f32>, %x: tensor<f32>, %w: tensor<f32>, %g: tensor<f32>):
        %old = attnc.pointwise "mul" (%g, %s) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        %new = attnc.pointwise "mul" (%x, %w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        %sum = attnc.pointwise "add" (%new, %old) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %sum : tensor<f32>
      }
      %old = attnc.pointwise "mul" (%zd, %ad) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      %sum = attnc.pointwise "add" (%old, %kd) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %row, %sum : tensor<9xf32>, tensor<f32>
    }
    %r, %m = attnc.box "sum" %d (%qt, %Sn, %zn) mapped [true, true, true] : (tensor<8xf32>, tensor<8x9xf32>, tensor<8xf32>) -> (tensor<9xf32>, tensor<f32>) {
    ^bb0(%x: tensor<f32>, %Sd: tensor<9xf32>, %zd: tensor<f32>):
      %row = attnc.box "simd" %e (%x, %Sd) mapped [false, true] : (tensor<f32>, tensor<9xf32>) -> tensor<9xf32> {
      ^bb0(%u: tensor<f32>, %s: tensor<f32>):
        %p = attnc.pointwise "mul" (%u, %s) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %p : tensor<f32>
      }
      %p = attnc.pointwise "mul" (%x, %zd) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %row, %p : tensor<9xf32>, tensor<f32>
    }
    %yt = attnc.box "simd" %e (%r, %m) mapped [true, false] : (tensor<9xf32>, tensor<f32>) -> tensor<9xf32> {
    ^bb0(%x: tensor<f32>, %u: tensor<f32>):
      %p = attnc.pointwise "div" (%x, %u) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %p : tensor<f32>
    }
    attnc.yield %Sn, %zn, %yt : tensor<8x9xf32>, tensor<8xf32>, tensor<9xf32>
  }
  return %y, %S : tensor<70x9xf32>, tensor<8x9xf32>
}

// -----

// Read before it changes; the gate runs along the depth.
// CHECK-DAG: #[[QK:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @gated(
// CHECK-SAME: %[[Q:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<?x9xf32>, %[[S0:.*]]: tensor<8x9xf32>, %{{.*}}: index)
// CHECK: %[[R:.*]]:2 = attnc.chunks before batch 0 query(%[[Q]] : {{.*}}) key(%[[Q]] : {{.*}}) value(%[[W]] : {{.*}}) gate(%[[Q]] : {{.*}}) from(%[[S0]] : {{.*}}) into({{.*}}) maps [#[[QK]], #[[QK]], #[[V]], #[[QK]], #[[S]], #[[V]], #[[S]]]
// CHECK: return
func.func @gated(%q: tensor<?x8xf32>, %v: tensor<?x9xf32>, %S0: tensor<8x9xf32>, %n: index) -> tensor<?x9xf32> {
  %d = arith.constant 8 : index
  %e = arith.constant 9 : index
  // expected-remark @+1 {{chunked: any number of steps, 64 at a time, of a state of 8 × 9}}
  %y, %S = attnc.scan %n states 1 (%S0, %q, %v) mapped [true, true] : (tensor<8x9xf32>, tensor<?x8xf32>, tensor<?x9xf32>) -> (tensor<?x9xf32>, tensor<8x9xf32>) {
  ^bb0(%St: tensor<8x9xf32>, %qt: tensor<8xf32>, %vt: tensor<9xf32>):
    %Sn = attnc.box "simd" %d (%St, %qt, %vt) mapped [true, true, false] : (tensor<8x9xf32>, tensor<8xf32>, tensor<9xf32>) -> tensor<8x9xf32> {
    ^bb0(%Sd: tensor<9xf32>, %kd: tensor<f32>, %vd: tensor<9xf32>):
      %row = attnc.box "simd" %e (%Sd, %kd, %vd) mapped [true, false, true] : (tensor<9xf32>, tensor<f32>, tensor<9xf32>) -> tensor<9xf32> {
      ^bb0(%s: tensor<f32>, %x: tensor<f32>, %w: tensor<f32>):
        %old = attnc.pointwise "mul" (%x, %s) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        %new = attnc.pointwise "mul" (%x, %w) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        %sum = attnc.pointwise "add" (%new, %old) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %sum : tensor<f32>
      }
      attnc.yield %row : tensor<9xf32>
    }
    %r = attnc.box "sum" %d (%qt, %St) mapped [true, true] : (tensor<8xf32>, tensor<8x9xf32>) -> tensor<9xf32> {
    ^bb0(%x: tensor<f32>, %Sd: tensor<9xf32>):
      %row = attnc.box "simd" %e (%x, %Sd) mapped [false, true] : (tensor<f32>, tensor<9xf32>) -> tensor<9xf32> {
      ^bb0(%u: tensor<f32>, %s: tensor<f32>):
        %p = attnc.pointwise "mul" (%u, %s) : (tensor<f32>, tensor<f32>) -> tensor<f32>
        attnc.yield %p : tensor<f32>
      }
      attnc.yield %row : tensor<9xf32>
    }
    attnc.yield %Sn, %r : tensor<8x9xf32>, tensor<9xf32>
  }
  return %y : tensor<?x9xf32>
}

// -----

// Nothing contracts the state: it stays a loop.
// CHECK-LABEL: func.func @sums(
// CHECK-NOT: attnc.chunks
// CHECK: scf.for
func.func @sums(%x: tensor<70x8xf32>, %s0: tensor<8xf32>) -> tensor<70x8xf32> {
  %n = arith.constant 70 : index
  %d = arith.constant 8 : index
  // expected-remark @+1 {{not chunked: no contraction with a query reads a state}}
  %y, %s = attnc.scan %n states 1 (%s0, %x) mapped [true] : (tensor<8xf32>, tensor<70x8xf32>) -> (tensor<70x8xf32>, tensor<8xf32>) {
  ^bb0(%st: tensor<8xf32>, %xt: tensor<8xf32>):
    %sn = attnc.box "simd" %d (%st, %xt) mapped [true, true] : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32> {
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %sum = attnc.pointwise "add" (%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      attnc.yield %sum : tensor<f32>
    }
    attnc.yield %sn, %sn : tensor<8xf32>, tensor<8xf32>
  }
  return %y : tensor<70x8xf32>
}
