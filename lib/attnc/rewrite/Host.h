#pragma once
#include "attnc/diagram/Diagram.h"

#include <map>
#include <unordered_map>
#include <utility>

/// Diagrams that are rewritten. A `Host` is made from a Definition once (`load`), changed in place any number of times,
/// and made a Definition again (`freeze`); a change costs what it changes, whatever the size of the host.
namespace attnc::rewriting {

using NodeId = Id<struct NodeTag>;
using BinderId = Id<struct BinderTag>;
using TypeId = Id<struct TypeIdTag>;
using LabelId = Id<struct LabelTag>;
using FreeId = Id<struct FreeTag>;

/// A result of a node.
struct Wire {
  NodeId node;
  std::uint32_t port = 0;
  auto operator<=>(const Wire &) const = default;
  bool valid() const { return node.valid(); }
};

/// Boxes are read as abstractions over an index with a name of its own, the binder; so what is in a box is in the
/// same graph as what is around it, and a pattern finds it there:
///
///     simd n (q) { f(q, k) }      Stack i. f(At(q, i), k)
///     sum n (x) { x * x }         Fold sum (Stack i. At(x, i) * At(x, i))
///
/// A fold of arrays is one of each element: sum n (x) { f(x): [e] } is Stack j. Fold sum (Stack i. At(f(At(x, i)), j)).
enum class NodeKind : std::uint8_t {
  Input, // slot: which
  Index, // of the binder, int[]
  State, // slot: which state of the scan of the binder
  At,    // array, index (an Index): the slice
  Stack, // body under the binder
  Fold,  // slot: the cap; an array, along its outermost axis
  Scan,  // slot: how many states; initial states, then under the binder next states and step results
  Apply, // slot: the learner; `pers` indices, then its operands
  Op,    // any other generator, in the label
};

struct Node {
  NodeKind kind;
  bool alive = true;
  std::uint16_t pers = 0;
  std::uint32_t slot = 0;
  LabelId label; // Op only
  BinderId binder;
  FreeId free;            // the binders it depends on; after rewrites perhaps more than it does
  std::uint32_t uses = 0; // by operands and outputs
  std::int64_t rank = 0;  // less than that of each node that uses it
  std::vector<Wire> operands;
  std::vector<TypeId> types;
  std::vector<Wire> forward; // by port: what stands for it now; empty while it stands for itself
  Span span;
  std::string name; // what the source calls its first result
};

struct Binder {
  Size size;
  NodeId index;             // invalid until it is used
  bool elementwise = false; // of a fold of arrays: put back inside the fold when frozen
  std::string name;
};

/// Types and generators by number, shared by the hosts and rules that meet each other.
class Tables {
public:
  TypeId type(const Type &type);
  const Type &type(TypeId id) const { return *types[id.index()]; }
  TypeId slice(TypeId id);
  TypeId over(TypeId id, const Size &size) { return type(type(id).over(size)); }

  struct Label {
    Generator generator;
    bool commutative, sized; // has sizes in it
  };
  LabelId label(const Generator &generator);
  const Label &label(LabelId id) const { return labels[id.index()]; }
  LabelId substitute(LabelId id, const Size::Bindings &bindings);

private:
  std::map<Type, TypeId> typeIds;
  std::vector<const Type *> types;
  std::vector<TypeId> slices;
  std::map<std::string, LabelId> labelIds;
  std::vector<Label> labels;
};

class Host {
public:
  explicit Host(Tables &tables) : tables(&tables) { frees.push_back({}); }

  // ---- Reading
  Wire find(Wire wire) const {
    while (!nodes[wire.node.index()].forward.empty()) {
      Wire next = nodes[wire.node.index()].forward[wire.port];
      if (next == wire)
        break;
      wire = next;
    }
    return wire;
  }
  const Node &node(NodeId id) const { return nodes[id.index()]; }
  const Node &node(Wire wire) const { return nodes[wire.node.index()]; }
  Wire operand(const Node &node, std::size_t i) const { return find(node.operands[i]); }
  TypeId typeId(Wire wire) const { return node(wire).types[wire.port]; }
  const Type &type(Wire wire) const { return tables->type(typeId(wire)); }
  const Binder &binder(BinderId id) const { return binders[id.index()]; }
  std::size_t binderCount() const { return binders.size(); }
  /// Stack i. x[i] is x, in boxes of boxes too; the wire itself when it is none such.
  Wire unstacked(Wire wire) const;
  /// The array x of which Stack i. Stack j. x[j][i] is the transpose; or none.
  Wire transposed(Wire wire) const;
  std::span<const BinderId> free(Wire wire) const { return frees[node(wire).free.index()]; }
  bool dependsOn(Wire wire, BinderId binder) const;
  std::size_t nodeCount() const { return nodes.size(); }
  std::size_t aliveCount() const { return living; }

