#include "Run.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/TargetSelect.h"

namespace attnc {

namespace {

DType dtypeOf(Kind kind, Real real) {
  if (kind != Kind::Real)
    return kind == Kind::Int ? DType::I64 : DType::Bool;
  return real == Real::F32 ? DType::F32 : real == Real::F64 ? DType::F64 : DType::BF16;
}

/// `void packed(void **slots)` that calls the function with one slot an argument.
void addPacked(llvm::Module &module, llvm::StringRef symbol) {
  llvm::Function *callee = module.getFunction(symbol);
  REQUIRE(callee);
  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> builder(context);
  auto *pointer = builder.getPtrTy();
  auto *packed = llvm::Function::Create(llvm::FunctionType::get(builder.getInt32Ty(), {pointer}, false),
                                        llvm::Function::ExternalLinkage, "packed", module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", packed));
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : callee->args()) {
    llvm::Value *slot = builder.CreateConstGEP1_64(pointer, packed->getArg(0), arguments.size());
    arguments.push_back(builder.CreateLoad(argument.getType(), slot));
  }
  builder.CreateRet(builder.CreateCall(callee, arguments));
}

void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(calls);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, calls, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

mlir::OwningOpRef<mlir::ModuleOp> emitted(mlir::MLIRContext &context, const Definition &definition,
                                          const LowerOptions &options, const SourceManager *sources = nullptr) {
  auto module = emitDiagram(context, definition, options, sources);
  if (!module)
    FAIL(module.error());
  return std::move(*module);
}

std::string printed(mlir::ModuleOp module, bool locations) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out, mlir::OpPrintingFlags().enableDebugInfo(locations));
  return text;
}

} // namespace

Array rounded(const Array &array, Real real) {
  if (array.dtype() != DType::F64)
    return array;
  return *array.converted(dtypeOf(Kind::Real, real))->converted(DType::F64);
}

std::vector<Array> runLowered(const Definition &definition, const LowerOptions &options, const Size::Values &sizes,
                              const std::vector<Array> &inputs, const std::vector<Array> &parameters) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerOpenMPDialectTranslation(registry);
  REQUIRE(!llvm::sys::DynamicLibrary::LoadLibraryPermanently(ATTNC_OPENMP)); // threads, where sizes are worth them
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = emitted(context, definition, options);
  if (auto ok = lowerToLinalg(*module); !ok)
    FAIL(ok.error() << "\n" << printed(*module, false));
  std::string before = printed(*module, false);
  if (auto ok = lowerToLLVM(*module); !ok)
    FAIL(ok.error() << "\n" << before);

  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  auto code = mlir::translateModuleToLLVMIR(*module, *llvmContext);
  REQUIRE(code);
  addPacked(*code, symbolName(definition));
  REQUIRE(!llvm::verifyModule(*code, &llvm::errs()));
  auto machine = llvm::cantFail(llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost()).createTargetMachine());
  code->setDataLayout(machine->createDataLayout());
  optimise(*code, *machine);
  auto jit = llvm::cantFail(llvm::orc::LLJITBuilder().create());
  llvm::cantFail(jit->addIRModule({std::move(code), std::move(llvmContext)}));
  auto *packed = llvm::cantFail(jit->lookup("packed")).toPtr<int32_t (*)(const void **)>();

  std::vector<Array> arrays;
  for (const auto *list : {&inputs, &parameters})
    for (const Array &array : *list)
      arrays.push_back(
          *array.converted(array.dtype() == DType::F64 ? dtypeOf(Kind::Real, options.real) : array.dtype()));
  std::size_t first = arrays.size();
  for (WireId output : definition.diagram.outputs) {
    const Type &type = definition.diagram.type(output);
    std::vector<std::int64_t> shape;
    for (const Size &axis : type.axes)
      shape.push_back(*axis.evaluate(sizes));
    arrays.push_back(*Array::zeros(dtypeOf(type.kind, options.real), shape));
    std::memset(arrays.back().mutableData(), 0x5A, arrays.back().byteCount()); // what is not written shows
  }
  std::vector<const void *> slots;
  for (const Array &array : arrays)
    slots.push_back(array.data());
  for (const std::string &name : sizeArguments(definition, options))
    slots.push_back(reinterpret_cast<const void *>(sizes.at(name)));
  CHECK(packed(slots.data()) == 0);

  std::vector<Array> outputs;
  for (std::size_t i = first; i < arrays.size(); ++i)
    outputs.push_back(arrays[i].dtype() == DType::I64 || arrays[i].dtype() == DType::Bool
                          ? arrays[i]
                          : *arrays[i].converted(DType::F64));
  return outputs;
}

std::string dialectText(const Definition &definition, const LowerOptions &options, const SourceManager *sources) {
  mlir::MLIRContext context;
  return printed(*emitted(context, definition, options, sources), sources != nullptr);
}

std::string linalgText(const Definition &definition, const LowerOptions &options) {
  mlir::MLIRContext context;
  auto module = emitted(context, definition, options);
  if (auto ok = lowerToLinalg(*module); !ok)
    FAIL(ok.error());
  return printed(*module, false);
}

} // namespace attnc
