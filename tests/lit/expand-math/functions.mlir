// On f32 the functions that are wanted in long loops become arithmetic; on f64 they stay functions.
// RUN: attnc-opt %s -attnc-expand-math | FileCheck %s

// CHECK-LABEL: func.func @single
// CHECK-NOT: math.exp
// CHECK-NOT: math.tanh
// CHECK: return
func.func @single(%x: f32) -> (f32, f32) {
  %e = math.exp %x : f32
  %t = math.tanh %x : f32
  return %e, %t : f32, f32
}

// CHECK-LABEL: func.func @double
// CHECK: math.exp
// CHECK: math.tanh
func.func @double(%x: f64) -> (f64, f64) {
  %e = math.exp %x : f64
  %t = math.tanh %x : f64
  return %e, %t : f64, f64
}
