#pragma once
#include "attnc/diagram/Diagram.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace attnc {

using TermId = Id<struct TermTag>;

/// What a term is. `first` and `second` are the numbers the comment names; children in order.
enum class TermKind : std::uint8_t {
  Input,      // first: position
  Var,        // first: level of the enclosing box, from outside; only while its box is open
  Bound,      // first: how many binders lie between (de Bruijn index); only in closed binders
  State,      // first: level, second: which state of the scan
  BoundState, // first: index, second: which state
  At,         // array, variable: the slice there; the array is never a Stack
  Stack,      // label: size; body under one binder
  Op,         // label: the generator with its constants; second: which result
  Unordered,  // the same, operands in any order
  Reshape,    // label: the axes; first: the label of the operand's axes
  Learned,    // first: the learner, second: which result; children: `per` variables, then operands
  Scan,       // label: size; first: number of states; initial states, then (under a binder) the next ones
  ScanStep,   // the Scan, then (under its binder) the result of one step
  ScanFinal,  // second: which state; the Scan
};

/// Hash-consed terms in normal form, "locally nameless": variables of open binders are levels, those of
/// closed binders are de Bruijn indices. Terms equal up to renaming of bound variables and the order of
/// commutative operands have one id, and a child's id is less than its parent's.
///
/// Substitution only ever puts a variable for a variable, so normal forms stay normal under it; every step is
/// kept, so a chain of n boxes costs n steps, not n².
class TermGraph {
public:
  explicit TermGraph(std::size_t budget) : budget(budget) {}

  struct Node {
    TermKind kind;
    std::uint32_t label, first, second;
    std::uint32_t begin, count; // children, in the pool
    std::uint32_t loose;        // one more than the greatest index bound outside
    std::uint64_t free;         // bit min(level, 63) for each level that occurs
  };

  std::uint32_t label(const std::string &text);
  const std::string &labelText(std::uint32_t label) const { return *labels[label]; }

  TermId make(TermKind kind, std::uint32_t label, std::uint32_t first, std::uint32_t second,
              std::vector<TermId> children);
  TermId variable(unsigned level) { return make(TermKind::Var, 0, level, 0, {}); }
  /// The slice of an array at the variable of a level: β.
  TermId at(TermId array, unsigned level);
  /// stack(λ level. body): η.
  TermId stack(const std::string &size, unsigned level, TermId body);
  /// Binds the variables of a level.
  TermId close(TermId term, unsigned level) { return rewrite(term, false, level); }
  bool mentions(TermId term, unsigned level) { return close(term, level) != term; }

  const Node &operator[](TermId id) const { return nodes[id.index()]; }
  std::span<const TermId> children(TermId id) const {
    return {pool.data() + nodes[id.index()].begin, nodes[id.index()].count};
  }
  bool underBinder(TermId id, std::size_t child) const;
  std::size_t size() const { return nodes.size(); }
  /// True once more was asked than the budget allows; terms made after it are meaningless.
  bool exhausted() const { return steps > budget; }
  void spend(std::size_t count) { steps += count; }

  /// Where the terms made from now on are written in the source.
  void setSpan(Span span) { current = span; }
  Span span(TermId id) const { return spans[id.index()]; }

private:
  TermId rewrite(TermId root, bool opening, unsigned level);
  bool affected(TermId id, bool opening, unsigned level, unsigned depth) const;

  std::size_t budget, steps = 0;
  std::vector<Node> nodes;
  std::vector<TermId> pool;
  std::vector<Span> spans;
  Span current;
  boost::unordered_flat_map<std::uint64_t, TermId> index; // by hash; where two meet, the next hash
  std::unordered_map<std::string, std::uint32_t> labelIds;
  std::vector<const std::string *> labels;
  struct Step {
    TermId term;
    std::uint32_t depth, level;
    bool opening;
    bool operator==(const Step &) const = default;
  };
  struct StepHash {
    std::size_t operator()(const Step &step) const;
  };
  boost::unordered_flat_map<Step, TermId, StepHash> done;
};

/// A definition's outputs as terms. `exhausted()` of the graph says whether they mean anything.
std::vector<TermId> normalise(const Definition &definition, TermGraph &graph);

} // namespace attnc
