#include "attnc/kernel/Loader.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace attnc {

// Where packages put it when it is not on the loader's path.
static constexpr const char *ompPaths[] = {"libomp.so.5", "/usr/lib/llvm-22/lib/libomp.so.5"};
static constexpr const char *ompName = "libomp.so.5";

static void *openLibrary(const std::string &soname) {
  if (soname != ompName)
    return ::dlopen(soname.c_str(), RTLD_LAZY);
  // Threads stay where they are, unless the user says otherwise: read once, when the library is loaded.
  ::setenv("OMP_PROC_BIND", "close", 0);
  ::setenv("OMP_PLACES", "cores", 0);
  for (const char *path : ompPaths)
    if (void *library = ::dlopen(path, RTLD_LAZY | RTLD_GLOBAL))
      return library;
  return nullptr;
}

tl::expected<std::string, std::string> systemLibrary(const std::string &soname) {
  void *library = openLibrary(soname);
  link_map *map = nullptr;
  if (!library || ::dlinfo(library, RTLD_DI_LINKMAP, static_cast<void *>(&map)) != 0 || !map)
    return tl::unexpected(
        fmt::format("{} is not installed{}", soname, soname == ompName ? " (package libomp-22-dev)" : ""));
  return std::string(map->l_name);
}

struct LoadedObject::Handle {
  int file = -1;
  void *library = nullptr;
  Handle() = default;
  Handle(const Handle &) = delete;
  ~Handle() {
    if (library)
      ::dlclose(library);
    // The loader knows objects by path, and this path by the number of the file: it must not be
    // given to another file while the object is loaded.
    if (file >= 0)
      ::close(file);
  }
};

tl::expected<LoadedObject, std::string> LoadedObject::load(std::string_view bytes) {
  auto handle = std::make_shared<Handle>();
  handle->file = ::memfd_create("attnc-kernel", MFD_CLOEXEC);
  if (handle->file < 0)
    return tl::unexpected<std::string>("no anonymous file can be made for the kernel");
  for (std::string_view rest = bytes; !rest.empty();) {
    ssize_t count = ::write(handle->file, rest.data(), rest.size());
    if (count <= 0)
      return tl::unexpected<std::string>("no memory for the kernel");
    rest.remove_prefix(count);
  }
  // Already in the process under this name, it satisfies the kernel's need wherever it was installed.
  if (bytes.find(ompName) != std::string_view::npos)
    if (auto omp = systemLibrary(ompName); !omp)
      return tl::unexpected(omp.error());
  handle->library = ::dlopen(fmt::format("/proc/self/fd/{}", handle->file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle->library)
    return tl::unexpected(fmt::format("the kernel cannot be loaded: {}", ::dlerror()));
  LoadedObject object;
  object.handle = std::move(handle);
  return object;
}

void *LoadedObject::symbol(const std::string &name) const { return ::dlsym(handle->library, name.c_str()); }

void useThreads(unsigned count) {
  if (count == 0)
    return;
  if (void *omp = ::dlopen(ompName, RTLD_LAZY | RTLD_NOLOAD)) {
    if (auto set = reinterpret_cast<void (*)(int)>(::dlsym(omp, "omp_set_num_threads")))
      set(int(count));
    ::dlclose(omp);
  }
}

} // namespace attnc
