// Functions on doubles, and sine, cosine and powers on floats, are arithmetic: no function of a library is left. Those of
// floats that another pass expands stay.
// RUN: attnc-opt %s -attnc-functions | FileCheck %s

// CHECK-LABEL: func.func @doubles(
// CHECK-NOT: math.{{exp|log|tanh|erf|sin|cos|powf}}
// CHECK: return
func.func @doubles(%x: f64, %y: f64) -> (f64, f64, f64, f64, f64, f64, f64) {
  %a = math.exp %x : f64
  %b = math.log %x : f64
  %c = math.tanh %x : f64
  %d = math.erf %x : f64
  %e = math.sin %x : f64
  %f = math.cos %x : f64
  %g = math.powf %x, %y : f64
  return %a, %b, %c, %d, %e, %f, %g : f64, f64, f64, f64, f64, f64, f64
}

// CHECK-LABEL: func.func @floats(
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK-NOT: math.sin
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @floats(%x: f32) -> (f32, f32) {
  %a = math.exp %x : f32
  %b = math.sin %x : f32
  return %a, %b : f32, f32
}
