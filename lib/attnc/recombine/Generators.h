#pragma once
#include "attnc/enumerate/Word.h"
#include "attnc/recombine/Home.h"
#include "attnc/syntax/Ast.h"

namespace attnc::recombine {

/// A `generators` declaration: a presentation (enumerate/Presentation.h) whose sorts are types and whose operations
/// are diagrams of the language, so that each of its words is one too.
struct Generators {
  struct Sort {
    std::vector<std::string> types; // as written; a wire of the sort is that many wires
    /// `linear W : [d] -> [d]`, with the label left out: what an operand of the sort goes through.
    std::string learner, learnerTypes;
  };
  enumerate::Presentation presentation;
  std::vector<Sort> sorts;                           // as in the presentation
  std::vector<std::string> meanings;                 // names of diagrams, by operation
  std::vector<std::vector<std::string>> resultNames; // that the diagrams give their results; empty where they do not
  std::vector<std::vector<unsigned>> variables;      // by equation: the sorts of its variables
  std::vector<Span> equationSpans;
  std::string doc;
  Span span;
};

/// The meaning of a declaration in a file. What is wrong is reported: a name that is not there or is there twice, an
/// operation whose diagram has other types, an equation that cannot be used. Whether the sides of an equation are
/// equal is not looked at here.
std::optional<Generators> readGenerators(const ast::GeneratorsDecl &declaration, const Home &home,
                                         Diagnostics &diagnostics);

} // namespace attnc::recombine
