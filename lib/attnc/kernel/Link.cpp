#include "attnc/kernel/Link.h"

#include "attnc/kernel/Loader.h"
#include "attnc/kernel/WorkDirectory.h"
#include "attnc/support/File.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <lld/Common/Driver.h>
#include <llvm/Object/ELFObjectFile.h>
#include <mutex>

LLD_HAS_DRIVER(elf)

namespace attnc {

namespace {
namespace fs = std::filesystem;

tl::expected<void, std::string> runLinker(const std::vector<std::string> &arguments) {
  static std::mutex once; // the linker keeps its state in globals
  std::lock_guard lock(once);
  std::vector<const char *> words;
  for (const std::string &argument : arguments)
    words.push_back(argument.c_str());
  std::string text;
  llvm::raw_string_ostream messages(text);
  lld::Result result = lld::lldMain(words, messages, messages, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return {};
  return tl::unexpected(fmt::format("the linker failed: {}", text.substr(0, text.find_last_not_of('\n') + 1)));
}

/// Whether the object calls OpenMP's runtime.
tl::expected<bool, std::string> callsOpenMp(std::string_view object) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "object"));
  if (!file)
    return tl::unexpected(fmt::format("not an object: {}", llvm::toString(file.takeError())));
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return tl::unexpected(llvm::toString(name.takeError()));
    if (name->starts_with("__kmpc_") || name->starts_with("omp_"))
      return true;
  }
  return false;
}
} // namespace

tl::expected<std::string, std::string> linkShared(std::string_view object, const Target &target,
                                                  const std::string &name, std::string_view more) {
  auto parallel = callsOpenMp(object);
  if (!parallel)
    return tl::unexpected(parallel.error());
  auto directory = WorkDirectory::make("attnc-link");
  if (!directory)
    return tl::unexpected(directory.error());
  fs::path input = directory->path / "kernel.o", output = directory->path / "kernel.so";
  if (auto written = writeFile(input, object); !written)
    return tl::unexpected(written.error());

  std::vector<std::string> common = {
      "ld.lld", "-shared", "-m", target.triple.starts_with("aarch64") ? "aarch64linux" : "elf_x86_64", "--threads=1"};
  std::vector<std::string> arguments = common;
  for (const char *word :
       {"--hash-style=gnu", "--eh-frame-hdr", "--gc-sections", "-z", "noexecstack", "-z", "now", "--build-id=none"})
    arguments.push_back(word);
  arguments.insert(arguments.end(), {"-soname", name, "-o", output, input});
  if (!more.empty()) {
    arguments.push_back(directory->path / "more.o");
    if (auto written = writeFile(arguments.back(), more); !written)
      return tl::unexpected(written.error());
  }
  std::vector<std::string> needed = {"libm.so.6", "libc.so.6"};
  if (*parallel)
    needed.push_back("libomp.so.5");
  if (!more.empty()) // variables of a thread are the loader's
    needed.push_back(target.triple.starts_with("aarch64") ? "ld-linux-aarch64.so.1" : "ld-linux-x86-64.so.2");
  if (target.isHostArchitecture()) {
    arguments.insert(arguments.end(), {"--no-undefined", "--as-needed"});
    for (const std::string &library : needed) {
      auto path = systemLibrary(library);
      if (!path)
        return tl::unexpected(path.error());
      arguments.push_back(*path);
    }
  } else {
    // Nothing to link against: an empty shared object with the right soname stands for each library.
    fs::path empty = directory->path / "empty";
    if (auto written = writeFile(empty, ""); !written)
      return tl::unexpected(written.error());
    for (const std::string &library : needed) {
      std::vector<std::string> stub = common;
      stub.insert(stub.end(), {"-soname", library, "-o", directory->path / library, "-b", "binary", empty});
      if (auto made = runLinker(stub); !made)
        return tl::unexpected(made.error());
      arguments.push_back(directory->path / library);
    }
  }
  if (auto linked = runLinker(arguments); !linked)
    return tl::unexpected(linked.error());
  return readFile(output);
}

} // namespace attnc
