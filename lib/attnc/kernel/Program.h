#pragma once
#include "attnc/gpu/Gpu.h"
#include "attnc/kernel/Abi.h"
#include "attnc/kernel/Target.h"

#include <string_view>

namespace llvm {
class Module;
}

namespace attnc {

/// A definition for a device: what becomes an `attnc_program` (launch/Program.h).
struct DeviceProgram {
  KernelAbi abi;
  Plan plan;
  Target::Device device;
  std::string ptx, cubin; // of CUDA; either may be missing
};

/// Adds the program to a host's module, and its functions:
///
///     int32_t NAME(const attnc_tensor *array…, int64_t size…, void *stream)
///     int32_t NAME_packed(void **slots)    the addresses of arrays of this machine, then the sizes
///     const char *NAME_error(void)         what went wrong last in this thread
///
/// For the emulated device the module holds each kernel as `KERNEL_packed`.
void addProgram(llvm::Module &module, const DeviceProgram &program);

/// The object that those functions call: launch/, compiled with this program.
std::string_view launchObject();

} // namespace attnc
