#include "attnc/kernel/Device.h"

#include "attnc/gpu/Gpu.h"
#include "attnc/kernel/Link.h"
#include "attnc/kernel/ObjectCode.h"
#include "attnc/kernel/Program.h"
#include "attnc/kernel/Ptxas.h"

#include <fmt/format.h>
#include <mlir/IR/BuiltinOps.h>

namespace attnc {

namespace {

CodegenOptions kernelOptions(const Plan &plan, const KernelVariant &variant, const Target &target) {
  CodegenOptions options;
  options.target = target;
  options.level = variant.level;
  options.exported = plan.kernels;
  return options;
}

/// The shared object: on CUDA the host's program with PTX, and cubin where it can be made; emulated, with the kernels
/// beside it.
tl::expected<std::string, std::string> shared(mlir::ModuleOp launches, const Definition &definition,
                                              const KernelVariant &variant, const Target &target, Plan plan) {
  DeviceProgram program{abiOf(definition, variant.real, variant.sizes), std::move(plan), target.device, {}, {}};
  CodegenOptions options = kernelOptions(program.plan, variant, target);
  mlir::OwningOpRef<mlir::ModuleOp> host;
  if (target.device == Target::Device::Emulated) {
    auto kernels = kernelsForHost(launches);
    if (!kernels)
      return tl::unexpected(kernels.error());
    host = std::move(*kernels);
    options.packed = true;
  } else {
    auto kernels = kernelsForDevice(launches);
    if (!kernels)
      return tl::unexpected(kernels.error());
    auto ptx = emitCode(**kernels, options, Emit::Assembly);
    if (!ptx)
      return ptx;
    program.ptx = std::move(*ptx);
    if (findPtxas()) {
      auto cubin = assemblePtx(program.ptx, target.level);
      if (!cubin)
        return cubin;
      program.cubin = std::move(*cubin);
    }
    host = mlir::ModuleOp::create(launches.getLoc());
    options.exported.clear();
    options.target = parseTarget("native").value();
  }
  options.program = &program;
  auto object = emitCode(*host, options, Emit::Object);
  if (!object)
    return object;
  return linkShared(*object, options.target, fmt::format("lib{}.so", program.abi.symbol), launchObject());
}

} // namespace

tl::expected<std::string, std::string> deviceArtefact(mlir::ModuleOp launches, const Definition &definition,
                                                      const KernelVariant &variant, const Target &target,
                                                      Artefact artefact) {
  auto plan = planOf(launches);
  if (!plan)
    return tl::unexpected(plan.error());
  if (artefact == Artefact::Shared)
    return shared(launches, definition, variant, target, std::move(*plan));
  if (target.device != Target::Device::Cuda)
    return tl::unexpected<std::string>("the emulated device has shared objects alone (so)");
  auto kernels = kernelsForDevice(launches);
  if (!kernels)
    return tl::unexpected(kernels.error());
  CodegenOptions options = kernelOptions(*plan, variant, target);
  switch (artefact) {
  case Artefact::Llvm:
    return emitCode(**kernels, options, Emit::Llvm);
  case Artefact::Assembly:
  case Artefact::Ptx:
    return emitCode(**kernels, options, Emit::Assembly);
  case Artefact::Cubin: {
    auto ptx = emitCode(**kernels, options, Emit::Assembly);
    return ptx ? assemblePtx(*ptx, target.level) : ptx;
  }
  default:
    return tl::unexpected<std::string>("device code is no object by itself; a cubin is, and a shared object holds it");
  }
}

} // namespace attnc
