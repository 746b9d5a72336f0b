#pragma once
#include <cstddef>
#include <sys/resource.h>

namespace attnc {

/// While it lives, the process is given at most `bytes` more address space than it has, beside what threads need to
/// start: what asks for more is refused.
class MemoryLimit {
public:
  explicit MemoryLimit(std::size_t bytes);
  ~MemoryLimit();
  MemoryLimit(const MemoryLimit &) = delete;
  MemoryLimit &operator=(const MemoryLimit &) = delete;

private:
  rlimit before{};
  bool changed = false;
};

} // namespace attnc
