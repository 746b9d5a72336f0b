#include "attnc/kernel/Scratch.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

namespace attnc {

void refuseMissingScratch(llvm::Module &module) {
  llvm::Function *allocate = module.getFunction("aligned_alloc");
  if (!allocate)
    return;
  std::vector<llvm::CallInst *> calls;
  for (llvm::User *user : allocate->users())
    if (auto *call = llvm::dyn_cast<llvm::CallInst>(user);
        call && call->getFunction()->getReturnType()->isIntegerTy(32))
      calls.push_back(call);
  for (llvm::CallInst *call : calls) {
    llvm::Instruction *next = call->getNextNode();
    llvm::IRBuilder<> builder(next);
    // An array of no elements may have no address.
    llvm::Value *missing =
        builder.CreateAnd(builder.CreateIsNull(call), builder.CreateIsNotNull(call->getArgOperand(1)));
    llvm::Instruction *end = llvm::SplitBlockAndInsertIfThen(missing, next->getIterator(), /*Unreachable=*/true);
    llvm::ReturnInst::Create(module.getContext(), builder.getInt32(1), end->getIterator());
    end->eraseFromParent();
  }
}

} // namespace attnc
