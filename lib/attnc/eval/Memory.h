#pragma once
#include "attnc/eval/View.h"

#include <string>

namespace attnc::eval {

/// Where arrays come from, and the count of what is alive. In a *rehearsal* nothing is allocated or
/// computed: the same interpretation runs with views without data, and `peak` tells what it would need.
///
/// Invariant: `live` is the sum over arrays that some view still owns; outside a rehearsal it never passes
/// `limit`. An array may outlive its Memory.
class Memory {
public:
  explicit Memory(std::size_t limit) : limit(limit) {}
  Memory(const Memory &) = delete;

  /// An array that is not initialised, with a stride of 0 along the axes that do not vary. When it cannot
  /// be had, `error` says why and the view has no data.
  View allocate(Kind kind, const Extents &extents, const std::vector<bool> &varies);
  /// The same for an array that varies along every axis.
  View allocate(Kind kind, const Extents &extents);

  /// Kernels run only when this holds: no error, and not a rehearsal.
  bool active() const { return !rehearsing && error.empty(); }
  bool failed() const { return !error.empty(); }

  std::size_t live() const { return *count; }

  const std::size_t limit;
  std::size_t peak = 0;
  bool rehearsing = false;
  std::string error;

private:
  std::shared_ptr<std::size_t> count = std::make_shared<std::size_t>(0);
};

/// `3.2 GiB`, `512 bytes`; the largest number stands for what does not fit a number.
std::string bytesText(std::size_t bytes);

} // namespace attnc::eval
