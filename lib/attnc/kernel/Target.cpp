#include "attnc/kernel/Target.h"

#include "attnc/kernel/Backend.h"
#include "attnc/kernel/TileState.h"
#include "attnc/support/Diagnostics.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>
#include <memory>

namespace attnc {

static constexpr std::string_view x86Triple = "x86_64-unknown-linux-gnu";
static constexpr std::string_view armTriple = "aarch64-unknown-linux-gnu";
static constexpr std::string_view cudaTriple = "nvptx64-nvidia-cuda";
// LLVM's AVX-512 tunings default to half the vector width.
static constexpr std::string_view fullWidth = "-prefer-256-bit";

static void addFeature(std::string &list, std::string_view feature) {
  if (!list.empty())
    list += ',';
  list += feature;
}

/// The highest psABI level all of whose features are present.
static std::string_view x86Level(const llvm::StringMap<bool> &features) {
  auto all = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::all_of(names, [&](std::string_view name) { return features.lookup(name); });
  };
  if (!all({"cx16", "sahf", "popcnt", "sse3", "ssse3", "sse4.1", "sse4.2"}))
    return "x86-64";
  if (!all({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"}))
    return "x86-64-v2";
  return all({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4" : "x86-64-v3";
}

static Target nativeTarget() {
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  if (present.lookup("amx-tile") && !tilesAllowed())
    for (auto &feature : present)
      if (feature.getKey().starts_with("amx-"))
        feature.second = false;
  Target target;
  target.triple = llvm::Triple(llvm::sys::getProcessTriple()).isAArch64() ? armTriple : x86Triple;
  target.level = target.triple == armTriple ? "generic" : x86Level(present);
  std::vector<std::string> names;
  for (const auto &feature : present)
    if (feature.getValue())
      names.push_back("+" + feature.getKey().str());
  std::ranges::sort(names);
  for (const std::string &name : names)
    addFeature(target.features, name);
  if (target.hasWideVectors())
    addFeature(target.features, fullWidth);
  return target;
}

std::string Target::key() const {
  return fmt::format("{}/{}/{}/{}/{}/{}", triple, level, features, unsigned(pairs), emulatesTiles, emulated);
}

Machine Target::machine() const {
  if (triple == armTriple)
    return {128, 32};
  if (pairs != Machine::Pairs::None) // tile registers are sixteen words wide
    return {512, 32, pairs, emulatesTiles};
  if (hasWideVectors())
    return {512, 32};
  return hasFusedMultiply() ? Machine{256, 16} : Machine{128, 16};
}

bool Target::isHostArchitecture() const {
  return llvm::Triple(triple).getArch() == llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

bool Target::hasWideVectors() const { return level == "x86-64-v4" || features.find("+avx512f") != std::string::npos; }

bool Target::hasFusedMultiply() const {
  return level == "x86-64-v3" || level == "x86-64-v4" || features.find("+fma") != std::string::npos;
}

/// Takes a feature of attnc's own; false where it is none.
static bool takeOwn(Target &target, std::string_view feature) {
  if (target.triple != x86Triple)
    return false;
  if (feature == "bf16-dot") {
    addFeature(target.features, "+avx512bf16");
    target.pairs = Machine::Pairs::Dot;
  } else if (feature == "amx-emulated") {
    target.pairs = Machine::Pairs::Tiles;
    target.emulatesTiles = true;
  } else {
    return false;
  }
  return true;
}

static tl::expected<void, std::string> checkFeature(const llvm::MCSubtargetInfo &machine, const std::string &feature,
                                                    std::string_view base) {
  std::vector<std::string> known;
  for (const llvm::SubtargetFeatureKV &entry : machine.getAllProcessorFeatures())
    known.push_back(entry.Key);
  if (std::ranges::find(known, feature) != known.end())
    return {};
  std::string message = fmt::format("target {} has no feature `{}`", base, feature);
  if (std::optional<std::string> near = nearest(feature, known))
    message += fmt::format("; did you mean `{}`?", *near);
  return tl::unexpected(message);
}

/// `cuda` or `cuda:ARCHITECTURE`. Kernels need what came with sm_80: maxima that keep NaN, and bfloat16.
static tl::expected<Target, std::string> cudaTarget(std::string_view text) {
  static constexpr std::string_view prefix = "cuda:";
  Target target{std::string(cudaTriple), "sm_80", "", Target::Device::Cuda};
  if (text.starts_with(prefix))
    target.level = text.substr(prefix.size());
  auto backend = backendFor(target);
  if (!backend)
    return tl::unexpected(backend.error());
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*backend)->createMCSubtargetInfo(llvm::Triple(target.triple), "sm_80", ""));
  std::vector<std::string> known;
  for (const llvm::SubtargetSubTypeKV &processor : info->getAllProcessorDescriptions())
    if (llvm::StringRef name = processor.Key; name.starts_with("sm_") && (name.size() > 5 || name >= "sm_80"))
      known.push_back(name.str());
  if (std::ranges::find(known, target.level) != known.end())
    return target;
  return tl::unexpected(
      fmt::format("unknown target `{}`; known are cuda and cuda: with {}", text, fmt::join(known, ", ")));
}

tl::expected<Target, std::string> parseTarget(std::string_view text) {
  if (text == "cuda" || text.starts_with("cuda:"))
    return cudaTarget(text);
  static constexpr std::string_view emulated = "cuda-emulated";
  if (text == emulated || text.starts_with(std::string(emulated) + ":")) {
    auto device = cudaTarget("cuda" + std::string(text.substr(emulated.size())));
    if (!device)
      return device;
    Target target = nativeTarget();
    target.device = Target::Device::Emulated;
    target.emulated = device->level;
    return target;
  }
  static constexpr std::string_view levels[] = {"native", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64"};
  std::string_view base = text.substr(0, text.find('+'));
  Target target;
  if (base == "native")
    target = nativeTarget();
  else if (base == "aarch64")
    target = {std::string(armTriple), "generic", ""};
  else if (std::ranges::find(levels, base) != std::end(levels))
    target = {std::string(x86Triple), std::string(base), ""};
  else
    return tl::unexpected(
        fmt::format("unknown target `{}`; known are {}, each with +FEATURE as in x86-64-v4+avx512bf16, "
                    "and cuda, cuda:sm_90a and their like, cuda-emulated",
                    text, fmt::join(levels, ", ")));
  if (base.size() < text.size()) {
    auto machine = backendFor(target);
    if (!machine)
      return tl::unexpected(machine.error());
    llvm::Triple triple(target.triple);
    std::unique_ptr<llvm::MCSubtargetInfo> info((*machine)->createMCSubtargetInfo(triple, target.level, ""));
    for (std::string_view rest = text.substr(base.size()); !rest.empty();) {
      rest.remove_prefix(1);
      std::string feature(rest.substr(0, rest.find('+')));
      rest.remove_prefix(feature.size());
      if (takeOwn(target, feature))
        continue;
      if (auto checked = checkFeature(*info, feature, base); !checked)
        return tl::unexpected(checked.error());
      addFeature(target.features, "+" + feature);
    }
  }
  if (target.hasWideVectors() && base != "native")
    addFeature(target.features, fullWidth);
  if (target.pairs == Machine::Pairs::None && target.features.find("+amx-bf16") != std::string::npos) {
    target.pairs = Machine::Pairs::Tiles;
    if (target.features.find("+avx512bf16") == std::string::npos) // every such processor rounds too
      addFeature(target.features, "+avx512bf16");
  }
  return target;
}

tl::expected<void, std::string> runsHere(const Target &target) {
  if (target.device == Target::Device::Cuda) // its driver says, when it is called
    return {};
  if (!target.isHostArchitecture())
    return tl::unexpected(fmt::format("code for {} cannot run on this machine", target.triple));
  auto backend = backendFor(target);
  if (!backend)
    return tl::unexpected(backend.error());
  llvm::Triple triple(target.triple);
  std::unique_ptr<llvm::MCSubtargetInfo> machine(
      (*backend)->createMCSubtargetInfo(triple, target.level, target.features));
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  for (const llvm::SubtargetFeatureKV &feature : machine->getEnabledProcessorFeatures())
    // A feature that the machine is not asked about is a way to tune the code.
    if (auto found = present.find(feature.Key); found != present.end() && !found->getValue())
      return tl::unexpected(fmt::format("this machine has no {}", feature.Key));
  return {};
}

} // namespace attnc
