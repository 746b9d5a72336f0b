#include "attnc/kernel/Kernel.h"

#include "attnc/diagram/Parameters.h"
#include "attnc/kernel/Loader.h"
#include "attnc/kernel/Marshal.h"
#include "attnc/kernel/Stopwatch.h"
#include "attnc/kernel/TileState.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace attnc {

struct Kernel::Impl {
  KernelAbi abi;
  Size::Values sizes;
  unsigned threads;
  KernelTimes times;
  LoadedObject object;
  std::int32_t (*entry)(void **);
  const char *(*error)(); // of a kernel for a device
};

const KernelTimes &Kernel::times() const { return impl->times; }

tl::expected<Kernel, std::string> Kernel::load(const Definition &definition, const KernelOptions &options,
                                               std::string_view object, KernelTimes times) {
  Stopwatch watch;
  auto loaded = LoadedObject::load(object);
  if (!loaded)
    return tl::unexpected(loaded.error());
  auto impl = std::make_shared<Impl>();
  impl->abi = abiOf(definition, options.real, options.sizes);
  impl->sizes = options.sizes;
  impl->threads = options.threads;
  impl->object = std::move(*loaded);
  std::string symbol = impl->abi.symbol + std::string(packedSuffix);
  impl->entry = reinterpret_cast<std::int32_t (*)(void **)>(impl->object.symbol(symbol));
  if (!impl->entry)
    return tl::unexpected(fmt::format("the kernel does not define `{}`", symbol));
  impl->error = reinterpret_cast<const char *(*)()>(impl->object.symbol(impl->abi.symbol + "_error"));
  impl->times = times;
  impl->times.load = watch.lap();
  Kernel kernel;
  kernel.impl = std::move(impl);
  return kernel;
}

static tl::expected<void, std::string> checkCount(std::string_view what, std::size_t expected, std::size_t given) {
  if (expected == given)
    return {};
  return tl::unexpected(fmt::format("the kernel takes {} {}, {} given", expected, what, given));
}

tl::expected<KernelRun, std::string> Kernel::run(const Size::Values &sizes, std::span<const Array> inputs,
                                                 std::span<const Array> parameters) const {
  using Role = KernelArgument::Role;
  auto countOf = [&](Role role) {
    return std::size_t(std::ranges::count(impl->abi.arguments, role, &KernelArgument::role));
  };
  if (auto right = checkCount("inputs", countOf(Role::Input), inputs.size()); !right)
    return tl::unexpected(right.error());
  if (auto right = checkCount("parameters", countOf(Role::Parameter), parameters.size()); !right)
    return tl::unexpected(right.error());
  for (const auto &[name, value] : impl->sizes)
    if (auto given = sizes.find(name); given != sizes.end() && given->second != value)
      return tl::unexpected(fmt::format("the kernel was compiled for {} = {}, not {}", name, value, given->second));
  Size::Values bound = sizes;
  bound.insert(impl->sizes.begin(), impl->sizes.end());

  std::vector<Array> held; // what is converted lives until the kernel returns
  KernelRun result;
  std::vector<void *> slots;
  for (const KernelArgument &argument : impl->abi.arguments) {
    if (argument.role == Role::SizeValue) {
      auto value = bound.find(argument.name);
      if (value == bound.end())
        return tl::unexpected(fmt::format("the size {} has no value", argument.name));
      slots.push_back(std::bit_cast<void *>(value->second));
    } else if (argument.role == Role::Output) {
      auto array = poisonedArray(argument, bound);
      if (!array)
        return tl::unexpected(array.error());
      slots.push_back(array->mutableData());
      result.outputs.push_back(std::move(*array));
    } else {
      std::span<const Array> &rest = argument.role == Role::Input ? inputs : parameters;
      auto array = argumentArray(argument, rest.front(), bound);
      if (!array)
        return tl::unexpected(array.error());
      rest = rest.subspan(1);
      slots.push_back(const_cast<std::byte *>(array->data()));
      held.push_back(std::move(*array));
    }
  }
  useThreads(impl->threads);
  Stopwatch watch;
  std::int32_t status = impl->entry(slots.data());
  result.seconds = watch.lap();
  if (status != 0 && impl->error)
    return tl::unexpected<std::string>(impl->error());
  if (status == 1)
    return tl::unexpected<std::string>("there is not enough memory for its scratch arrays");
  if (status == tilesRefused)
    return tl::unexpected<std::string>("the system does not let this process use tile registers (AMX)");
  if (status != 0)
    return tl::unexpected(fmt::format("the kernel returned {}", status));
  return result;
}

} // namespace attnc
