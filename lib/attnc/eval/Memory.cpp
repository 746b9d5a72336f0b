#include "attnc/eval/Memory.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <new>

namespace attnc::eval {

namespace {

constexpr std::size_t tooMany = std::numeric_limits<std::size_t>::max();

/// Gives back its share of the count when the last view of it dies.
struct Storage {
  std::shared_ptr<std::size_t> count;
  std::size_t bytes;
  std::unique_ptr<std::byte[]> data;

  ~Storage() { *count -= bytes; }
};

} // namespace

std::string bytesText(std::size_t bytes) {
  if (bytes == tooMany)
    return "more bytes than can be counted";
  constexpr const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double amount = static_cast<double>(bytes);
  unsigned unit = 0;
  for (; amount >= 1024 && unit < 6; ++unit)
    amount /= 1024;
  return fmt::format("{:.{}f} {}", amount, unit ? 1 : 0, units[unit]);
}

View Memory::allocate(Kind kind, const Extents &extents, const std::vector<bool> &varies) {
  View view;
  view.kind = kind;
  view.extents = extents;
  view.strides.assign(extents.size(), 0);
  std::int64_t stride = 1;
  bool overflow = false, empty = false;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    if (!varies[axis])
      continue;
    view.strides[axis] = stride;
    empty |= extents[axis] == 0;
    // An empty axis counts as one here, so that every axis that varies keeps a stride that says so.
    if (__builtin_mul_overflow(stride, std::max<std::int64_t>(extents[axis], 1), &stride)) {
      overflow = true;
      stride = 1;
    }
  }
  std::size_t bytes = 0, total = 0;
  if (empty)
    bytes = 0;
  else if (overflow || __builtin_mul_overflow(static_cast<std::size_t>(stride), elementSize(kind), &bytes))
    bytes = tooMany;
  if (__builtin_add_overflow(live(), bytes, &total))
    total = tooMany;
  if (rehearsing) {
    peak = std::max(peak, total);
    if (total == tooMany) // what cannot be counted is told by the peak, and not carried along
      bytes = 0;
  } else if (total > limit) {
    if (error.empty())
      error = fmt::format("it would need {} of memory, and the limit is {}", bytesText(total), bytesText(limit));
    return view;
  }
  std::unique_ptr<std::byte[]> data;
  if (!rehearsing) {
    data.reset(new (std::nothrow) std::byte[std::max<std::size_t>(bytes, 1)]);
    if (!data) {
      error = fmt::format("the system has not the {} of memory that it needs", bytesText(bytes));
      return view;
    }
  }
  *count += bytes;
  peak = std::max(peak, live());
  view.data = data.get();
  view.owner = std::make_shared<Storage>(count, bytes, std::move(data));
  return view;
}

View Memory::allocate(Kind kind, const Extents &extents) {
  return allocate(kind, extents, std::vector<bool>(extents.size(), true));
}

} // namespace attnc::eval
