#pragma once
#include "attnc/enumerate/Word.h"

#include <functional>

namespace attnc::enumerate {

/// Walks over all words of a presentation with one operation to `most`, depth first, each once, in memory
/// proportional to one word. At a symbol: a new operation of the sort that is needed, in the order of declaration;
/// one met before whose operands are all there, if its sort may be copied; an input of the sort.
class Enumerator {
public:
  Enumerator(const Presentation &presentation, unsigned most);
  Enumerator(Presentation &&, unsigned) = delete; // it keeps the reference

  /// The words that begin with `prefix`, itself the beginning of some word. `visit` sees this object at each; it
  /// returns false to end the walk.
  bool walk(const Word &prefix, const std::function<bool()> &visit);
  /// The beginnings of length `length` of all words, and all shorter words, in the order of the walk.
  std::vector<Word> prefixes(std::size_t length);

  // ---- The diagram at hand, for `visit`.
  const Word &word() const { return symbols; }
  unsigned operations() const { return nodes.size(); }
  /// Is it redundant by the criterion? Linear in the word, but for Through: quadratic.
  bool meets(const Presentation::Criterion &criterion) const;

private:
  struct Pending {
    bool closes;    // the operands of node `index` are all there
    unsigned index; // the node, or the sort that is needed
    unsigned place; // of the operand that is needed, in `operands`
  };
  struct Node {
    unsigned operation, sort, first, uses; // `first` of its operands
  };

  bool step();
  bool take(char symbol, const Pending &slot);
  bool open(unsigned operation, const Pending &slot);
  bool possible() const;
  bool factorsThrough(unsigned node) const;
  static constexpr int anInput = -1;

  const Presentation &presentation;
  const unsigned most;
  std::vector<std::vector<unsigned>> makers; // operations by codomain
  const Word *prefix = nullptr;
  std::size_t limit = 0; // of symbols; 0: none
  std::function<bool()> visit;

  Word symbols;
  std::vector<Pending> pending;
  std::vector<Node> nodes;
  std::vector<int> operands;             // of all nodes, one after the other: a node, or `anInput`
  std::vector<unsigned> complete;        // nodes that may be met again
  std::vector<unsigned> needed, present; // by sort: operands that wait, nodes
  std::vector<unsigned> inputUses;
};

} // namespace attnc::enumerate
