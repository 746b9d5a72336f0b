// From the dialect to LLVM: the C interface, scratch from aligned_alloc back to free, nothing else called.
// RUN: attnc-opt %s -attnc-to-linalg -attnc-to-llvm | FileCheck %s

// CHECK-NOT: memrefCopy
// CHECK: llvm.func @attnc_normalise(%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i64) -> i32
// CHECK-NOT: builtin.unrealized_conversion_cast
// CHECK: llvm.call @aligned_alloc
// CHECK: llvm.call @free
// CHECK: llvm.return %{{.*}} : i32
func.func @attnc_normalise(%x: tensor<?xf32> {attnc.shape = affine_map<()[n] -> (n)>}, %n: index) -> (tensor<?xf32> {attnc.shape = affine_map<()[n] -> (n)>}) {
  %y = attnc.softmax %x : tensor<?xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}
