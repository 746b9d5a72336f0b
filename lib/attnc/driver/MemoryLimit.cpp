#include "attnc/driver/MemoryLimit.h"

#include <fstream>
#include <thread>
#include <unistd.h>

namespace attnc {

#ifdef __SANITIZE_ADDRESS__
static constexpr bool usable = false; // the sanitizer's shadow takes terabytes of addresses
#else
static constexpr bool usable = true;
#endif

/// Addresses, not memory: a stack and an arena of the allocator for each.
static rlim_t threadsNeed() { return rlim_t(std::thread::hardware_concurrency() + 1) * (rlim_t(160) << 20); }

MemoryLimit::MemoryLimit(std::size_t bytes) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  if (!usable || pages == 0 || ::getrlimit(RLIMIT_AS, &before) != 0)
    return;
  rlim_t wanted = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes + threadsNeed();
  if (wanted < bytes || (before.rlim_cur != RLIM_INFINITY && before.rlim_cur <= wanted))
    return;
  rlimit limit{wanted, before.rlim_max};
  changed = ::setrlimit(RLIMIT_AS, &limit) == 0;
}

MemoryLimit::~MemoryLimit() {
  if (changed)
    ::setrlimit(RLIMIT_AS, &before);
}

} // namespace attnc
