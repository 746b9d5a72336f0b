#include "attnc/kernel/ObjectCode.h"

#include "attnc/kernel/Backend.h"
#include "attnc/kernel/Bfloat.h"
#include "attnc/kernel/Program.h"
#include "attnc/kernel/Scratch.h"
#include "attnc/kernel/TileState.h"

#include <fmt/format.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Export.h>
#include <mutex>

namespace attnc {

tl::expected<const llvm::Target *, std::string> backendFor(const Target &target) {
  llvm::Triple triple(target.triple);
  static std::once_flag x86, arm, nvptx;
  if (triple.isAArch64())
    std::call_once(arm, [] {
      LLVMInitializeAArch64TargetInfo();
      LLVMInitializeAArch64Target();
      LLVMInitializeAArch64TargetMC();
      LLVMInitializeAArch64AsmPrinter();
    });
  else if (triple.isNVPTX())
    std::call_once(nvptx, [] {
      LLVMInitializeNVPTXTargetInfo();
      LLVMInitializeNVPTXTarget();
      LLVMInitializeNVPTXTargetMC();
      LLVMInitializeNVPTXAsmPrinter();
    });
  else
    std::call_once(x86, [] {
      LLVMInitializeX86TargetInfo();
      LLVMInitializeX86Target();
      LLVMInitializeX86TargetMC();
      LLVMInitializeX86AsmPrinter();
      LLVMInitializeX86AsmParser(); // inline assembly is parsed when an object is written
    });
  std::string why;
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, why);
  if (!backend)
    return tl::unexpected(why);
  return backend;
}

static std::unique_ptr<llvm::TargetMachine> machineFor(const llvm::Target &backend, const CodegenOptions &options) {
  llvm::TargetOptions settings;
  settings.FunctionSections = true;
  auto effort = options.level >= 3   ? llvm::CodeGenOptLevel::Aggressive
                : options.level == 0 ? llvm::CodeGenOptLevel::None
                                     : llvm::CodeGenOptLevel::Default;
  return std::unique_ptr<llvm::TargetMachine>(
      backend.createTargetMachine(llvm::Triple(options.target.triple), options.target.level, options.target.features,
                                  settings, llvm::Reloc::PIC_, std::nullopt, effort));
}

/// NAME_packed: loads each argument from its slot and calls NAME.
static void addPackedEntry(llvm::Function &function) {
  llvm::LLVMContext &context = function.getContext();
  llvm::IRBuilder<> builder(context);
  llvm::Type *pointer = builder.getPtrTy();
  llvm::Function *packed = llvm::Function::Create(llvm::FunctionType::get(function.getReturnType(), {pointer}, false),
                                                  llvm::Function::ExternalLinkage,
                                                  function.getName() + std::string(packedSuffix), function.getParent());
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "", packed));
  std::vector<llvm::Value *> arguments;
  for (llvm::Argument &argument : function.args()) {
    llvm::Value *slot = builder.CreateConstGEP1_64(pointer, packed->getArg(0), argument.getArgNo());
    arguments.push_back(builder.CreateLoad(argument.getType(), slot));
  }
  llvm::CallInst *call = builder.CreateCall(&function, arguments);
  if (function.getReturnType()->isVoidTy())
    builder.CreateRetVoid();
  else
    builder.CreateRet(call);
}

/// What MLIR cannot say of a device's code: threads come to an instruction of several together, however it is written,
/// and what is given by value stays where it was given.
static void keepTogether(llvm::Module &module) {
  for (llvm::Function &function : module) {
    for (llvm::Argument &argument : function.args())
      if (argument.hasByValAttr())
        argument.addAttr(llvm::Attribute::get(module.getContext(), "nvvm.grid_constant"));
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : block)
        if (auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && call->isInlineAsm())
          call->setConvergent();
  }
}

static tl::expected<void, std::string> prepare(llvm::Module &module, const llvm::TargetMachine &machine,
                                               const CodegenOptions &options) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (!options.exported.empty())
    for (llvm::Function &function : module)
      if (!function.isDeclaration() &&
          std::ranges::find(options.exported, function.getName()) == options.exported.end())
        function.setLinkage(llvm::Function::InternalLinkage);
  for (const std::string &name : options.exported) {
    llvm::Function *function = module.getFunction(name);
    if (!function || function->isDeclaration())
      return tl::unexpected(fmt::format("the module does not define `{}`", name));
    if (options.packed)
      addPackedEntry(*function);
    if (machine.getTargetTriple().isNVPTX())
      function->setCallingConv(llvm::CallingConv::PTX_Kernel);
  }
  if (machine.getTargetTriple().isNVPTX())
    keepTogether(module);
  if (options.program)
    addProgram(module, *options.program);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", options.target.level);
    if (!options.target.features.empty())
      function.addFnAttr("target-features", options.target.features);
    if (options.target.hasWideVectors())
      function.addFnAttr("prefer-vector-width", "512");
  }
  return {};
}

static void optimise(llvm::Module &module, llvm::TargetMachine &machine, unsigned level) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = level >= 2;
  tuning.LoopUnrolling = level >= 3; // vectorised loops are interleaved already
  llvm::PassBuilder passes(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  functions.registerPass(
      [&] { return llvm::TargetLibraryAnalysis(llvm::TargetLibraryInfoImpl(machine.getTargetTriple())); });
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  const llvm::OptimizationLevel levels[] = {llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
                                            llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::OptimizationLevel chosen = levels[std::min(level, 3u)];
  llvm::ModulePassManager pipeline =
      level == 0 ? passes.buildO0DefaultPipeline(chosen) : passes.buildPerModuleDefaultPipeline(chosen);
  pipeline.run(module, modules);
}

tl::expected<std::string, std::string> emitCode(mlir::ModuleOp source, const CodegenOptions &options, Emit form) {
  auto backend = backendFor(options.target);
  if (!backend)
    return tl::unexpected(backend.error());
  std::unique_ptr<llvm::TargetMachine> machine = machineFor(**backend, options);

  mlir::MLIRContext &mlirContext = *source.getContext();
  mlir::registerBuiltinDialectTranslation(mlirContext);
  mlir::registerLLVMDialectTranslation(mlirContext);
  mlir::registerOpenMPDialectTranslation(mlirContext);
  std::string complaint;
  mlir::ScopedDiagnosticHandler handler(&mlirContext, [&](mlir::Diagnostic &diagnostic) {
    complaint += (complaint.empty() ? "" : "; ") + diagnostic.str();
    return mlir::success();
  });
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(source, context, "attnc");
  if (!module)
    return tl::unexpected(fmt::format("no LLVM IR can be made: {}", complaint));
  if (auto prepared = prepare(*module, *machine, options); !prepared)
    return tl::unexpected(prepared.error());
  if (machine->getTargetTriple().isX86() && !machine->getMCSubtargetInfo()->checkFeatures("+avx512bf16"))
    expandBfloatRounding(*module);
  refuseMissingScratch(*module);
  requestTiles(*module, options.exported);
  optimise(*module, *machine, options.level);

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  if (form == Emit::Llvm) {
    module->print(out, nullptr);
  } else {
    llvm::legacy::PassManager writer;
    auto type = form == Emit::Object ? llvm::CodeGenFileType::ObjectFile : llvm::CodeGenFileType::AssemblyFile;
    if (machine->addPassesToEmitFile(writer, out, nullptr, type))
      return tl::unexpected<std::string>("the backend cannot write this form");
    writer.run(*module);
  }
  return std::string(bytes.begin(), bytes.end());
}

} // namespace attnc
