#include "attnc/kernel/Bfloat.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>

namespace attnc {

static llvm::Value *rounded(llvm::IRBuilder<> &builder, llvm::Value *value, llvm::Type *bfloat) {
  llvm::Type *words = value->getType()->getWithNewType(builder.getInt32Ty());
  llvm::Type *halves = value->getType()->getWithNewType(builder.getInt16Ty());
  auto constant = [&](std::uint32_t bits) { return llvm::ConstantInt::get(words, bits); };
  llvm::Value *bits = builder.CreateBitCast(value, words);
  llvm::Value *odd = builder.CreateAnd(builder.CreateLShr(bits, constant(16)), constant(1));
  llvm::Value *up = builder.CreateAdd(bits, builder.CreateAdd(odd, constant(0x7fff)));
  // Rounding could carry a NaN into infinity.
  llvm::Value *quiet = builder.CreateOr(bits, constant(0x400000));
  llvm::Value *chosen = builder.CreateSelect(builder.CreateFCmpUNO(value, value), quiet, up);
  return builder.CreateBitCast(builder.CreateTrunc(builder.CreateLShr(chosen, constant(16)), halves), bfloat);
}

void expandBfloatRounding(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *truncation = llvm::dyn_cast<llvm::FPTruncInst>(&instruction);
      if (!truncation || !truncation->getDestTy()->getScalarType()->isBFloatTy())
        continue;
      llvm::IRBuilder<> builder(truncation);
      llvm::Value *value = truncation->getOperand(0);
      // From a double the float between would round twice, unless it is rounded to odd; nothing here makes one.
      if (!value->getType()->getScalarType()->isFloatTy())
        continue;
      truncation->replaceAllUsesWith(rounded(builder, value, truncation->getDestTy()));
      truncation->eraseFromParent();
    }
}

} // namespace attnc
