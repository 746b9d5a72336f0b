#pragma once
#include "attnc/diagram/Generator.h"
#include "attnc/support/Source.h"
#include "attnc/theory/Type.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The tree of an .attn file: what the user wrote, before any meaning. grammar/attnc.ebnf is its law.
namespace attnc::ast {

struct Name {
  std::string text;
  Span span;
};

/// A size as written: a number, a name, or a sum, difference or product of two.
struct SizeExpr {
  enum class Op : std::uint8_t { Number, Name, Add, Sub, Mul };
  Op op = Op::Number;
  std::int64_t number = 0;
  std::string name;
  std::vector<SizeExpr> operands; // two for Add, Sub, Mul
  Span span;
};

/// `[n d]`, `int[n k]`, `[n ..t]` (axes of any number at the end).
struct TypeExpr {
  Kind kind = Kind::Real;
  std::vector<SizeExpr> axes;
  std::optional<Name> rest; // the name after `..`
  Span span;
};

struct Expr;
using ExprRef = std::shared_ptr<Expr>;
struct Block;
using BlockRef = std::shared_ptr<Block>;
struct Term;
using TermRef = std::shared_ptr<Term>;

/// `name = size` in a call, or `name = expr`: binds a size or an option of the callee (`axes = 2`, `sink = s`).
struct KeywordArgument {
  Name name;
  ExprRef value;
};

// ---- Expressions (wire-naming form)

struct RealLiteral {
  double value;
  std::string text; // as written
};
struct IntLiteral {
  std::int64_t value;
};
struct BoolLiteral {
  bool value;
};
/// A wire, a size, or `inf`, `pi`.
struct NameExpr {
  std::string name;
};
struct Unary {
  enum class Op : std::uint8_t { Neg, Not };
  Op op;
  ExprRef operand;
};
struct Binary {
  // In grammar/operators.def with spelling, level and associativity.
  enum class Op : std::uint8_t {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow
  };
  Op op;
  ExprRef left, right;
};
/// `f(a, b, k = 16)`. The callee is a generator, a learner, a box or a diagram.
struct CallExpr {
  Name callee;
  std::vector<ExprRef> arguments;
  std::vector<KeywordArgument> keywords;
};
/// `x[i]`, `x[i, j]`.
struct IndexExpr {
  ExprRef array;
  std::vector<ExprRef> indices;
};
struct TupleExpr {
  std::vector<ExprRef> elements; // two or more
};

/// A wire named in a box header: `q`, or `a = expr`.
struct HeaderWire {
  Name name;
  ExprRef value; // null: the wire in scope of that name
};
/// `simd n as i (q, a = e) { … }`, `sum m (…) { … }`; the parentheses may be left out when empty.
struct BoxExpr {
  Cap cap;
  SizeExpr size;
  std::optional<Name> index;
  std::vector<HeaderWire> wires;
  BlockRef body;
};
/// `S: [d e] = expr`.
struct StateDecl {
  Name name;
  TypeExpr type;
  ExprRef initial;
};
/// `scan n as i (q, k) from S: [d e] = 0, z: [d] = 0 { … }`.
struct ScanExpr {
  SizeExpr size;
  std::optional<Name> index;
  std::vector<HeaderWire> wires;
  std::vector<StateDecl> states;
  BlockRef body;
};

struct Expr {
  std::variant<RealLiteral, IntLiteral, BoolLiteral, NameExpr, Unary, Binary, CallExpr, IndexExpr, TupleExpr, BoxExpr,
               ScanExpr>
      node;
  Span span;
};

// ---- Point-free terms

/// `dot`, `scale(1 / sqrt(d))`, `topk(k = 4)`, `id[m e]`, `copy`, a learner's or diagram's name.
/// Arguments are wire-naming expressions without wires (sizes and constants): they come after the wires.
struct AtomTerm {
  Name name;
  std::vector<ExprRef> arguments;
  std::vector<KeywordArgument> keywords;
  std::optional<TypeExpr> type;
};
/// A number as a state, nothing -> [].
struct LiteralTerm {
  ExprRef value;
};
struct SeqTerm { // f ; g
  std::vector<TermRef> terms;
};
struct TensorTerm { // f @ g
  std::vector<TermRef> terms;
};
/// `simd n as i (map, share) { term }`. With an index, the index is the body's first wire.
struct BoxTerm {
  Cap cap;
  SizeExpr size;
  std::optional<Name> index;
  std::vector<Mode> modes;
  TermRef body;
};
/// `scan n (map, share) from [d e], [d] { term }`: the initial states are the first wires that enter.
struct ScanTerm {
  SizeExpr size;
  std::optional<Name> index;
  std::vector<Mode> modes;
  std::vector<TypeExpr> states;
  TermRef body;
};
struct Term {
  std::variant<AtomTerm, LiteralTerm, SeqTerm, TensorTerm, BoxTerm, ScanTerm> node;
  Span span;
};

// ---- Declarations

/// `linear W : [p] -> [r] per n`, `param u : [r]`, `universal a : [d] @ [d] -> [] width 64`,
/// and in `with (…)`: `core : [n d] @ [n d] -> [n d]` (kind Hole), perhaps with a default `= sdpa`.
struct LearnerDecl {
  enum class Kind : std::uint8_t { Linear, Affine, Param, Universal, Hole };
  Kind kind;
  Name label;
  std::vector<TypeExpr> domain, codomain;
  std::vector<SizeExpr> per;
  std::optional<SizeExpr> width;
  std::optional<Name> defaultBox; // Hole only
  Span span;
};

/// `box enc = block`, `box enc = block per l`: an own instance of a diagram, with learners of its own.
struct InstanceDecl {
  Name label;
  Name diagram;
  std::vector<SizeExpr> per;
  Span span;
};

/// `a = expr`, `a: [n d] = expr`, `(a, b) = expr`.
struct Binding {
  struct Target {
    Name name;
    std::optional<TypeExpr> type;
  };
  std::vector<Target> targets;
  ExprRef value;
  Span span;
};

using Statement = std::variant<LearnerDecl, InstanceDecl, Binding>;

/// `{ statements… result }`; the result is an expression or a tuple.
struct Block {
  std::vector<Statement> statements;
  ExprRef result;
  Span span;
};

struct Parameter {
  Name name;
  TypeExpr type;
};
struct ResultType {
  std::optional<Name> name; // `-> (y: [n e], lse: [n])`
  TypeExpr type;
};
/// `left == right`, `left % modulus == right` or `left == right ^ exponent`, or with `>=` or `<=` for `==`.
struct Condition {
  enum class Relation { Equal, AtLeast, AtMost };
  SizeExpr left, right;
  std::optional<SizeExpr> modulus;
  Relation relation = Relation::Equal;
  Span span;
  std::optional<SizeExpr> exponent = std::nullopt;
};
inline std::string_view sign(Condition::Relation relation) {
  return relation == Condition::Relation::Equal ? "==" : relation == Condition::Relation::AtLeast ? ">=" : "<=";
}

/// `diagram f(x: [n]) with (core: …) -> [n] where n == 4 { … }`.
struct NamedForm {
  std::vector<Parameter> parameters;
  BlockRef body;
};
/// `diagram f : [n] @ [m] -> [n] with (…) where … linear W: … = term`: learners stand before the `=`.
struct PointFreeForm {
  std::vector<TypeExpr> domain;
  std::vector<std::variant<LearnerDecl, InstanceDecl>> learners;
  TermRef term;
};
/// One filling: `a = dot`, `a(x, y) = expr`, or a learner declared for the fillings to use.
struct Filling {
  Name learner;
  std::vector<Name> parameters; // of the `a(x, y) = …` form
  ExprRef value;                // `a = NAME` is a NameExpr
  Span span;
};
/// `name = base`, `name = base with (core = sdpa)`, `name = specialise base { a = dot }`.
struct SpecialiseForm {
  Name base;
  bool keyword; // written with `specialise { … }` rather than `with (…)`
  std::vector<LearnerDecl> learners;
  std::vector<Filling> fillings;
};

struct DiagramDecl {
  std::string doc; // the `///` lines before it, without the slashes
  Name name;
  std::vector<LearnerDecl> boxes;  // `with (…)`
  std::vector<ResultType> results; // empty for SpecialiseForm
  std::vector<Condition> conditions;
  std::variant<NamedForm, PointFreeForm, SpecialiseForm> form;
  Span span;
};

// ---- Theories

/// `forall (x: type, …)`.
struct Forall {
  std::vector<Parameter> parameters;
  Span span;
};
/// `rule NAME : KIND per h forall (x: type) learners if conditions LEFT == RIGHT by { fillings }`.
struct RuleDecl {
  enum class Kind : std::uint8_t { Equation, Specialise, Express };
  std::string doc;
  Name name;
  Kind kind = Kind::Equation;
  std::vector<SizeExpr> per; // boxes around, whose indices learners may be `per`
  Forall forall;             // the wires of both sides
  std::vector<LearnerDecl> learners;
  std::vector<Condition> conditions;
  BlockRef left, right;
  bool bothWays = false;         // `==` rather than `=>`
  std::vector<Filling> fillings; // of the left side's learners, that give the right side
  Span span;
};

/// `by RULE reversed at PLACE with r = d`.
struct DerivationStep {
  struct Argument {
    Name name;
    SizeExpr value;
  };
  Name rule;
  bool reversed = false, everywhere = false;
  std::optional<Name> place;         // the name of a wire
  std::optional<std::int64_t> match; // or which of the matches, from 1
  std::vector<Argument> arguments;
  Span span;
};
/// `derivation NAME : FROM => TO { steps }`.
struct DerivationDecl {
  std::string doc;
  Name name, from, to;
  std::vector<DerivationStep> steps;
  Span span;
};

/// `theory NAME { rules }`.
struct TheoryDecl {
  struct Member {
    Name rule;
    bool reversed = false;
  };
  std::string doc;
  Name name;
  std::vector<Member> rules;
  Span span;
};

/// `taxonomy NAME : ROOT by THEORY depth N`.
struct TaxonomyDecl {
  std::string doc;
  Name name, root, theory;
  std::optional<std::int64_t> depth;
  Span span;
};

/// `generators NAME(x: T) -> T { lines }`: sorts and operations from which diagrams are made.
struct GeneratorsDecl {
  struct Input {
    Name name, sort;
  };
  /// `sort T = [n d] with linear`: every operand of this sort goes through a learner of its own.
  struct Sort {
    Name name;
    std::vector<TypeExpr> types;
    std::optional<LearnerDecl::Kind> learner;
    Span span;
  };
  /// `copy x, T`: inputs, and sorts of wires between operations, that may be used more than once.
  struct Copy {
    std::vector<Name> names;
    Span span;
  };
  /// `mix : A @ T -> T = weighted`: what it means is a diagram.
  struct Operation {
    Name name;
    std::vector<Name> domain;
    Name codomain, meaning;
    Span span;
  };
  /// `class dot_product = score, mix`.
  struct Class {
    Name name;
    std::vector<Name> operations;
    Span span;
  };
  /// `without stacking = through T`.
  struct Criterion {
    enum class Kind : std::uint8_t { Through, Sharing, Using };
    Name name;
    Kind kind = Kind::Through;
    std::vector<Name> of;
    Span span;
  };
  /// `equation NAME : left == right`: variables, and calls of operations.
  struct Equation {
    Name name;
    ExprRef left, right;
    Span span;
  };
  using Line = std::variant<Sort, Copy, Operation, Class, Criterion, Equation>;

  std::string doc;
  Name name;
  std::vector<Input> inputs;
  Name output;
  std::vector<Line> lines;
  Span span;
};

/// `import "other.attn"`: its diagrams come into scope. The path is relative to the importing file.
struct Import {
  std::string path;
  Span span;
};

using Item = std::variant<Import, DiagramDecl, RuleDecl, DerivationDecl, TheoryDecl, TaxonomyDecl, GeneratorsDecl>;

struct File {
  FileId id;
  std::vector<Item> items;
};

} // namespace attnc::ast
