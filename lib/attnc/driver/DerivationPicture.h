#pragma once
#include "attnc/prove/Replay.h"
#include "attnc/render/Render.h"

namespace attnc {

/// A derivation that was replayed, as a row of its diagrams: what the next step replaces is marked, and its rule and
/// the rule's kind stand along the arrow. Named boxes are open, as rewriting sees them.
tl::expected<render::Picture, std::string> derivationPicture(const Derivation &derivation, const Replay &replay,
                                                             const render::DrawOptions &options);
/// The same for Graphviz.
tl::expected<std::string, std::string> derivationDot(const Derivation &derivation, const Replay &replay,
                                                     const render::DrawOptions &options);

} // namespace attnc
