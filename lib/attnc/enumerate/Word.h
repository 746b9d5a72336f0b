#pragma once
#include "attnc/enumerate/Presentation.h"

#include <optional>
#include <string>
#include <vector>

namespace attnc::enumerate {

/// A closed diagram as it is met walking back from its output, operand by operand: each operation when it is first
/// met, then its operands in order; each time it is met again, its number.
///
///     read(x, mem(#1 = read(x, mem(x, x)), #1))        read x mem read x mem x x #2
///
/// A diagram is a directed acyclic graph with ordered operands in which the output needs every operation, so the walk
/// is determined by it and determines it: two diagrams are equal exactly when their words are. The word is the
/// canonical form, and to enumerate words is to enumerate diagrams up to equality, each once.
///
/// One byte a symbol: input i is i, the operation met k-th is 64 + k when met again, operation g is 128 + g.
using Word = std::string;

enum class SymbolKind : std::uint8_t { Input, Again, Operation };
inline SymbolKind kindOf(char symbol) {
  const auto byte = static_cast<unsigned char>(symbol);
  return byte < 64 ? SymbolKind::Input : byte < 128 ? SymbolKind::Again : SymbolKind::Operation;
}
inline unsigned indexOf(char symbol) {
  const auto byte = static_cast<unsigned char>(symbol);
  return byte < 128 ? byte & 63 : byte - 128;
}
inline char inputSymbol(unsigned input) { return static_cast<char>(input); }
inline char againSymbol(unsigned node) { return static_cast<char>(64 + node); }
inline char operationSymbol(unsigned operation) { return static_cast<char>(128 + operation); }

/// The diagram as a graph: nodes in the order in which the word meets them, node 0 gives the output.
struct Graph {
  struct Ref {
    bool input;
    unsigned index; // of the input or the node
    bool operator==(const Ref &) const = default;
  };
  struct Node {
    unsigned operation;
    std::vector<Ref> operands;
  };
  std::vector<Node> nodes;
  Ref output{false, 0}; // an input only when the diagram is the identity

  /// How often each node is used, the output's use counted.
  std::vector<unsigned> uses() const;
};

Graph decode(const Presentation &presentation, const Word &word);
/// Nodes the output does not need are left out.
Word encode(const Graph &graph);

/// `read(x, mem(a, a)) where a = read(x, mem(x, x))`; `name` gives the text of each operation.
std::string text(const Presentation &presentation, const Word &word);

/// The order in which diagrams are listed and numbered: fewer operations first; then by the outermost operation; then
/// by what they are made of, more of what was declared first going first; then by the walk, operations before inputs.
bool listedBefore(const Presentation &presentation, const Word &a, const Word &b);

/// The names of the classes of which the word has an operation, in order: `dot_product`, `linear + dot_product`.
std::string classOf(const Presentation &presentation, const Word &word);

} // namespace attnc::enumerate
