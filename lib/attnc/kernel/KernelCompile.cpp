#include "attnc/kernel/Kernel.h"

#include "attnc/kernel/Cache.h"
#include "attnc/kernel/Compile.h"
#include "attnc/kernel/Stopwatch.h"

namespace attnc {

tl::expected<Kernel, std::string> Kernel::compile(const Definition &definition, const KernelOptions &options) {
  Stopwatch watch;
  KernelVariant variant{options.real, options.sizes, options.target, options.level, options.tf32};
  std::optional<ObjectCache> cache;
  std::optional<Hash128> key;
  if (options.useCache) {
    cache = ObjectCache::ofUser(options.cacheDirectory);
    key = kernelKey(definition, variant);
  }
  KernelTimes times;
  std::optional<std::string> stored;
  if (cache && key)
    stored = cache->load(*key);
  times.key = watch.lap();
  if (stored) {
    times.cached = true;
    // An entry of the right key that still does not load is compiled again.
    if (auto kernel = load(definition, options, *stored, times))
      return kernel;
    times.cached = false;
  }

  CompileTimes steps;
  auto object = compileKernel(definition, variant, steps);
  if (!object)
    return tl::unexpected(object.error());
  times.start = steps.start;
  times.lower = steps.lower;
  times.codegen = steps.codegen;
  times.link = steps.link;
  if (cache && key)
    cache->store(*key, *object);
  return load(definition, options, *object, times);
}

} // namespace attnc
