#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace attnc::enumerate {

/// A tree of operations over variables: one side of an equation. Variables are numbered by first use on the left.
struct Term {
  int operation = -1; // -1: a variable
  unsigned variable = 0;
  std::vector<Term> operands;
};

/// A category with copies presented by generators and relations, without what they mean: sorts, inputs, operations
/// and one output sort.
///
///     score : T @ T -> A      mix : A @ T -> T         x : T, copied freely; the output is a T
///
/// At most 64 inputs, 64 operations, 64 operands of each, and 64 sorts.
struct Presentation {
  struct Sort {
    std::string name;
    bool copied = false; // may a wire between two operations be used more than once?
  };
  struct Input {
    std::string name;
    unsigned sort;
    bool copied = false; // may it be used more than once? That it is not used at all is always admitted.
  };
  struct Operation {
    std::string name;
    std::vector<unsigned> domain;
    unsigned codomain;
  };
  /// What makes a diagram redundant.
  struct Criterion {
    enum class Kind : std::uint8_t {
      Through, // it factors through one wire of a sort: it is one diagram after another
      Shared,  // a wire of a sort between two operations is used more than once
      Uses,    // one of the operations is in it
    };
    std::string name;
    Kind kind;
    std::vector<unsigned> of; // sorts, or operations for Uses
  };
  struct Class {
    std::string name;
    std::vector<unsigned> operations;
  };
  struct Equation {
    std::string name;
    Term left, right; // each variable once on each side
  };

  std::string name;
  std::vector<Sort> sorts;
  std::vector<Input> inputs;
  std::vector<Operation> operations;
  unsigned output = 0; // sort
  std::vector<Criterion> criteria;
  std::vector<Class> classes;
  std::vector<Equation> equations;
};

inline constexpr unsigned mostInputs = 64, mostOperations = 64, mostSorts = 64, mostOperands = 64;
/// Operations of one diagram.
inline constexpr unsigned largestDiagram = 64;

} // namespace attnc::enumerate
