// In what a team runs, loads and stores of arrays that do not overlap say so; outside, and where the array is not known, none does.
// RUN: attnc-opt %s -pass-pipeline='builtin.module(llvm.func(attnc-alias-scopes))' | FileCheck %s

llvm.func @aligned_alloc(i64, i64) -> !llvm.ptr

// CHECK-LABEL: llvm.func @f
// CHECK: llvm.load %arg0 : !llvm.ptr -> f32
// CHECK: omp.parallel
// CHECK: %[[X:.*]] = llvm.load {{.*}}alias_scopes = [#[[A:alias_scope[0-9]*]]], noalias_scopes = [#[[B:alias_scope[0-9]*]], #[[C:alias_scope[0-9]*]]]}
// CHECK: llvm.load %arg1 : !llvm.ptr -> f32
// CHECK: llvm.store %[[X]], {{.*}}alias_scopes = [#[[B]]], noalias_scopes = [#[[A]], #[[C]]]}
// CHECK: llvm.store %[[X]], {{.*}}alias_scopes = [#[[C]]], noalias_scopes = [#[[A]], #[[B]]]}
llvm.func @f(%x: !llvm.ptr {llvm.noalias}, %unknown: !llvm.ptr, %y: !llvm.ptr {llvm.noalias}, %n: i64) {
  %before = llvm.load %x : !llvm.ptr -> f32
  %one = llvm.mlir.constant(1 : i64) : i64
  %none = llvm.mlir.poison : !llvm.struct<(ptr, ptr, i64)>
  %x0 = llvm.insertvalue %x, %none[0] : !llvm.struct<(ptr, ptr, i64)>
  %x1 = llvm.insertvalue %x, %x0[1] : !llvm.struct<(ptr, ptr, i64)>
  %array = llvm.insertvalue %n, %x1[2] : !llvm.struct<(ptr, ptr, i64)>
  %scratch = llvm.call @aligned_alloc(%n, %n) : (i64, i64) -> !llvm.ptr
  omp.parallel {
    %base = llvm.extractvalue %array[1] : !llvm.struct<(ptr, ptr, i64)>
    %element = llvm.getelementptr %base[%one] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %a = llvm.load %element : !llvm.ptr -> f32
    %b = llvm.load %unknown : !llvm.ptr -> f32
    llvm.store %a, %y : f32, !llvm.ptr
    llvm.store %a, %scratch : f32, !llvm.ptr
    omp.terminator
  }
  llvm.return
}
