#pragma once
#include "attnc/elaborate/Frame.h"
#include "attnc/elaborate/Loader.h"
#include "attnc/support/Diagnostics.h"

#include <functional>
#include <set>

namespace attnc::elaboration {

/// Bounds that keep hostile programs from exhausting stack and memory: nesting of expressions, boxes and calls
/// taken together, and operations of one definition.
inline constexpr unsigned maxElaborationNesting = 1000;
inline constexpr std::size_t maxOperations = 1'000'000;

/// Builds the meaning of one declaration. Functions that give an optional have reported what is wrong when
/// they give nothing; the caller goes on with the next independent piece.
class Elaborator {
public:
  Elaborator(Loader &loader, const FileScope &scope, std::map<std::string, unsigned> ranks)
      : loader(loader), diagnostics(loader.diagnostics), scope(scope), ranks(std::move(ranks)) {}

  /// The definition with its boxes' defaults plugged in, and without (for those who plug in others).
  struct Result {
    std::shared_ptr<const Definition> closed, open;
  };
  Result elaborate(const ast::DiagramDecl &declaration);
  /// Null when something is wrong.
  RuleRef elaborate(const ast::RuleDecl &declaration);

private:
  using Keywords = std::vector<ast::KeywordArgument>;

  // Sizes.cpp: sizes and types as written, and solving the sizes of a callee.
  std::optional<Size> size(const ast::SizeExpr &expr);
  std::optional<Type> type(const ast::TypeExpr &expr);
  std::optional<std::vector<Type>> types(const std::vector<ast::TypeExpr> &exprs);
  void declareSizes(const ast::SizeExpr &expr);
  void declareSizes(const ast::TypeExpr &expr);
  void declareSizes(const ast::LearnerDecl &declaration);
  void takeCondition(const ast::Condition &condition);
  std::optional<Size> sizeOf(const ast::Expr &expr); // an expression in a place for sizes
  void addConstraint(Constraint constraint, Span use);
  /// What a size of the callee that follows from no argument is called here: the same at every call, but for a power,
  /// which is one for each base and exponent.
  std::string freeSize(const std::string &prefix, const std::string &name, const Definition &callee,
                       const Size::Bindings &bindings) const;

  // Declarations.cpp
  std::optional<std::vector<WireId>> namedForm(const ast::NamedForm &form, const ast::DiagramDecl &declaration,
                                               Frame &frame);
  std::optional<std::vector<WireId>> pointFreeForm(const ast::PointFreeForm &form, const ast::DiagramDecl &declaration,
                                                   Frame &frame);
  bool specialiseForm(const ast::SpecialiseForm &form, const ast::DiagramDecl &declaration);
  std::optional<std::vector<WireId>> results(const ast::DiagramDecl &declaration, Frame &frame, Values values,
                                             Span span);
  bool declareLearner(const ast::LearnerDecl &declaration);
  bool declareInstance(const ast::InstanceDecl &declaration);
  bool newLabel(const ast::Name &name);

  // Fillings.cpp: plugging diagrams into learners.
  struct Filled {
    LearnerId learner;
    std::string name;
    DiagramRef body;
  };
  std::optional<Filled> fill(LearnerId learner, const std::string &name, Span span,
                             const std::vector<std::string> &parameters,
                             const std::function<std::optional<Values>(Frame &, Values)> &body);
  std::optional<Filled> fillByName(LearnerId learner, const ast::Name &name);
  std::optional<Filled> fillByExpression(LearnerId learner, const ast::Filling &filling);
  bool fillDefaults(const ast::DiagramDecl &declaration, const FileScope &home);
  void plug(Diagram &diagram, const std::vector<Filled> &fillings);
  void compactLearners(Diagram &diagram);

  // Theories.cpp
  std::optional<Diagram> side(const ast::RuleDecl &rule, const std::vector<Size> &per, const ast::Block &side);
  bool fillRule(Rule &rule, const std::vector<ast::Filling> &fillings, const std::vector<bool> &onLeft);

  // Expressions.cpp: `wanted` is how many values an expression is to give.
  static constexpr std::size_t anyCount = static_cast<std::size_t>(-1);
  std::optional<Values> many(const ast::Expr &expr, Frame &frame, std::size_t wanted);
  std::optional<Value> one(const ast::Expr &expr, Frame &frame);
  std::optional<Values> block(const ast::Block &block, Frame &frame, std::size_t wanted);
  bool statement(const ast::Statement &statement, Frame &frame);
  bool bind(const ast::Name &name, Value value, Frame &frame, bool binding);
  void warnUnused(const Frame &frame);
  std::optional<Value> nameExpr(const std::string &name, Frame &frame, Span span);
  std::optional<Value> binary(const ast::Binary &expr, Frame &frame, Span span);
  Value constant(std::variant<double, std::int64_t, bool> value, Frame &frame, Span span);

  // Boxes.cpp
  std::optional<Values> box(const ast::BoxExpr &expr, Frame &frame, Span span, std::size_t wanted);
  std::optional<Values> scan(const ast::ScanExpr &expr, Frame &frame, Span span, std::size_t wanted);
  /// Runs `body` in a new frame over an axis; `mapped` enter by slices. The box is added to `frame`.
  std::optional<Values> inBox(Frame &frame, Cap cap, const Size &size, bool indexed, const Values &mapped, Span span,
                              const std::function<std::optional<Values>(Frame &, const Values &)> &body);
  /// Runs `body` under one box for each of `axes`; operands that `lifted` marks have these axes outermost.
  std::optional<Values> lift(Frame &frame, std::span<const Size> axes, const Values &operands,
                             const std::vector<bool> &lifted, Span span,
                             const std::function<std::optional<Values>(Frame &, const Values &)> &body);
  std::optional<std::vector<std::pair<const ast::Name *, Value>>> headerWires(const std::vector<ast::HeaderWire> &wires,
                                                                              const Size &size, Frame &frame);

