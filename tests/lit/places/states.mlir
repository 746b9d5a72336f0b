// Empty arrays are not shared, and the next state is written where the state before is.
// RUN: attnc-opt %s -attnc-places | FileCheck %s

#map = affine_map<(d0) -> (d0)>

// Nobody looks at the state after it: computed in its place.
// CHECK-LABEL: func.func @in_place
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} outs(%[[S]] :
// CHECK: scf.yield %[[NEXT]]
func.func @in_place(%x: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> tensor<4xf32> {
    %t = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %m = arith.addf %a, %a : f32
      linalg.yield %m : f32
    } -> tensor<4xf32>
    scf.yield %t : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// States that change places are copied before either is overwritten.
// CHECK-LABEL: func.func @swapped
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[T:.*]] = %{{.*}})
// CHECK-DAG: %[[A:.*]] = bufferization.alloc_tensor() copy(%[[T]])
// CHECK-DAG: %[[B:.*]] = bufferization.alloc_tensor() copy(%[[S]])
// CHECK-DAG: linalg.copy ins(%[[A]] : tensor<4xf32>) outs(%[[S]] :
// CHECK-DAG: linalg.copy ins(%[[B]] : tensor<4xf32>) outs(%[[T]] :
func.func @swapped(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x, %t = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %t, %s : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @separate
// CHECK-COUNT-2: tensor.empty()
func.func @separate(%c: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// A sum into an array reads an element and writes it again, each step in the same array.
// CHECK-LABEL: func.func @summed
// CHECK-NOT: alloc_tensor
// CHECK: return
func.func @summed(%x: tensor<?xf32>, %at: tensor<?xindex>, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> tensor<?xf32> {
    %to = tensor.extract %at[%i] : tensor<?xindex>
    %old = tensor.extract %s[%to] : tensor<?xf32>
    %new = arith.addf %old, %old : f32
    %t = tensor.insert %new into %s[%to] : tensor<?xf32>
    scf.yield %t : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
