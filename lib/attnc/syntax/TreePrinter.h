#pragma once
#include "attnc/syntax/Ast.h"
#include "attnc/syntax/Layout.h"
#include "attnc/syntax/Token.h"

#include <functional>

/// The canonical layout of each construct, as a Doc. Parentheses stand only where grammar/operators.def
/// needs them. Comments are taken from the stream, if there is one: each goes with the item (definition,
/// statement, step of a point-free term) it stood before, in or behind.
namespace attnc {

class TreePrinter {
public:
  /// `stream` may be null: then there are no comments and no empty lines.
  explicit TreePrinter(const TokenStream *stream);

  layout::Doc file(const ast::File &file);
  layout::Doc diagram(const ast::DiagramDecl &diagram);
  layout::Doc rule(const ast::RuleDecl &rule);
  layout::Doc derivation(const ast::DerivationDecl &derivation);
  layout::Doc theory(const ast::TheoryDecl &theory);
  layout::Doc taxonomy(const ast::TaxonomyDecl &taxonomy);
  layout::Doc generators(const ast::GeneratorsDecl &generators);
  layout::Doc expr(const ast::Expr &expr, unsigned level = 0);
  layout::Doc type(const ast::TypeExpr &type);
  /// `tight`: an axis, without blanks outside parentheses.
  layout::Doc size(const ast::SizeExpr &size, bool tight, unsigned level = 0);

private:
  // ---- Items: what a comment stands with (PrintItems.cpp)
  struct Item {
    Span span;
    std::function<layout::Doc()> print;
    /// Definitions only: doc comments before it would be its own; it has some, and prints them; empty lines go
    /// around it.
    bool documentable = false, documented = false, apart = false;
  };
  struct Piece {
    layout::Doc doc;
    bool blankBefore;
  };
  /// The items with their comments, one after the other.
  struct Items {
    layout::Doc opening; // a comment behind what opens the region, or null
    std::vector<Piece> pieces;
    bool commented = false; // some comment was taken
    /// Each on lines of its own; `flowing`, parted by `line` instead.
    layout::Doc lines(bool flowing = false) const;
  };
  Items items(Span region, const std::vector<Item> &list);
  /// `{ … }` around items: on one line if it fits, `mayBeFlat` and there are no comments.
  layout::Doc braces(Span region, const std::vector<Item> &list, bool mayBeFlat);
  layout::Doc braces(const Items &inside, bool mayBeFlat);
  std::vector<const Comment *> take(std::uint32_t begin, std::uint32_t end);
  bool blankLineBefore(std::uint32_t offset) const;
  /// `plain`: without its third slash, so that it documents nothing where it is put.
  layout::Doc written(const Comment &comment, bool plain = false) const;

  // ---- Expressions and terms (PrintTree.cpp)
  layout::Doc list(std::string open, const layout::Docs &elements, std::string close);
  layout::Doc binary(const ast::Binary &binary);
  layout::Doc arguments(const std::vector<ast::ExprRef> &arguments, const std::vector<ast::KeywordArgument> &keywords);
  layout::Doc wires(const std::vector<ast::HeaderWire> &wires);
  layout::Doc state(const ast::StateDecl &state);
  layout::Doc block(const ast::Block &block, bool mayBeFlat = true);
  layout::Doc term(const ast::Term &term, bool inTensor = false);
  std::vector<Item> steps(const ast::Term &term);
  template <class Box> std::string header(std::string_view cap, const Box &box);

  // ---- Declarations (PrintDeclarations.cpp)
  layout::Doc types(const std::vector<ast::TypeExpr> &types);
  layout::Doc statement(const ast::Statement &statement);
  layout::Doc learner(const ast::LearnerDecl &learner);
  layout::Doc instance(const ast::InstanceDecl &instance);
  layout::Doc binding(const ast::Binding &binding);
  layout::Doc filling(const ast::Filling &filling);
  layout::Doc results(const std::vector<ast::ResultType> &results);
  layout::Doc parameters(const std::vector<ast::Parameter> &parameters);
  layout::Doc condition(const ast::Condition &condition);
  /// ` with (…)` and ` where …`, each led by a place where the line may end; nothing if there is none.
  layout::Doc boxes(const ast::DiagramDecl &diagram);
  layout::Doc where(const ast::DiagramDecl &diagram);
  layout::Doc form(const ast::DiagramDecl &diagram, const ast::NamedForm &form);
  layout::Doc form(const ast::DiagramDecl &diagram, const ast::PointFreeForm &form);
  layout::Doc form(const ast::DiagramDecl &diagram, const ast::SpecialiseForm &form);

  // ---- Theories (PrintTheories.cpp)
  layout::Doc side(const ast::Block &side);
  layout::Doc step(const ast::DerivationStep &step);
  layout::Doc lineOf(const ast::GeneratorsDecl::Sort &sort);
  layout::Doc lineOf(const ast::GeneratorsDecl::Copy &copy);
  layout::Doc lineOf(const ast::GeneratorsDecl::Operation &operation);
  layout::Doc lineOf(const ast::GeneratorsDecl::Class &one);
  layout::Doc lineOf(const ast::GeneratorsDecl::Criterion &criterion);
  layout::Doc lineOf(const ast::GeneratorsDecl::Equation &equation);
  layout::Doc documented(const std::string &doc, layout::Doc item);

  const TokenStream *stream;
  std::vector<bool> taken; // by comment
};

/// Whether the text of the expression begins with `-`, which would go on with what is before it.
bool beginsWithMinus(const ast::Expr &expr);

} // namespace attnc
