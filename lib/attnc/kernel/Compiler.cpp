#include "attnc/kernel/Compiler.h"

#include "attnc/kernel/BuildId.h"
#include "attnc/kernel/Header.h"
#include "attnc/kernel/Stopwatch.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace attnc {

namespace fs = std::filesystem;

fs::path compilerPath() {
  std::error_code error;
  fs::path installed =
      fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "lib/attnc/libattnc_compiler.so";
  return !error && fs::exists(installed, error) ? installed : fs::path(ATTNC_COMPILER_PATH);
}

std::string compilerIdentity() {
  std::string identity;
  for (const fs::path &library : {compilerPath(), fs::path(ATTNC_MLIR_PATH), fs::path(ATTNC_LLVM_PATH)}) {
    std::optional<std::string> id = buildIdOf(library);
    if (!id)
      return {};
    identity += *id + ' ';
  }
  return identity;
}

/// Loaded once, and kept: MLIR does not survive being unloaded.
static tl::expected<const CompilerInterface *, std::string> compiler() {
  static const tl::expected<const CompilerInterface *, std::string> loaded =
      []() -> tl::expected<const CompilerInterface *, std::string> {
    fs::path path = compilerPath();
    void *library = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
      return tl::unexpected(fmt::format("the compiler cannot be loaded: {}", ::dlerror()));
    auto entry = reinterpret_cast<CompilerEntry *>(::dlsym(library, compilerEntry));
    if (!entry)
      return tl::unexpected(fmt::format("{} is not attnc's compiler", path.string()));
    return entry();
  }();
  return loaded;
}

tl::expected<std::string, std::string> makeArtefact(const Definition &definition, const KernelVariant &variant,
                                                    Artefact artefact, const SourceManager *sources) {
  if (artefact == Artefact::Header)
    return headerText(definition, variant.real, variant.sizes, variant.target.starts_with("cuda"));
  auto loaded = compiler();
  if (!loaded)
    return tl::unexpected(loaded.error());
  return (*loaded)->artefact(definition, variant, artefact, sources);
}

tl::expected<std::string, std::string> compileKernel(const Definition &definition, const KernelVariant &variant,
                                                     CompileTimes &times) {
  Stopwatch watch;
  auto loaded = compiler();
  if (!loaded)
    return tl::unexpected(loaded.error());
  times.start = watch.lap();
  return (*loaded)->kernel(definition, variant, times);
}

} // namespace attnc
