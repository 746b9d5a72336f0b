#include "attnc/lower/AmxToLLVM.h"
#include "attnc/lower/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/OpenMPToLLVM/ConvertOpenMPToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace attnc {

namespace {

/// Functions on f32 become arithmetic that vectorises, where that meets the accuracy that is promised; the
/// rest of them, and all on f64, are libm's.
struct ExpandMath : mlir::PassWrapper<ExpandMath, mlir::OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMath)
  llvm::StringRef getArgument() const final { return "attnc-expand-math"; }
  llvm::StringRef getDescription() const final { return "functions on f32 as vectorisable arithmetic"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::math::MathDialect>();
  }

  void runOnOperation() final {
    mlir::RewritePatternSet patterns(&getContext());
    mlir::populateMathPolynomialApproximationPatterns(patterns, [](llvm::StringRef name) {
      return llvm::is_contained({mlir::math::ExpOp::getOperationName(), mlir::math::LogOp::getOperationName(),
                                 mlir::math::TanhOp::getOperationName(), mlir::math::ErfOp::getOperationName()},
                                name);
    });
    mlir::walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

/// Everything that is left below loops, at once.
struct ToLLVM : mlir::PassWrapper<ToLLVM, mlir::OperationPass<mlir::ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ToLLVM)
  llvm::StringRef getArgument() const final { return "attnc-convert-to-llvm"; }
  llvm::StringRef getDescription() const final {
    return "functions, memory, arithmetic and branches to the LLVM dialect";
  }
  void getDependentDialects(mlir::DialectRegistry &registry) const final { registry.insert<mlir::LLVM::LLVMDialect>(); }

  void runOnOperation() final {
    mlir::LowerToLLVMOptions options(&getContext());
    options.allocLowering = mlir::LowerToLLVMOptions::AllocLowering::AlignedAlloc;
    mlir::LLVMTypeConverter converter(&getContext(), options);
    mlir::RewritePatternSet patterns(&getContext());
    mlir::arith::populateArithExpandOpsPatterns(patterns);
    mlir::arith::populateExpandBFloat16Patterns(
        patterns); // few processors convert, and a runtime's function does not vectorise
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();

    mlir::RewritePatternSet conversions(&getContext());
    mlir::arith::populateArithToLLVMConversionPatterns(converter, conversions);
    mlir::cf::populateControlFlowToLLVMConversionPatterns(converter, conversions);
    mlir::populateFinalizeMemRefToLLVMConversionPatterns(converter, conversions);
    mlir::populateFuncToLLVMConversionPatterns(converter, conversions);
    mlir::populateMathToLLVMConversionPatterns(converter, conversions);
    mlir::populateMathToLibmConversionPatterns(conversions, 0);
    mlir::ub::populateUBToLLVMConversionPatterns(converter, conversions);
    mlir::populateVectorToLLVMConversionPatterns(converter, conversions);
    mlir::vector::populateVectorMaskMaterializationPatterns(conversions, /*force32BitVectorIndices=*/false);
    mlir::populateOpenMPToLLVMConversionPatterns(converter, conversions);
    populateAmxToLLVMPatterns(converter, conversions);
    mlir::LLVMConversionTarget target(getContext());
    mlir::configureOpenMPToLLVMConversionLegality(target, converter);
    target.addLegalOp<mlir::ModuleOp, mlir::UnrealizedConversionCastOp>();
    if (failed(mlir::applyFullConversion(getOperation(), target, std::move(conversions))))
      return signalPassFailure();
    for (auto function : getOperation().getOps<mlir::LLVM::LLVMFuncOp>())
      if (!function.isExternal() && function->getAttr(mlir::SymbolTable::getVisibilityAttrName()))
        keepShared(function);
  }

private:
  /// What a function of the kernel's own says of its calls and its arrays, in the terms of LLVM.
  static void keepShared(mlir::LLVM::LLVMFuncOp function) {
    function.setNoInline(true); // it was made to be compiled once
    if (!function->removeAttr(apartAttribute))
      return;
    for (mlir::BlockArgument argument : function.getArguments())
      if (mlir::isa<mlir::LLVM::LLVMPointerType>(argument.getType()))
        function.setArgAttr(argument.getArgNumber(), mlir::LLVM::LLVMDialect::getNoAliasAttrName(),
                            mlir::UnitAttr::get(function.getContext()));
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createExpandMathPass() { return std::make_unique<ExpandMath>(); }
std::unique_ptr<mlir::Pass> createToLLVMPass() { return std::make_unique<ToLLVM>(); }

} // namespace attnc
