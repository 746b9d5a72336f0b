// What breaks the law of its generator is refused, with the law.
// RUN: attnc-opt %s -split-input-file -verify-diagnostics

func.func @constant() {
  // expected-error @+1 {{a constant of type 'i64' cannot be 'tensor<f32>'}}
  %c = attnc.const 1 : i64 : tensor<f32>
  return
}

// -----

func.func @unknown(%x: tensor<f32>) {
  // expected-error @+1 {{there is no function 'square'}}
  %y = attnc.pointwise "square" (%x) : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @kinds(%x: tensor<f32>, %i: tensor<i64>) {
  // expected-error @+1 {{'add' does not act on these kinds}}
  %y = attnc.pointwise "add" (%x, %i) : (tensor<f32>, tensor<i64>) -> tensor<f32>
  return
}

// -----

func.func @gather(%x: tensor<4x2xf32>, %i: tensor<i64>) {
  // expected-error @+1 {{gives 'tensor<2xf32>', not 'tensor<3xf32>'}}
  %y = attnc.gather %x at %i : (tensor<4x2xf32>, tensor<i64>) -> tensor<3xf32>
  return
}

// -----

func.func @cap(%x: tensor<4xf32>, %n: index) {
  // expected-error @+1 {{'any' does not fold 'tensor<f32>'}}
  %y = attnc.box "any" %n (%x) mapped [true] : (tensor<4xf32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    attnc.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @mapped(%x: tensor<f32>, %n: index) {
  // expected-error @+1 {{a scalar has no axis to map over}}
  %y = attnc.box "sum" %n (%x) mapped [true] : (tensor<f32>) -> tensor<f32> {
  ^bb0(%a: tensor<f32>):
    attnc.yield %a : tensor<f32>
  }
  return
}

// -----

func.func @state(%x: tensor<2xf32>, %n: index) {
  // expected-error @+1 {{a state that starts as 'tensor<2xf32>' changes its type}}
  %y = attnc.scan %n states 1 (%x) mapped [] : (tensor<2xf32>) -> tensor<3xf32> {
  ^bb0(%a: tensor<2xf32>):
    attnc.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @per(%w: tensor<?xf32>) {
  // expected-error @+1 {{its parameters vary along no box around it}}
  %u = attnc.apply "param" "u" () parameters (%w) per [0] : () -> tensor<f32> with tensor<?xf32>
  return
}

// -----

func.func @reshape(%x: tensor<2x3xf32>, %n: index) {
  // expected-error @+1 {{'tensor<2x3xf32>' has not as many elements as 'tensor<5xf32>'}}
  %y = attnc.reshape %x to [%n] : (tensor<2x3xf32>) -> tensor<5xf32>
  return
}

// -----

#m = affine_map<(t, d, e) -> (t, d)>
func.func @chunks(%x: tensor<5x4xf32>) {
  // expected-error @+1 {{has a state and perhaps a normaliser, and two arrays to write for each}}
  %y = attnc.chunks batch 0 query(%x : tensor<5x4xf32>) key(%x : tensor<5x4xf32>) value(%x : tensor<5x4xf32>)
    from(%x : tensor<5x4xf32>) into(%x : tensor<5x4xf32>) maps [#m, #m, #m, #m, #m] -> tensor<5x4xf32>
  return
}

// -----

#m = affine_map<(t, d, e) -> (t, d)>
#s = affine_map<(t, d, e) -> (d)>
func.func @steps(%x: tensor<5x4xf32>) {
  // expected-error @+1 {{'tensor<5x4xf32>' cannot run along affine_map<(d0, d1, d2) -> (d1)>}}
  %y, %l = attnc.chunks batch 0 query(%x : tensor<5x4xf32>) key(%x : tensor<5x4xf32>) value(%x : tensor<5x4xf32>)
    from(%x : tensor<5x4xf32>) into(%x, %x : tensor<5x4xf32>, tensor<5x4xf32>) maps [#m, #m, #m, #s, #m, #m]
    -> tensor<5x4xf32>, tensor<5x4xf32>
  return
}

// -----

#l = affine_map<(i, j, k) -> (i, k)>
#r = affine_map<(i, j, k) -> (k, j)>
#t = affine_map<(i, j, k) -> (j, i)>
func.func @product(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{columns do not run along the last axis of what is written}}
  %y = attnc.product batch 0 folded 0 %x : tensor<4x4xf32> by %x : tensor<4x4xf32> into(%x : tensor<4x4xf32>)
    maps [#l, #r, #t] -> tensor<4x4xf32> {
  ^bb0(%s: f32):
    attnc.finish %s
  }
  return
}

// -----

#l = affine_map<(i, j, k) -> (i, k)>
#r = affine_map<(i, j, k) -> (k, j)>
func.func @depth(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{'tensor<4x4xf32>' cannot run along affine_map<(d0, d1, d2) -> (d2, d1)>}}
  %y = attnc.product batch 0 folded 0 %x : tensor<4x4xf32> by %x : tensor<4x4xf32> into(%x : tensor<4x4xf32>)
    maps [#l, #r, #r] -> tensor<4x4xf32> {
  ^bb0(%s: f32):
    attnc.finish %s
  }
  return
}
