#pragma once
#include "attnc/prove/Search.h"

#include <chrono>
#include <filesystem>

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

struct GrowProgress {
  std::size_t nodes, done, known; // reached; rewritten, of those that are known to be rewritten in this taxonomy
  std::chrono::duration<double> elapsed;
};

struct GrowOptions {
  std::size_t maxDepth = 8;
  std::size_t maxNodes = 20000;
  unsigned threads = 0; // 0: as many as there are cores
  /// A file that lists what each node was rewritten to (support/StateFile.h). What is there is not searched for again,
  /// whatever the bounds were.
  std::filesystem::path state;
  std::function<void(const GrowProgress &)> progress; // called now and then from the calling thread
};

/// Every diagram that the theories make of their roots within the bounds, deduplicated by canonical form, each named by
/// what it equals in the library. Nodes are rewritten by all threads and put together in order, so that the result
/// depends on neither. The error says what was done when the bound on nodes is reached, or what is wrong with the state
/// file.
tl::expected<Growth, std::string> grow(const std::vector<std::shared_ptr<const Taxonomy>> &taxonomies,
                                       const std::vector<Known> &library, const GrowOptions &options = {});

} // namespace attnc
