#pragma once
#include "attnc/driver/Session.h"
#include "attnc/recombine/Generators.h"

namespace attnc {

/// The generators of a file that has been read, in order, and a home for what is made from them. What is wrong is
/// reported; an equation whose sides differ on random arrays is.
struct GeneratorsFile {
  recombine::Home home;
  std::vector<recombine::Generators> all;

  GeneratorsFile(Session &session, FileId file);
  /// The named ones, or the last; null, and reported, when there are none.
  const recombine::Generators *select(Session &session, const std::string &file, const std::string &name) const;
};

} // namespace attnc
