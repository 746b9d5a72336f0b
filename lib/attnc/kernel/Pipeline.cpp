#include "attnc/kernel/Pipeline.h"

#include "attnc/kernel/Abi.h"
#include "attnc/kernel/Link.h"
#include "attnc/kernel/ObjectCode.h"
#include "attnc/kernel/Stopwatch.h"
#include "attnc/lower/Lower.h"

#include <fmt/format.h>
#include <mlir/IR/OperationSupport.h>

namespace attnc {

namespace {

/// A module of MLIR with the context it lives in.
struct Lowering {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED}; // one kernel is too small to share out
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// From the definition up to the station; for code, down to the LLVM dialect.
  tl::expected<void, std::string> run(const Definition &definition, const KernelVariant &variant, Artefact station,
                                      const SourceManager *sources) {
    LowerOptions options;
    options.real = variant.real == DType::F64 ? Real::F64 : variant.real == DType::BF16 ? Real::BF16 : Real::F32;
    options.sizes = variant.sizes;
    auto emitted = emitDiagram(context, definition, options, sources);
    if (!emitted)
      return tl::unexpected(emitted.error());
    module = std::move(*emitted);
    if (station == Artefact::Dialect)
      return {};
    if (auto lowered = lowerToLinalg(*module); !lowered || station == Artefact::Linalg)
      return lowered;
    return lowerToLLVM(*module);
  }

  std::string text(bool locations) {
    std::string text;
    llvm::raw_string_ostream out(text);
    mlir::OpPrintingFlags flags;
    flags.enableDebugInfo(locations, /*prettyForm=*/false); // what attnc-opt reads back
    module->print(out, flags);
    return text += '\n';
  }
};

CodegenOptions codegenOptions(const Definition &definition, const KernelVariant &variant, Target target) {
  CodegenOptions options;
  options.target = std::move(target);
  options.level = variant.level;
  options.exported = {kernelSymbol(definition.name)};
  return options;
}

std::string soname(const Definition &definition) { return fmt::format("lib{}.so", kernelSymbol(definition.name)); }

} // namespace

tl::expected<std::string, std::string> buildArtefact(const Definition &definition, const KernelVariant &variant,
                                                     Artefact artefact, const SourceManager *sources) {
  auto target = parseTarget(variant.target);
  if (!target)
    return tl::unexpected(target.error());
  Lowering lowering;
  if (auto lowered = lowering.run(definition, variant, artefact, sources); !lowered)
    return tl::unexpected(lowered.error());
  CodegenOptions options = codegenOptions(definition, variant, *target);
  switch (artefact) {
  case Artefact::Dialect:
  case Artefact::Linalg:
    return lowering.text(sources != nullptr);
  case Artefact::Llvm:
    return emitCode(*lowering.module, options, Emit::Llvm);
  case Artefact::Assembly:
    return emitCode(*lowering.module, options, Emit::Assembly);
  case Artefact::Object:
    return emitCode(*lowering.module, options, Emit::Object);
  case Artefact::Shared:
  case Artefact::Header:
    break;
  }
  auto object = emitCode(*lowering.module, options, Emit::Object);
  if (!object)
    return object;
  return linkShared(*object, *target, soname(definition));
}

tl::expected<std::string, std::string> buildKernel(const Definition &definition, const KernelVariant &variant,
                                                   CompileTimes &times) {
  auto target = parseTarget(variant.target);
  if (!target)
    return tl::unexpected(target.error());
  if (auto runs = runsHere(*target); !runs)
    return tl::unexpected(runs.error());
  Stopwatch watch;
  Lowering lowering;
  if (auto lowered = lowering.run(definition, variant, Artefact::Shared, nullptr); !lowered)
    return tl::unexpected(lowered.error());
  times.lower = watch.lap();
  CodegenOptions options = codegenOptions(definition, variant, *target);
  options.packed = true;
  auto object = emitCode(*lowering.module, options, Emit::Object);
  times.codegen = watch.lap();
  if (!object)
    return object;
  auto shared = linkShared(*object, *target, soname(definition));
  times.link = watch.lap();
  return shared;
}

} // namespace attnc
