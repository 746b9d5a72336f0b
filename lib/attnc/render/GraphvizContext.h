#pragma once
#include <gvc.h>

namespace attnc::render {

/// Graphviz's context: one, which stays until the process ends. Its plugin for texts (pango) remembers the name of the
/// font that it saw last and compares it with the next, also when the context that held it is gone.
inline GVC_t *graphvizContext() {
  static GVC_t *const context = gvContext();
  return context;
}

} // namespace attnc::render
