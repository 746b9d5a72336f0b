#pragma once
#include "attnc/arrays/Array.h"
#include "attnc/diagram/Diagram.h"

#include <filesystem>
#include <memory>
#include <span>
#include <tl/expected.hpp>

namespace attnc {

struct KernelOptions {
  DType real = DType::F32;       // F32, F64 or BF16
  Size::Values sizes;            // compiled in; the others are arguments of the kernel
  std::string target = "native"; // Target.h says what can stand here
  unsigned level = 2;            // of LLVM's optimisation pipeline
  unsigned threads = 0;          // 0: as many as OpenMP finds
  bool useCache = true;
  bool tf32 = false;                                   // a device may round factors of f32 to tf32
  std::optional<std::filesystem::path> cacheDirectory; // none: the user's (Cache.h)
};

/// Seconds, of each step that was taken; `start` is the loading of the compiler.
struct KernelTimes {
  double key = 0, start = 0, lower = 0, codegen = 0, link = 0, load = 0;
  bool cached = false;
  double compile() const { return start + lower + codegen + link; }
};

struct KernelRun {
  std::vector<Array> outputs; // in the order of the diagram, in the kernel's dtypes
  double seconds = 0;         // in the kernel itself, conversions left out
};

/// A definition as machine code in this process. Found in the cache on disk, it is loaded without a compiler being
/// started. A value: copies share the code.
class Kernel {
public:
  /// Errors, in lower case: a hole that is not filled, what the compiler refuses, a target that is not this machine.
  static tl::expected<Kernel, std::string> compile(const Definition &definition, const KernelOptions &options);

  /// A kernel whose shared object, with packed entry (ObjectCode.h), exists already. The bytes are executed.
  static tl::expected<Kernel, std::string> load(const Definition &definition, const KernelOptions &options,
                                                std::string_view object, KernelTimes times = {});

  /// Runs it on arrays of any dtype, converted to the kernel's, of exactly the shapes that `sizes` gives; inputs in the
  /// order of the diagram, parameters in that of `parametersOf`. Sizes that
  /// are compiled in must agree; the conditions and inner axes of the definition are the caller's to check
  /// (`bindArrays`). Every output is filled with NaN or 0x7f bytes before, so that an element left out is seen.
  tl::expected<KernelRun, std::string> run(const Size::Values &sizes, std::span<const Array> inputs,
                                           std::span<const Array> parameters) const;

  const KernelTimes &times() const;

private:
  struct Impl;
  std::shared_ptr<const Impl> impl;
};

} // namespace attnc
