// What is printed is read again, every operation, with and without its optional parts.
// RUN: attnc-opt %s | attnc-opt | FileCheck %s

// CHECK-LABEL: func.func @everything
func.func @everything(%x: tensor<?x3xf32>, %i: tensor<?xi64>, %b: tensor<i1>, %w: tensor<?x3x2xf32>, %c: tensor<?x2xf32>, %n: index) {
  // CHECK: attnc.const 5.000000e-01 : f32 : tensor<f32>
  %half = attnc.const 5.000000e-01 : f32 : tensor<f32>
  // CHECK: attnc.size %{{.*}} : tensor<i64>
  %size = attnc.size %n : tensor<i64>
  // CHECK: attnc.pointwise "where"(%{{.*}}, %{{.*}}, %{{.*}}) : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
  %where = attnc.pointwise "where"(%b, %half, %half) : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: attnc.gather %{{.*}} at %{{.*}} : (tensor<?x3xf32>, tensor<i64>) -> tensor<3xf32>
  %row = attnc.gather %x at %size : (tensor<?x3xf32>, tensor<i64>) -> tensor<3xf32>
  // CHECK: attnc.scatter %{{.*}} at %{{.*}} into %{{.*}} : tensor<?x3xf32>, tensor<?xi64> -> tensor<?x3xf32>
  %sum = attnc.scatter %x at %i into %n : tensor<?x3xf32>, tensor<?xi64> -> tensor<?x3xf32>
  // CHECK: attnc.topk %{{.*}} count %{{.*}} : tensor<3xf32> -> tensor<?xf32>, tensor<?xi64>
  %values, %places = attnc.topk %row count %n : tensor<3xf32> -> tensor<?xf32>, tensor<?xi64>
  // CHECK: attnc.topk %{{.*}} count %{{.*}} {rows = 1 : i64} : tensor<?x3xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
  %best, %where_best = attnc.topk %x count %n {rows = 1 : i64} : tensor<?x3xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
  // CHECK: attnc.softmax %{{.*}} : tensor<?x3xf32> -> tensor<?x3xf32>
  %soft = attnc.softmax %x : tensor<?x3xf32> -> tensor<?x3xf32>
  // CHECK: attnc.softmax %{{.*}} sink %{{.*}} : tensor<f32> : tensor<?x3xf32> -> tensor<?x3xf32>
  %sink = attnc.softmax %x sink %half : tensor<f32> : tensor<?x3xf32> -> tensor<?x3xf32>
  // CHECK: attnc.transpose %{{.*}} : (tensor<?x3xf32>) -> tensor<3x?xf32>
  %t = attnc.transpose %x : (tensor<?x3xf32>) -> tensor<3x?xf32>
  // CHECK: attnc.reshape %{{.*}} to[%{{.*}}] : (tensor<?x3xf32>) -> tensor<?xf32>
  %flat = attnc.reshape %x to [%n] : (tensor<?x3xf32>) -> tensor<?xf32>
  // CHECK: attnc.box "simd" %{{.*}} indexed(%{{.*}}) mapped [true] : (tensor<?x3xf32>) -> tensor<?x2xf32> {
  %applied = attnc.box "simd" %n indexed (%x) mapped [true] : (tensor<?x3xf32>) -> tensor<?x2xf32> {
  ^bb0(%at: tensor<i64>, %slice: tensor<3xf32>):
    // CHECK: attnc.apply "affine" "W"(%{{.*}}) parameters(%{{.*}}, %{{.*}}) per [0] : (tensor<3xf32>) -> tensor<2xf32> with tensor<?x3x2xf32>, tensor<?x2xf32>
    %y = attnc.apply "affine" "W" (%slice) parameters (%w, %c) per [0] : (tensor<3xf32>) -> tensor<2xf32> with tensor<?x3x2xf32>, tensor<?x2xf32>
    // CHECK: attnc.yield %{{.*}} : tensor<2xf32>
    attnc.yield %y : tensor<2xf32>
  }
  // CHECK: attnc.scan %{{.*}} states 1(%{{.*}}, %{{.*}}) mapped [true] : (tensor<3xf32>, tensor<?x3xf32>) -> (tensor<?x3xf32>, tensor<3xf32>) {
  %steps, %last = attnc.scan %n states 1 (%row, %x) mapped [true] : (tensor<3xf32>, tensor<?x3xf32>) -> (tensor<?x3xf32>, tensor<3xf32>) {
  ^bb0(%state: tensor<3xf32>, %slice: tensor<3xf32>):
    attnc.yield %slice, %state : tensor<3xf32>, tensor<3xf32>
  }
  // CHECK: attnc.call "named"(%{{.*}}) : (tensor<3xf32>) -> tensor<3xf32> {
  %called = attnc.call "named" (%row) : (tensor<3xf32>) -> tensor<3xf32> {
  ^bb0(%inside: tensor<3xf32>):
    attnc.yield %inside : tensor<3xf32>
  }
  return
}

// CHECK-LABEL: func.func @tiles
func.func @tiles(%words: memref<?xf32>, %at: index, %stride: index) {
  // CHECK: attnc.amx.configure
  attnc.amx.configure
  // CHECK: attnc.amx.zero 0
  attnc.amx.zero 0
  // CHECK: attnc.amx.load 4 from %{{.*}}[%{{.*}}] stride %{{.*}} : memref<?xf32>
  attnc.amx.load 4 from %words[%at] stride %stride : memref<?xf32>
  // CHECK: attnc.amx.multiply 0 by 4, 7
  attnc.amx.multiply 0 by 4, 7
  // CHECK: attnc.amx.store 0 to %{{.*}}[%{{.*}}] stride %{{.*}} : memref<?xf32>
  attnc.amx.store 0 to %words[%at] stride %stride : memref<?xf32>
  // CHECK: attnc.amx.release
  attnc.amx.release
  return
}
