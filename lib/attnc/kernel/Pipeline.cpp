#include "attnc/kernel/Pipeline.h"

#include "attnc/gpu/Gpu.h"
#include "attnc/kernel/Abi.h"
#include "attnc/kernel/Device.h"
#include "attnc/kernel/Link.h"
#include "attnc/kernel/ObjectCode.h"
#include "attnc/kernel/Stopwatch.h"
#include "attnc/lower/Lower.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mlir/IR/OperationSupport.h>

namespace attnc {

namespace {

/// A module of MLIR with the context it lives in.
struct Lowering {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED}; // one kernel is too small to share out
  mlir::OwningOpRef<mlir::ModuleOp> module;

  /// From the definition up to the station; for code, down to the LLVM dialect.
  tl::expected<void, std::string> run(const Definition &definition, const KernelVariant &variant, Artefact station,
                                      const Target &target, const SourceManager *sources) {
    LowerOptions options;
    options.real = variant.real == DType::F64 ? Real::F64 : variant.real == DType::BF16 ? Real::BF16 : Real::F32;
    options.sizes = variant.sizes;
    auto emitted = emitDiagram(context, definition, options, sources);
    if (!emitted)
      return tl::unexpected(emitted.error());
    module = std::move(*emitted);
    if (station == Artefact::Dialect)
      return {};
    bool device = target.device != Target::Device::None;
    if (auto lowered = device ? lowerToStreams(*module, variant.tf32, target.hasWarpGroups()) : lowerToLinalg(*module);
        !lowered || station == Artefact::Linalg || station == Artefact::Streams)
      return lowered;
    if (!device)
      return lowerToLLVM(*module, target.machine());
    if (auto placed = lowerToArrays(*module); !placed)
      return placed;
    return lowerToLaunches(*module, target.hasWarpGroups());
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

/// The remarks of the passes on the way to linalg, a line each.
tl::expected<std::string, std::string> streamsOf(const Definition &definition, const KernelVariant &variant,
                                                 const Target &target, const SourceManager *sources) {
  Lowering lowering;
  std::vector<std::string> lines;
  mlir::ScopedDiagnosticHandler handler(&lowering.context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Remark)
      return mlir::failure();
    std::string line;
    if (auto place = diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>())
      line = fmt::format("{}:{}:{}: ", place.getFilename().str(), place.getLine(), place.getColumn());
    lines.push_back(line + diagnostic.str());
    return mlir::success();
  });
  if (auto lowered = lowering.run(definition, variant, Artefact::Streams, target, sources); !lowered)
    return tl::unexpected(lowered.error());
  std::ranges::reverse(lines); // consumers are looked at first
  if (lines.empty())
    lines.push_back("nothing is streamed: no fold is over weights that are made along its axis");
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// The target, if what is asked of it means anything there.
tl::expected<Target, std::string> targetOf(const KernelVariant &variant) {
  auto target = parseTarget(variant.target);
  if (target && variant.tf32 && target->device == Target::Device::None)
    return tl::unexpected<std::string>("tf32 is what a device multiplies: --target=cuda, or cuda:sm_90a and its like");
  if (target && variant.tf32 && variant.real == DType::F64)
    return tl::unexpected<std::string>("there are no products of f32 to round to tf32: reals are f64");
  return target;
}

std::string soname(const Definition &definition) { return fmt::format("lib{}.so", kernelSymbol(definition.name)); }

} // namespace

tl::expected<std::string, std::string> buildArtefact(const Definition &definition, const KernelVariant &variant,
                                                     Artefact artefact, const SourceManager *sources) {
  auto target = targetOf(variant);
  if (!target)
    return tl::unexpected(target.error());
  if (artefact == Artefact::Streams)
    return streamsOf(definition, variant, *target, sources);
  Lowering lowering;
  if (auto lowered = lowering.run(definition, variant, artefact, *target, sources); !lowered)
    return tl::unexpected(lowered.error());
  bool device = target->device != Target::Device::None;
  if (!device && (artefact == Artefact::Gpu || artefact == Artefact::Ptx || artefact == Artefact::Cubin))
    return tl::unexpected<std::string>("this is for a device: --target=cuda, or cuda:sm_90a and its like");
  if (device && artefact != Artefact::Dialect && artefact != Artefact::Linalg && artefact != Artefact::Gpu)
    return deviceArtefact(*lowering.module, definition, variant, *target, artefact);
  CodegenOptions options = codegenOptions(definition, variant, *target);
  switch (artefact) {
  case Artefact::Dialect:
  case Artefact::Linalg:
  case Artefact::Gpu:
    return lowering.text(sources != nullptr);
  case Artefact::Llvm:
    return emitCode(*lowering.module, options, Emit::Llvm);
  case Artefact::Assembly:
    return emitCode(*lowering.module, options, Emit::Assembly);
  case Artefact::Object:
    return emitCode(*lowering.module, options, Emit::Object);
  case Artefact::Shared:
  case Artefact::Ptx:
  case Artefact::Cubin:
  case Artefact::Header:
  case Artefact::Streams:
    break;
  }
  auto object = emitCode(*lowering.module, options, Emit::Object);
  if (!object)
    return object;
  return linkShared(*object, *target, soname(definition));
}

tl::expected<std::string, std::string> buildKernel(const Definition &definition, const KernelVariant &variant,
                                                   CompileTimes &times) {
  auto target = targetOf(variant);
  if (!target)
    return tl::unexpected(target.error());
  if (auto runs = runsHere(*target); !runs)
    return tl::unexpected(runs.error());
  Stopwatch watch;
  Lowering lowering;
  if (auto lowered = lowering.run(definition, variant, Artefact::Shared, *target, nullptr); !lowered)
    return tl::unexpected(lowered.error());
  times.lower = watch.lap();
  if (target->device != Target::Device::None) {
    auto shared = deviceArtefact(*lowering.module, definition, variant, *target, Artefact::Shared);
    times.codegen = watch.lap();
    return shared;
  }
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
