#pragma once
#include "attnc/diagram/Generator.h"
#include "attnc/support/Source.h"
#include "attnc/theory/Type.h"

#include <span>

namespace attnc {

using WireId = Id<struct WireTag>;
using OpId = Id<struct OpTag>;

/// A wire: a node of the hypergraph, with one producer. Using it twice is copying, not at all deleting.
struct Wire {
  Type type;
  OpId producer;     // invalid for an input of the diagram
  unsigned port = 0; // which result of the producer, or which input
  std::string name;  // what the source calls it; a hint for people, may be empty
};

/// An operation: a hyperedge with ordered ports.
struct Op {
  Generator generator;
  std::vector<WireId> operands, results;
  Span span; // where it was written
};

/// Bodies are nested at most this deep, so that whatever walks a diagram may recurse.
inline constexpr unsigned maxBodyDepth = 500;

/// An open hypergraph with an interface, a morphism inputs -> outputs:
///
///       q      k                  wires: typed nodes with one producer
///       │      │
///      ┌┴──────┴┐                 ops: hyperedges, in topological order
///      │  dot   │
///      └───┬────┘
///          │                      inputs, outputs: the interface, ordered
///
/// Built by `Builder`, which checks types; a value that does not change after. Learners inside (and inside
/// bodies) are ids into the table of the Definition the diagram belongs to.
struct Diagram {
  std::vector<Wire> wires;
  std::vector<Op> ops;
  std::vector<WireId> inputs, outputs;
  unsigned depth = 0; // how deep bodies lie in each other: 0 when no operation has one

  const Wire &wire(WireId id) const { return wires[id.index()]; }
  const Op &op(OpId id) const { return ops[id.index()]; }
  const Type &type(WireId id) const { return wires[id.index()].type; }
  std::vector<Type> inputTypes() const;
  std::vector<Type> outputTypes() const;
  /// Operations here and in all bodies.
  std::size_t opCount() const;
};

/// Linear, affine, a constant, any continuous function, or a box that has yet to be given.
enum class LearnerKind : std::uint8_t { Linear, Affine, Param, Universal, Hole };
std::string_view name(LearnerKind kind); // "linear" …, "box" for Hole

/// A variable function, the black box of the paper. Parameters.h says with which arrays it is filled.
/// Linear, affine, param and universal have one codomain type; only real wires enter them.
struct Learner {
  LearnerKind kind;
  std::string label;
  std::vector<Type> domain, codomain;
  std::vector<Size> per;
  Size width = 64; // universal only: hidden units when it is run
  Span span;
};

/// A condition on sizes that the arrays must meet: `left == right`, `left % modulus == right`, or
/// `left == right ^ exponent`; or with `>=` or `<=` for `==`.
struct Constraint {
  enum class Relation { Equal, AtLeast, AtMost };
  Size left, right;
  std::optional<Size> modulus;
  Span span;
  Relation relation = Relation::Equal;
  std::optional<Size> exponent = std::nullopt;

  /// Whether it is `left == right`, from which sizes can be solved.
  bool isEquation() const { return relation == Relation::Equal && !modulus && !exponent; }
  /// Whether it is `left == right ^ exponent`, from which the left side follows.
  bool isPower() const { return relation == Relation::Equal && !modulus && exponent; }
  /// Whether the relation holds of a left side (after the modulus) and a right side (after the exponent).
  bool holds(std::int64_t reached, std::int64_t bound) const;
  Constraint substitute(const Size::Bindings &bindings) const;
  std::string str() const;
};

/// A named diagram with its learners: what a `diagram` declaration means.
struct Definition {
  std::string name;
  std::string doc; // the text of its /// comments
  Diagram diagram;
  std::vector<std::string> outputNames; // empty strings where the source gives none
  std::vector<Learner> learners;
  std::vector<Constraint> constraints;
  Span span;

  const Learner &learner(LearnerId id) const { return learners[id.index()]; }
  /// Every size name that occurs in the interface, the learners or the bodies, in order of first sight.
  std::vector<std::string> sizeNames() const;
  /// `sdpa(q: [n d], k: [m d], v: [m e]) -> [n e]`.
  std::string signature() const;
};

} // namespace attnc
