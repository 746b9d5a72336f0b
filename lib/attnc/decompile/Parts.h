#pragma once
#include "attnc/decompile/Decompile.h"

#include <map>
#include <set>

namespace attnc::decompilation {

/// The way in which a size names itself in the language: dots, which callees' sizes have, become `_`.
std::string legalName(std::string name);
bool isLegalName(const std::string &name);

ast::SizeExpr sizeExpr(const Size &size);
ast::TypeExpr typeExpr(const Type &type);
/// A size where an expression stands.
ast::ExprRef sizeValue(const Size &size);
ast::ExprRef expr(decltype(ast::Expr::node) node);
ast::ExprRef nameExpr(const std::string &name);
ast::ExprRef callExpr(const std::string &callee, std::vector<ast::ExprRef> arguments,
                      std::vector<ast::KeywordArgument> keywords = {});
ast::ExprRef integer(std::int64_t value);
ast::ExprRef realValue(double value); // not NaN
ast::KeywordArgument keyword(const std::string &name, ast::ExprRef value);

/// What a call that stays one is written with: the sizes that do not follow from its arguments.
struct KeptCall {
  std::vector<std::pair<std::string, Size>> keywords;
};

/// A definition made ready: calls that cannot stay are opened, learners have names the language admits.
class Source {
public:
  Source(const Definition &definition, const KnownDiagrams &known);

  const Definition &definition() const { return original; }
  const Diagram &diagram() const { return opened; }
  const std::string &label(LearnerId learner) const { return labels[learner.index()]; }
  /// How a call is written; it stays one, or it would have been opened.
  KeptCall call(const Call &call) const { return *kept(call); }
  /// The boxes the language would let pick the parameters of a learner are those the diagram says.
  bool perIsNearest(const Apply &apply, const std::vector<Size> &boxes) const;
  /// Names no wire may take: words of the language, learners, sizes whose value is used.
  const std::set<std::string> &reserved() const { return taken; }

  /// The declaration without its form; learners that are used and are no holes go to `learners`.
  ast::DiagramDecl declaration(std::vector<ast::LearnerDecl> &learners) const;

private:
  std::optional<KeptCall> kept(const Call &call) const;
  void nameLearners();
  void reserve(const Diagram &diagram);

  const Definition &original;
  const KnownDiagrams &known;
  mutable std::map<std::string, std::shared_ptr<const Definition>> callees; // asked for once each
  Diagram opened;
  std::set<std::string> openNames;
  std::vector<bool> used; // learners that occur outside calls that stay
  std::vector<std::string> labels;
  std::set<std::string> taken;
};

/// Which learners occur in a diagram, also in its bodies; calls that `skip` selects are left out.
void markLearners(const Diagram &diagram, const std::function<bool(const Call &)> &skip, std::vector<bool> &marks);

/// The callee at the call's sizes is the call's body: how to write it.
std::optional<KeptCall> matchCall(const Call &call, const Definition &callee, const Definition &caller);

/// A pointwise function under plain boxes that each map an operand all the way or not at all: implicit SIMD writes the
/// function alone.
struct Lifted {
  PointwiseFn fn;
  std::vector<std::size_t> operands; // of the box, for each argument of the function
  std::vector<Mode> modes;           // of the arguments
};
std::optional<Lifted> lifted(const Box &box);

/// The factors by which a flat axis is split into these axes, outermost last: h of each `split`.
std::vector<Size> splitFactors(const std::vector<Size> &axes);

} // namespace attnc::decompilation