  // ---- Building: each gives a new node after those it uses
  Wire input(TypeId type, std::string name);
  BinderId newBinder(const Size &size, std::string name = {});
  Wire index(BinderId binder);
  Wire state(BinderId binder, std::uint32_t which, TypeId type);
  Wire at(Wire array, Wire index);        // of a broadcast, what is repeated
  Wire stack(BinderId binder, Wire body); // of all slices of an array, the array
  Wire fold(Cap cap, Wire array);
  NodeId scan(BinderId binder, std::span<const Wire> initial, std::span<const Wire> next, std::span<const Wire> steps);
  Wire apply(LearnerId learner, std::span<const Wire> pers, std::span<const Wire> operands,
             std::span<const TypeId> types);
  NodeId op(LabelId label, std::span<const Wire> operands, std::span<const TypeId> types);
  void describe(NodeId id, const std::string &name, Span span);
  void markElementwise(BinderId id) { binders[id.index()].elementwise = true; }

  /// A copy of what depends on the binders, with others in their places; the wire itself when nothing does.
  using Renaming = std::vector<std::pair<BinderId, BinderId>>;
  Wire rename(Wire wire, const Renaming &renaming);

  // ---- Changing
  void output(Wire wire);
  /// `by` stands for `old` from here on. Nodes that nothing uses then are gone.
  void replace(Wire old, Wire by);
  /// The ranks that new nodes get: evenly between what they use and `below`; 0 puts them last.
  void placeBelow(std::int64_t lowest, std::int64_t below, std::size_t count);
  void placeLast() { step = 0; }
  /// Ranks anew, from the outputs back.
  void rerank();
  /// Sizes that are others from here on, everywhere: costs as much as the host is large.
  void substitute(const Size::Bindings &bindings);
  /// Drops nodes made from `first` on that nothing uses.
  void sweep(std::size_t first);

  std::vector<NodeId> inputs;
  std::vector<Wire> outputs; // as given; read through `find`
  std::vector<Learner> learners;
  std::vector<Constraint> constraints;
  std::string name, doc;
  std::vector<std::string> outputNames;
  Tables *tables;

private:
  /// The array of which the body is the slice at the binder's index, and which does not depend on it; or none.
  Wire sliced(Wire body, BinderId binder) const;
  NodeId add(Node node);
  FreeId unite(FreeId a, FreeId b);
  FreeId without(FreeId a, BinderId binder);
  FreeId intern(std::vector<BinderId> set);
  void release(Wire wire);
  void kill(NodeId id);

  std::vector<Node> nodes;
  std::vector<Binder> binders;
  std::vector<std::vector<BinderId>> frees;
  std::map<std::vector<BinderId>, FreeId> freeIds;
  std::unordered_map<std::uint64_t, FreeId> unions;
  std::int64_t nextRank = 0, step = 0;
  std::size_t living = 0;
};

/// The most nodes that `reduced` may grow a host to by copying what is sliced.
inline constexpr std::size_t maxReducedNodes = 100'000;

/// The definition as a host; named boxes are opened. `reduced`: no slice of a stack is left, which a pattern needs,
/// unless the host would have more than `maxReducedNodes`. `places`: for each node the operation it comes from, by its
/// place from the outside in: "op2.0" is the first in the body of the third; empty for an input.
Host load(Tables &tables, const Definition &definition, bool reduced = false,
          std::vector<std::string> *places = nullptr);

/// The host as a definition: each operation in the innermost box whose index it depends on, boxes that share a binder
/// together. Learners that are not used are left out, and without `idleInputs` inputs too: what deletes an input is
/// taken for a diagram without it.
Definition freeze(const Host &host, bool idleInputs = true);

} // namespace attnc::rewriting
