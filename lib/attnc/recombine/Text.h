#pragma once
#include "attnc/recombine/Generators.h"

namespace attnc::recombine {

struct Variable {
  std::string name;
  unsigned sort;
};

/// The diagram of a graph in the language, in a scope with the operations' diagrams: one line an operation, the last
/// the result. `inputs` are what the graph's inputs are. With `learners`, each operand of a sort that has one goes
/// through a learner of its own, W1, W2, … in the order of the walk.
///
///     diagram M1(x: [n d]) -> [n d] {
///       linear W1 : [d] -> [d]
///       linear W2 : [d] -> [d]
///       linear W3 : [d] -> [d]
///       a1 = weights(W1(x), W2(x))
///       weighted(a1, W3(x))
///     }
std::string diagramText(const Generators &generators, const enumerate::Graph &graph,
                        const std::vector<Variable> &inputs, const std::string &name, const std::string &doc,
                        bool learners);

/// The presentation's inputs, as variables.
std::vector<Variable> inputsOf(const enumerate::Presentation &presentation);

/// One side of an equation as a graph whose inputs are the variables.
enumerate::Graph graphOf(const enumerate::Term &term);

} // namespace attnc::recombine
