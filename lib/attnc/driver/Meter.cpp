#include "attnc/driver/Meter.h"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace attnc {

void Meter::show(std::size_t diagrams, std::size_t done, std::size_t parts, double elapsed, std::string_view meaning) {
  const double every = console.colour ? 0.2 : 5.0;
  begun = std::min(begun, done); // what an earlier run did
  if (elapsed < last + every || (done == parts && last == 0))
    return;
  last = elapsed;
  const double rate = double(diagrams) / elapsed, now = double(done - begun);
  std::string left = now > 0 ? fmt::format(", about {:.0f} s left", elapsed / now * double(parts - done)) : "";
  console.err << fmt::format("{}{} diagrams, {:.3g} a second, {} of {} {}{}{}", console.colour ? "\r\x1b[K" : "",
                             diagrams, rate, done, parts, meaning, left, console.colour ? "" : "\n")
              << std::flush;
}

Meter::~Meter() {
  if (console.colour && last > 0)
    console.err << "\r\x1b[K";
}

} // namespace attnc
