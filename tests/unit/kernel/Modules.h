#pragma once
#include <mlir/Dialect/LLVMIR/LLVMDialect.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/OwningOpRef.h>
#include <mlir/Parser/Parser.h>

namespace attnc::test {

/// A context that knows the LLVM dialect and nothing else.
struct Modules {
  mlir::MLIRContext context;
  Modules() { context.loadDialect<mlir::LLVM::LLVMDialect>(); }
  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
};

/// y[i] = a[i] * b[i] for i < n, in the ABI of a diagram `mul(a: [n], b: [n]) -> [n]` with dynamic sizes.
inline constexpr const char *mulModule = R"(
llvm.func @attnc_mul(%a: !llvm.ptr, %b: !llvm.ptr, %y: !llvm.ptr, %n: i64) -> i32 {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  llvm.br ^head(%zero : i64)
^head(%i: i64):
  %more = llvm.icmp "slt" %i, %n : i64
  llvm.cond_br %more, ^body, ^exit
^body:
  %pa = llvm.getelementptr %a[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %pb = llvm.getelementptr %b[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %py = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %va = llvm.load %pa : !llvm.ptr -> f32
  %vb = llvm.load %pb : !llvm.ptr -> f32
  %v = llvm.fmul %va, %vb : f32
  llvm.store %v, %py : f32, !llvm.ptr
  %next = llvm.add %i, %one : i64
  llvm.br ^head(%next : i64)
^exit:
  %ok = llvm.mlir.constant(0 : i32) : i32
  llvm.return %ok : i32
})";

} // namespace attnc::test
