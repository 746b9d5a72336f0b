#pragma once
#include "attnc/driver/Session.h"

#include <string_view>

namespace attnc {

/// Progress of a search on standard error, once it has taken a while: on a terminal a line that is written over, else a
/// line every five seconds.
class Meter {
public:
  explicit Meter(Console console) : console(console) {}
  Meter(const Meter &) = delete;
  ~Meter();

  /// Diagrams met in this run, parts that are done of those that are known, what this means, and seconds since the
  /// beginning.
  void show(std::size_t diagrams, std::size_t done, std::size_t parts, double elapsed, std::string_view meaning);

private:
  Console console;
  double last = 0;
  std::size_t begun = ~std::size_t(0);
};

} // namespace attnc
