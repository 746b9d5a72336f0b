#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace attnc {

/// A shared object in this process, loaded from bytes by the system's own loader: no compiler is touched, and
/// debuggers and profilers see its symbols. It stays loaded while a copy of this value lives.
class LoadedObject {
public:
  /// The bytes are copied into an anonymous file. They are executed: they must be trusted.
  static tl::expected<LoadedObject, std::string> load(std::string_view bytes);

  /// The address of a function, or null.
  void *symbol(const std::string &name) const;

private:
  struct Handle;
  std::shared_ptr<const Handle> handle;
};

/// The path of a library of the system by its soname, e.g. "libm.so.6", which is loaded if it was not.
tl::expected<std::string, std::string> systemLibrary(const std::string &soname);

/// How many threads the kernels called from this thread use; 0 leaves it as it is. Does nothing while
/// no kernel that uses OpenMP is loaded.
void useThreads(unsigned count);

} // namespace attnc