  // Calls.cpp
  std::optional<Values> call(const ast::CallExpr &expr, Frame &frame, Span span, std::size_t wanted);
  /// Applies whatever `name` means to wires that are already there. The heart of both notations.
  std::optional<Values> apply(const ast::Name &name, Values arguments, const Keywords &keywords, Frame &frame,
                              Span span);
  std::optional<Values> applyLearner(LearnerId learner, Values arguments, Frame &frame, Span span);
  std::optional<Values> applyEntry(Entry &entry, const std::string &prefix, const std::vector<Size> &per,
                                   Values arguments, const Keywords &keywords, Frame &frame, Span span);
  std::optional<Values> callDefinition(std::shared_ptr<const Definition> callee, const std::string &prefix,
                                       const std::vector<Size> &per, Values arguments, const Keywords &keywords,
                                       Frame &frame, Span span);
  std::optional<std::vector<unsigned>> boxesFor(const std::vector<Size> &per, const std::string &label, Frame &frame,
                                                Span span);
  std::optional<LearnerId> adoptLearner(const Learner &learner, const std::string &label, Span span);

  // Generators.cpp: the functions that are generators, on arrays.
  std::optional<std::optional<Values>> applyGenerator(const std::string &name, Values &arguments,
                                                      const Keywords &keywords, Frame &frame, Span span);
  std::optional<Value> pointwise(PointwiseFn fn, Values operands, Frame &frame, Span span);
  std::optional<Value> softmax(Values arguments, const Keywords &keywords, Frame &frame, Span span);
  /// [a.. b..] -> [b.. a..], where a has `first` axes and b `second`.
  std::optional<Value> moveAxes(Value value, std::size_t first, std::size_t second, Frame &frame, Span span);
  std::optional<Value> gather(Value array, Value index, Frame &frame, Span span);
  std::optional<Value> fold(Cap cap, Value array, Frame &frame, Span span);
  std::optional<Value> convert(Value value, Kind kind, Frame &frame, Span span, const std::string &what);
  std::optional<Values> generator(Generator generator, const Values &operands, Frame &frame, Span span,
                                  std::vector<WireId> wires = {});

  // Terms.cpp: the point-free notation.
  std::optional<Values> term(const ast::Term &term, Values inputs, Frame &frame);
  std::optional<Values> atom(const ast::AtomTerm &atom, Values inputs, Frame &frame, Span span);
  std::optional<std::size_t> arity(const ast::Term &term);
  std::optional<std::size_t> arity(const ast::AtomTerm &atom, Span span);

  // Messages
  bool wrongCount(const std::string &name, std::size_t wanted, std::size_t given, Span span);
  std::vector<std::string> namesInSight(Frame *frame);
  std::optional<Entry *> entry(const ast::Name &name);
  bool tooLarge(std::size_t more, Span span);

  struct Deeper { // counts nesting while it lives
    explicit Deeper(Loader &loader) : loader(loader) { ++loader.nesting; }
    ~Deeper() { --loader.nesting; }
    Loader &loader;
  };
  bool tooDeep(Span span);

  struct Label {
    Span span;
    std::optional<LearnerId> learner; // else an instance
    Entry *entry = nullptr;
    std::vector<Size> per;
  };

  Loader &loader;
  Diagnostics &diagnostics;
  const FileScope &scope;
  std::set<std::string> rests;           // the `..t` of the inputs
  std::map<std::string, unsigned> ranks; // how many axes each `..t` stands for
  Definition definition;
  std::set<std::string, std::less<>> sizes;           // names that may be used
  std::map<std::string, Span, std::less<>> sizeSpans; // where each was first bound
  Size::Bindings equations;                           // from `where name == size`
  std::map<std::string, Label> labels;                // learners, boxes, instances
  std::map<std::string, LearnerId> adopted;           // callees' learners by their names here
  std::set<std::string, std::less<>> broken;          // names whose binding was in error
  std::size_t operations = 0;
};

/// Which learners occur in a diagram, also in its bodies.
void markUsed(const Diagram &diagram, std::vector<bool> &used);

/// "3 arguments", "1 size".
std::string counted(std::size_t count, std::string_view noun);

/// Solves the names of `patterns` so that they equal `actual`, as far as they determine each other. The patterns'
/// names and the actual types' names are different worlds even when they are spelled alike.
class SizeSolver {
public:
  explicit SizeSolver(const std::vector<std::string> &names);
  void bind(const std::string &name, const Size &size) { bindings.insert_or_assign(name, size); }
  void equate(const Type &pattern, const Type &actual);
  /// Binds what follows; the pairs that do not hold in the end, as (pattern, actual).
  std::vector<std::pair<Size, Size>> solve();
  const Size::Bindings &solution() const { return bindings; }
  Size apply(const Size &pattern) const;

private:
  std::optional<std::string> unknownIn(const Size &pattern) const;
  std::set<std::string> unknowns;
  Size::Bindings bindings;
  std::vector<std::pair<Size, Size>> equations;
};

} // namespace attnc::elaboration
