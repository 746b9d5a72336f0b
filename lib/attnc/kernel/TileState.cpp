#include "attnc/kernel/TileState.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace attnc {

// Linux, Documentation/arch/x86/xstate.rst: a call of arch_prctl on x86-64, what is asked, and of which state.
static constexpr long archPrctl = 158, requestPermission = 0x1023, tileData = 18;

/// `i1 attnc_tiles_refused()`: asks until it is allowed.
static llvm::Function *askingFunction(llvm::Module &module) {
  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::Type *word = builder.getInt64Ty(), *flag = builder.getInt8Ty();
  auto *function = llvm::Function::Create(llvm::FunctionType::get(builder.getInt1Ty(), false),
                                          llvm::Function::InternalLinkage, "attnc_tiles_refused", module);
  auto *allowed = new llvm::GlobalVariable(module, flag, false, llvm::GlobalValue::InternalLinkage, builder.getInt8(0),
                                           "attnc_tiles_allowed");
  auto *entry = llvm::BasicBlock::Create(context, "", function), *ask = llvm::BasicBlock::Create(context, "", function),
       *keep = llvm::BasicBlock::Create(context, "", function), *end = llvm::BasicBlock::Create(context, "", function);
  builder.SetInsertPoint(entry);
  llvm::LoadInst *known = builder.CreateLoad(flag, allowed);
  known->setAtomic(llvm::AtomicOrdering::Monotonic);
  builder.CreateCondBr(builder.CreateIsNotNull(known), end, ask);
  builder.SetInsertPoint(ask);
  llvm::FunctionCallee call = module.getOrInsertFunction("syscall", llvm::FunctionType::get(word, {word}, true));
  llvm::Value *refused = builder.CreateIsNotNull(builder.CreateCall(
      call, {builder.getInt64(archPrctl), builder.getInt64(requestPermission), builder.getInt64(tileData)}));
  builder.CreateCondBr(refused, end, keep);
  builder.SetInsertPoint(keep);
  builder.CreateStore(builder.getInt8(1), allowed)->setAtomic(llvm::AtomicOrdering::Monotonic);
  builder.CreateBr(end);
  builder.SetInsertPoint(end);
  llvm::PHINode *result = builder.CreatePHI(builder.getInt1Ty(), 3);
  result->addIncoming(builder.getFalse(), entry);
  result->addIncoming(builder.getTrue(), ask);
  result->addIncoming(builder.getFalse(), keep);
  builder.CreateRet(result);
  return function;
}

void requestTiles(llvm::Module &module, const std::vector<std::string> &exported) {
  if (!module.getFunction("llvm.x86.ldtilecfg"))
    return;
  llvm::Function *ask = askingFunction(module);
  for (const std::string &name : exported) {
    llvm::Function *kernel = module.getFunction(name);
    auto first = kernel->getEntryBlock().getFirstNonPHIOrDbgOrAlloca();
    llvm::IRBuilder<> builder(&kernel->getEntryBlock(), first);
    llvm::Value *refused = builder.CreateCall(ask);
    llvm::Instruction *end = llvm::SplitBlockAndInsertIfThen(refused, first, /*Unreachable=*/true);
    llvm::ReturnInst::Create(module.getContext(), builder.getInt32(tilesRefused), end->getIterator());
    end->eraseFromParent();
  }
}

bool tilesAllowed() {
#ifdef __x86_64__
  return ::syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

} // namespace attnc
