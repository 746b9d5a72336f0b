#pragma once
#include "attnc/prove/Search.h"

namespace attnc {

/// A mechanism that is known: a definition of the library, by its form.
struct Known {
  std::string name, file;
  std::shared_ptr<const Definition> definition;
};

/// What grew: from each root in turn, breadth-first; a root that was reached from another grows on from there. Two
/// nodes are never one morphism.
struct Growth {
  struct Node {
    Definition definition;
    Hash128 form;
    std::size_t taxonomy, depth;       // by which it was reached first, in how many steps from a root above all
    std::optional<std::size_t> parent; // by which it was reached first
    Move move;                         // from the parent
    std::vector<std::size_t> known;    // of the library: equal to it
  };
  struct Edge {
    std::size_t from, to;
    Move move;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<std::size_t> roots; // nodes, by taxonomy
  std::string ended;              // why it stopped before nothing new was found; empty if it did not

  /// The moves from the root above.
  std::vector<Move> derivation(std::size_t node) const;
};

struct GrowOptions {
  std::size_t maxDepth = 8;
  std::size_t maxNodes = 20000;
  std::function<void(std::size_t nodes, std::size_t named, std::size_t depth)> progress;
};

/// Every diagram that the theories make of their roots within the bounds, deduplicated by canonical form, each named by
/// what it equals in the library.
Growth grow(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies, const std::vector<Known> &library,
            const GrowOptions &options = {});

} // namespace attnc
