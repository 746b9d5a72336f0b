#include "attnc/kernel/Program.h"

#include "attnc/launch/Program.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/GlobalVariable.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace attnc {

namespace {

/// DLPack's code of an element, and its bits.
std::pair<std::uint8_t, std::uint8_t> elementOf(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return {2, 32};
  case DType::F64:
    return {2, 64};
  case DType::BF16:
    return {4, 16};
  case DType::I64:
    return {0, 64};
  default:
    return {6, 8};
  }
}

/// Writes the constants of launch/Program.h field by field; the types are the same, for LLVM lays structures out as C.
class ProgramWriter {
public:
  ProgramWriter(llvm::Module &module, const DeviceProgram &program) : module(module), program(program) {}

  void write() {
    bool emulated = program.device == Target::Device::Emulated;
    std::vector<llvm::Constant *> interface, names, shared, code;
    std::int64_t outputs = 0;
    for (const KernelArgument &argument : program.abi.arguments) {
      outputs += argument.role == KernelArgument::Role::Output;
      if (argument.role == KernelArgument::Role::SizeValue)
        continue;
      auto [kind, bits] = elementOf(argument.dtype);
      interface.push_back(
          llvm::ConstantStruct::getAnon({text(argument.name), builder.getInt32(argument.type.axes.size()),
                                         builder.getInt8(kind), builder.getInt8(bits)}));
    }
    for (const std::string &name : program.plan.kernels)
      names.push_back(text(name));
    for (std::int32_t bytes : program.plan.shared)
      shared.push_back(builder.getInt32(std::uint32_t(bytes)));
    for (std::int64_t word : program.plan.code)
      code.push_back(builder.getInt64(word));
    llvm::Type *pointer = builder.getPtrTy();
    llvm::Constant *none = llvm::ConstantPointerNull::get(builder.getPtrTy());
    auto image = [&](const std::string &bytes) { return bytes.empty() ? none : text(bytes); };
    llvm::Constant *images =
        llvm::ConstantArray::get(llvm::ArrayType::get(pointer, 2),
                                 emulated ? llvm::ArrayRef<llvm::Constant *>{kernels(), none}
                                          : llvm::ArrayRef<llvm::Constant *>{image(program.cubin), image(program.ptx)});
    auto driver =
        module.getOrInsertFunction(emulated ? "attnc_emulated" : "attnc_cuda", llvm::FunctionType::get(pointer, false));
    auto count = [&](std::int64_t value) { return builder.getInt32(std::uint32_t(value)); };
    constant = global(llvm::ConstantStruct::getAnon(
        {count(emulated ? 1 : 2), count(program.plan.arrays), count(program.plan.sizes), count(program.plan.registers),
         count(std::int64_t(program.plan.kernels.size())), count(outputs), list(interface), list(code), list(names),
         list(shared), images, llvm::cast<llvm::Constant>(driver.getCallee())}));
    tensors();
    packed();
    error();
  }

private:
  llvm::GlobalVariable *global(llvm::Constant *value) {
    auto *result = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::PrivateLinkage, value);
    result->setAlignment(llvm::Align(16));
    return result;
  }
  llvm::Constant *text(const std::string &bytes) {
    return global(llvm::ConstantDataArray::getString(module.getContext(), bytes));
  }
  llvm::Constant *list(llvm::ArrayRef<llvm::Constant *> elements) {
    if (elements.empty())
      return llvm::ConstantPointerNull::get(builder.getPtrTy());
    return global(llvm::ConstantArray::get(llvm::ArrayType::get(elements[0]->getType(), elements.size()), elements));
  }

  /// The list of `attnc_emulated_kernel`.
  llvm::Constant *kernels() {
    std::vector<llvm::Constant *> all;
    for (std::size_t i = 0; i < program.plan.kernels.size(); ++i) {
      llvm::Function *entry = module.getFunction(program.plan.kernels[i] + std::string(packedSuffix));
      entry->setLinkage(llvm::Function::InternalLinkage);
      module.getFunction(program.plan.kernels[i])->setLinkage(llvm::Function::InternalLinkage);
      all.push_back(llvm::ConstantStruct::getAnon({text(program.plan.kernels[i]),
                                                   builder.getInt64(std::uint64_t(program.plan.arguments[i])),
                                                   builder.getInt64(std::uint64_t(program.plan.maps[i])), entry}));
    }
    llvm::Constant *none = llvm::ConstantPointerNull::get(builder.getPtrTy());
    all.push_back(llvm::ConstantStruct::getAnon({none, builder.getInt64(0), builder.getInt64(0), none}));
    return list(all);
  }

  llvm::Function *function(const std::string &suffix, llvm::Type *result, llvm::ArrayRef<llvm::Type *> arguments) {
    auto *made = llvm::Function::Create(llvm::FunctionType::get(result, arguments, false),
                                        llvm::Function::ExternalLinkage, program.abi.symbol + suffix, module);
    builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", made));
    return made;
  }
  llvm::Value *call(llvm::StringRef name, llvm::Type *result, llvm::ArrayRef<llvm::Value *> arguments) {
    std::vector<llvm::Type *> types;
    for (llvm::Value *argument : arguments)
      types.push_back(argument->getType());
    return builder.CreateCall(module.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false)),
                              arguments);
  }

  void tensors() {
    auto arrays = std::uint64_t(program.plan.arrays), sizes = std::uint64_t(program.plan.sizes);
    std::vector<llvm::Type *> types(arrays, builder.getPtrTy());
    types.insert(types.end(), sizes, builder.getInt64Ty());
    types.push_back(builder.getPtrTy());
    llvm::Function *entry = function("", builder.getInt32Ty(), types);
    llvm::Value *slots = builder.CreateAlloca(builder.getInt64Ty(), builder.getInt64(arrays + sizes));
    for (std::uint64_t i = 0; i < arrays + sizes; ++i)
      builder.CreateStore(entry->getArg(unsigned(i)), builder.CreateConstGEP1_64(builder.getInt64Ty(), slots, i));
    builder.CreateRet(call("attnc_run_tensors", builder.getInt32Ty(),
                           {constant, slots, builder.CreateConstGEP1_64(builder.getInt64Ty(), slots, arrays),
                            entry->getArg(unsigned(arrays + sizes))}));
  }
  void packed() {
    llvm::Function *entry = function(std::string(packedSuffix), builder.getInt32Ty(), {builder.getPtrTy()});
    llvm::Value *slots = entry->getArg(0);
    builder.CreateRet(
        call("attnc_run_here", builder.getInt32Ty(),
             {constant, slots,
              builder.CreateConstGEP1_64(builder.getInt64Ty(), slots, std::uint64_t(program.plan.arrays))}));
  }
  void error() {
    function("_error", builder.getPtrTy(), {});
    builder.CreateRet(call("attnc_error", builder.getPtrTy(), {}));
  }

  llvm::Module &module;
  const DeviceProgram &program;
  llvm::IRBuilder<> builder{module.getContext()};
  llvm::Constant *constant = nullptr;
};

} // namespace

void addProgram(llvm::Module &module, const DeviceProgram &program) { ProgramWriter(module, program).write(); }

} // namespace attnc
