// The grammar of grammar/attnc.ebnf in Boost.Spirit X3, production by production. Every choice is made by the
// next token or two, so reading is linear; what a choice has begun must follow (`need`), which gives the
// expectation points their words.
#include "attnc/syntax/GrammarChoices.h"

namespace attnc::grammar {

// ---- Words

const auto name = Word([](const Token &token) { return token.kind == T::Name; });
const auto anyWord = Word([](const Token &) { return true; });

// ---- Types and sizes

const Sizes size(false, 0), sizeProduct(false, binaryOperator(T::Star)->level), sizeAtom(false, primaryLevel),
    axis(true, 0);

struct TypeId {};
const x3::rule<TypeId, ast::TypeExpr> type = "type";
const auto kind = mark(T::Real) | mark(T::Int)[put(&ast::TypeExpr::kind, Kind::Int)] |
                  mark(T::Bool)[put(&ast::TypeExpr::kind, Kind::Bool)];
const auto axesEnd = ahead([](Iterator at, const State &state) {
  if (at->kind == T::Plus || at->kind == T::Minus || at->kind == T::Star)
    state.fail(at, "an axis or ']'", "inside a type a blank parts two axes: write n+m or (n + m)");
  if (at->kind != T::RightBracket)
    state.fail(at, "an axis or ']'");
  return true;
});
const auto type_def =
    spanned(-kind >> (mark(T::LeftBracket)) >> *axis[push(&ast::TypeExpr::axes)] >>
            -(mark(T::DotDot) >> need("a name for the further axes", name)[set(&ast::TypeExpr::rest)]) >> axesEnd >>
            mark(T::RightBracket));

struct CapId {};
const x3::rule<CapId, Cap> cap = "cap";
static auto is(Cap value) {
  return [value](auto &context) { x3::_val(context) = value; };
}
const auto cap_def = mark(T::Simd)[is(Cap::None)] | mark(T::Sum)[is(Cap::Sum)] | mark(T::Prod)[is(Cap::Prod)] |
                     mark(T::Max)[is(Cap::Max)] | mark(T::Min)[is(Cap::Min)] | mark(T::Any)[is(Cap::Any)] |
                     mark(T::All)[is(Cap::All)];

// ---- Expressions

/// Operators by climbing over operators.def; indexing; everything else is `primary`.
struct Expressions : x3::parser<Expressions> {
  using attribute_type = ast::ExprRef;
  static constexpr bool has_attribute = true;

  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &, Attribute &attribute) const;

private:
  template <class Context>
  static ast::ExprRef climb(Iterator &first, const Iterator &last, const Context &context, unsigned level);
  template <class Context>
  static ast::ExprRef operand(Iterator &first, const Iterator &last, const Context &context, unsigned level);
};
const Expressions expr;
const char *const anExpression = "an expression";

struct PrimaryId {};
struct BlockId {};
struct CallId {};
struct IndexId {};
struct TupleId {};
struct BoxId {};
struct ScanId {};
struct WireId {};
struct StateId {};
struct KeywordId {};
const x3::rule<PrimaryId, ast::ExprRef> primary = "primary";
const x3::rule<BlockId, ast::Block> block = "block";
const x3::rule<CallId, ast::CallExpr> call = "call";
const x3::rule<IndexId, ast::IndexExpr> index = "index";
const x3::rule<TupleId, ast::TupleExpr> tuple = "tuple";
const x3::rule<BoxId, ast::BoxExpr> box = "box";
const x3::rule<ScanId, ast::ScanExpr> scan = "scan";
const x3::rule<WireId, ast::HeaderWire> wire = "wire";
const x3::rule<StateId, ast::StateDecl> state = "state";
const x3::rule<KeywordId, ast::KeywordArgument> keyword = "keyword";

const auto keyword_def = ahead(startsKeyword) >> name[set(&ast::KeywordArgument::name)] >> mark(T::Assign) >>
                         need(anExpression, expr)[set(&ast::KeywordArgument::value)];

/// Positional arguments, then keywords, then the parenthesis; for whatever has both.
template <class Node> auto argumentsOf() {
  auto keywords = listOf("an argument 'name = value'", keyword[push(&Node::keywords)]);
  auto arguments =
      ahead(startsKeyword) >> keywords |
      need(anExpression, expr)[push(&Node::arguments)] >>
          *(mark(T::Comma) >> (ahead(startsKeyword) >> keywords | need(anExpression, expr)[push(&Node::arguments)]));
  return mark(T::LeftParen) >> (mark(T::RightParen) | arguments >> need("',' or ')'", mark(T::RightParen)));
}
const auto call_def = ahead(startsCall) >> anyWord[set(&ast::CallExpr::callee)] >> argumentsOf<ast::CallExpr>();
const auto index_def = mark(T::LeftBracket) >> listOf(anExpression, expr[push(&ast::IndexExpr::indices)]) >>
                       need("',' or ']'", mark(T::RightBracket));
const auto tuple_def = mark(T::LeftParen) >> listOf(anExpression, expr[push(&ast::TupleExpr::elements)]) >>
                       need("',' or ')'", mark(T::RightParen));

const auto bodyOfBox = [](auto &context) {
  x3::_val(context).body = std::make_shared<ast::Block>(std::move(x3::_attr(context)));
};
const auto wire_def = name[set(&ast::HeaderWire::name)] >>
                      -(mark(T::Assign) >> need(anExpression, expr)[set(&ast::HeaderWire::value)]);
template <class Node> auto headerOf() {
  return need("a size", size)[set(&Node::size)] >>
         -(mark(T::As) >> need("a name for the index", name)[set(&Node::index)]);
}
template <class Node> auto wiresOf() {
  return -(mark(T::LeftParen) >> (mark(T::RightParen) | listOf("the name of a wire", wire[push(&Node::wires)]) >>
                                                            need("',' or ')'", mark(T::RightParen))));
}
const auto braceOfBox = ahead([](Iterator at, const State &state) {
  if (at->kind != T::LeftBrace)
    state.fail(at, "'{'", "a box has its body in braces; a fold of an array is written without a blank: sum(x)");
  return true;
});
const auto box_def = ahead(startsBox) >> cap[set(&ast::BoxExpr::cap)] >>
                     headerOf<ast::BoxExpr>() >> wiresOf<ast::BoxExpr>() >> braceOfBox >> block[bodyOfBox];
const auto state_def = name[set(&ast::StateDecl::name)] >> need(T::Colon) >>
                       need("a type", type)[set(&ast::StateDecl::type)] >> need(T::Assign) >>
                       need(anExpression, expr)[set(&ast::StateDecl::initial)];
const auto scan_def = mark(T::Scan) >> headerOf<ast::ScanExpr>() >> wiresOf<ast::ScanExpr>() >> need(T::From) >>
                      listOf("a state 'name: type = initial'", state[push(&ast::ScanExpr::states)]) >>
                      need("'{'", block)[bodyOfBox];

const Literals literal;

const auto nameNode = [](auto &context) {
  x3::_val(context) = std::make_shared<ast::Expr>(ast::Expr{ast::NameExpr{std::move(x3::_attr(context).text)}, {}});
};
const auto tupleNode = [](auto &context) {
  ast::TupleExpr &tuple = x3::_attr(context);
  if (tuple.elements.size() == 1)
    x3::_val(context) = std::move(tuple.elements[0]);
  else
    x3::_val(context) = std::make_shared<ast::Expr>(ast::Expr{std::move(tuple), {}});
};
const auto primary_def = literal[take] | call[node] | name[nameNode] | tuple[tupleNode] | box[node] | scan[node];

// ---- Statements

struct LearnerId {};
struct InstanceId {};
struct TargetId {};
struct BindingId {};
const x3::rule<LearnerId, ast::LearnerDecl> learner = "learner";
const x3::rule<InstanceId, ast::InstanceDecl> instance = "instance";
const x3::rule<TargetId, ast::Binding::Target> target = "target";
const x3::rule<BindingId, ast::Binding> binding = "binding";

template <class Member> auto typesInto(Member member) { return listOf("a type", type[push(member)], T::At); }

using Learner = ast::LearnerDecl;
static auto isKind(Learner::Kind kind) { return put(&Learner::kind, kind); }
const auto label = need("a name for the learner", name)[set(&Learner::label)];
const auto codomain = need("a type", type)[push(&Learner::codomain)];
const auto per = mark(T::Per) >> need("a size", sizeProduct)[push(&Learner::per)];
const auto width = mark(T::Width) >> need("a size", sizeProduct)[set(&Learner::width)];
const auto mapping = label >> need(T::Colon) >> typesInto(&Learner::domain) >>
                     need("'@' or '->'", mark(T::Arrow)) >> codomain;
const auto learner_def =
    spanned((mark(T::Linear)[isKind(Learner::Kind::Linear)] | mark(T::Affine)[isKind(Learner::Kind::Affine)]) >>
                mapping >> *per |
            mark(T::Universal)[isKind(Learner::Kind::Universal)] >> mapping >> *(per | width) |
            mark(T::Param)[isKind(Learner::Kind::Param)] >> label >> need(T::Colon) >> codomain >> *per);
const auto instance_def =
    spanned(ahead(startsInstance) >> mark(T::Box) >> name[set(&ast::InstanceDecl::label)] >> need(T::Assign) >>
            need("the name of a diagram", name)[set(&ast::InstanceDecl::diagram)] >>
            *(mark(T::Per) >> need("a size", sizeProduct)[push(&ast::InstanceDecl::per)]));
const auto target_def = name[set(&ast::Binding::Target::name)] >>
                        -(mark(T::Colon) >> need("a type", type)[set(&ast::Binding::Target::type)]);
const auto targets = mark(T::LeftParen) >> listOf("a name", target[push(&ast::Binding::targets)]) >>
                         need("',' or ')'", mark(T::RightParen)) |
                     target[push(&ast::Binding::targets)];
const auto binding_def =
    spanned(ahead(startsBinding) >> targets >> need(T::Assign) >> need(anExpression, expr)[set(&ast::Binding::value)]);
const auto block_def =
    spanned(mark(T::LeftBrace) >> *(learner[push(&ast::Block::statements)] | instance[push(&ast::Block::statements)] |
                                    binding[push(&ast::Block::statements)]) >>
            need("the result of the body, an expression", expr)[set(&ast::Block::result)] >> need(T::RightBrace));

// ---- Terms

struct SeqId {};
struct TensorId {};
struct FactorId {};
struct AtomId {};
struct BoxTermId {};
struct ScanTermId {};
struct ModeId {};
struct TermRefId {};
struct TensorRefId {};
struct FactorRefId {};
const x3::rule<TermRefId, ast::TermRef> term = "term";
const x3::rule<TensorRefId, ast::TermRef> tensor = "tensor";
const x3::rule<FactorRefId, ast::TermRef> factor = "factor";
const x3::rule<SeqId, ast::SeqTerm> seq = "seq";
const x3::rule<TensorId, ast::TensorTerm> beside = "beside";
const x3::rule<AtomId, ast::AtomTerm> atom = "atom";
const x3::rule<BoxTermId, ast::BoxTerm> boxTerm = "boxTerm";
const x3::rule<ScanTermId, ast::ScanTerm> scanTerm = "scanTerm";
const x3::rule<ModeId, Mode> mode = "mode";
const char *const aTerm = "a diagram: an atom, a box or a term in parentheses";

/// A list of one is its element, and a list of its own kind in parentheses is spliced: both are associative.
template <class List> auto flatten() {
  return [](auto &context) {
    List list;
    for (ast::TermRef &element : x3::_attr(context).terms) {
      if (auto *inner = std::get_if<List>(&element->node))
        list.terms.insert(list.terms.end(), inner->terms.begin(), inner->terms.end());
      else
        list.terms.push_back(std::move(element));
    }
    x3::_val(context) =
        list.terms.size() == 1 ? list.terms[0] : std::make_shared<ast::Term>(ast::Term{std::move(list), {}});
  };
}
const auto seq_def = tensor[push(&ast::SeqTerm::terms)] >>
                     *(mark(T::Semicolon) >> need(aTerm, tensor)[push(&ast::SeqTerm::terms)]);
const auto beside_def = factor[push(&ast::TensorTerm::terms)] >>
                        *(mark(T::At) >> need(aTerm, factor)[push(&ast::TensorTerm::terms)]);
const auto term_def = spanned(deeper(seq)[flatten<ast::SeqTerm>()]);
const auto tensor_def = spanned(beside[flatten<ast::TensorTerm>()]);

const auto mode_def =
    ahead(isMode) >>
    name[([](auto &context) { x3::_val(context) = x3::_attr(context).text == "map" ? Mode::Map : Mode::Share; })];
template <class Node> auto modesOf() {
  return -(mark(T::LeftParen) >> (mark(T::RightParen) | listOf("'map' or 'share'", mode[push(&Node::modes)]) >>
                                                            need("',' or ')'", mark(T::RightParen))));
}
template <class Node> auto bodyOf() {
  return need(T::LeftBrace) >> need(aTerm, term)[set(&Node::body)] >> need(T::RightBrace);
}
const auto boxTerm_def = ahead(startsBoxTerm) >> cap[set(&ast::BoxTerm::cap)] >>
                         headerOf<ast::BoxTerm>() >> modesOf<ast::BoxTerm>() >> bodyOf<ast::BoxTerm>();
const auto scanTerm_def = mark(T::Scan) >> headerOf<ast::ScanTerm>() >> modesOf<ast::ScanTerm>() >> need(T::From) >>
                          listOf("a type", type[push(&ast::ScanTerm::states)]) >> bodyOf<ast::ScanTerm>();
const auto atom_def = Word(isAtomName)[set(&ast::AtomTerm::name)] >>
                      -(ahead(startsAtomArguments) >> argumentsOf<ast::AtomTerm>()) >>
                      -(ahead(startsAtomType) >> type[set(&ast::AtomTerm::type)]);

const auto literalNode = [](auto &context) {
  ast::ExprRef value = std::move(x3::_attr(context));
  Span span = value->span;
  x3::_val(context) = std::make_shared<ast::Term>(ast::Term{ast::LiteralTerm{std::move(value)}, span});
};
/// A number with a minus: `-0.5`, `-inf`.
struct Negatives : x3::parser<Negatives> {
  using attribute_type = ast::ExprRef;
  static constexpr bool has_attribute = true;
  template <class Context, class RuleContext, class Attribute>
  bool parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &rule,
             Attribute &attribute) const {
    if (first->kind != T::Minus)
      return false;
    State &state = stateOf(context);
    Iterator start = first++;
    ast::ExprRef value;
    if (first->kind == T::Name)
      value = std::make_shared<ast::Expr>(ast::Expr{ast::NameExpr{state.text(*first)}, state.span(first, first + 1)}),
      ++first;
    else if (first->kind != T::Number || !literal.parse(first, last, context, rule, value))
      state.fail(first, "a number");
    x3::traits::move_to(std::make_shared<ast::Expr>(
                            ast::Expr{ast::Unary{ast::Unary::Op::Neg, std::move(value)}, state.span(start, first)}),
                        attribute);
    return true;
  }
};
const auto factor_def =
    spanned(mark(T::LeftParen) >> need(aTerm, term)[take] >> need("';', '@' or ')'", mark(T::RightParen)) |
            literal[literalNode] | Negatives()[literalNode] | boxTerm[node] | scanTerm[node] | atom[node]);

// ---- Definitions

struct ImportId {};
struct HoleId {};
struct ParameterId {};
struct ResultId {};
struct NamedResultId {};
struct ConditionId {};
struct FillingId {};
struct SpecialiseId {};
struct DiagramId {};
const x3::rule<ImportId, ast::Import> import = "import";
const x3::rule<HoleId, ast::LearnerDecl> hole = "hole";
const x3::rule<ParameterId, ast::Parameter> parameter = "parameter";
const x3::rule<ResultId, ast::ResultType> result = "result";
const x3::rule<NamedResultId, ast::ResultType> namedResult = "namedResult";
const x3::rule<ConditionId, ast::Condition> condition = "condition";
const x3::rule<FillingId, ast::Filling> filling = "filling";
const x3::rule<SpecialiseId, ast::DiagramDecl> specialise = "specialise";
const x3::rule<DiagramId, ast::DiagramDecl> diagram = "diagram";

const auto import_def = spanned(mark(T::Import) >> need("the name of a file in quotes", Word([](const Token &token) {
                                                          return token.kind == T::String;
                                                        }))[([](auto &context) {
                                  const std::string &quoted = x3::_attr(context).text;
                                  x3::_val(context).path = quoted.substr(1, quoted.size() - 2);
                                })]);
const auto hole_def = spanned(name[set(&Learner::label)] >> x3::eps[isKind(Learner::Kind::Hole)] >> need(T::Colon) >>
                              (mark(T::Arrow) | typesInto(&Learner::domain) >> need("'@' or '->'", mark(T::Arrow))) >>
                              typesInto(&Learner::codomain) >>
                              -(mark(T::Assign) >> need("the name of a diagram", name)[set(&Learner::defaultBox)]));
const auto parameter_def = name[set(&ast::Parameter::name)] >> need(T::Colon) >>
                           need("a type", type)[set(&ast::Parameter::type)];
const auto result_def = type[set(&ast::ResultType::type)];
const auto namedResult_def = name[set(&ast::ResultType::name)] >> need(T::Colon) >>
                             need("a type", type)[set(&ast::ResultType::type)];

static auto relates(ast::Condition::Relation value) { return put(&ast::Condition::relation, value); }
const auto relation = mark(T::EqualEqual)[relates(ast::Condition::Relation::Equal)] |
                      mark(T::GreaterEqual)[relates(ast::Condition::Relation::AtLeast)] |
                      mark(T::LessEqual)[relates(ast::Condition::Relation::AtMost)];
/// `%` binds tighter than `+`, as in expressions. A product is read again when no `%` follows.
const auto condition_def =
    spanned((sizeProduct[set(&ast::Condition::left)] >> mark(T::Percent) >>
                 need("a size", sizeAtom)[set(&ast::Condition::modulus)] |
             need("a condition on sizes", size)[set(&ast::Condition::left)]) >>
            need("'==', '>=' or '<='", relation) >> need("a size", size)[set(&ast::Condition::right)]);

const auto filling_def = spanned(name[set(&ast::Filling::learner)] >>
                                 -(mark(T::LeftParen) >> listOf("a name", name[push(&ast::Filling::parameters)]) >>
                                   need("',' or ')'", mark(T::RightParen))) >>
                                 need(T::Assign) >> need(anExpression, expr)[set(&ast::Filling::value)]);

/// Sets or extends a member of the form the definition has.
template <class Form, class Member> auto setIn(Member member) {
  return [member](auto &context) { std::get<Form>(x3::_val(context).form).*member = std::move(x3::_attr(context)); };
}
template <class Form, class Member> auto pushIn(Member member) {
  return [member](auto &context) {
    (std::get<Form>(x3::_val(context).form).*member).push_back(std::move(x3::_attr(context)));
  };
}
template <class Form> auto begin(Form form) {
  return [form](auto &context) { x3::_val(context).form = form; };
}
using Decl = ast::DiagramDecl;
using Named = ast::NamedForm;
using PointFree = ast::PointFreeForm;
using Special = ast::SpecialiseForm;

const auto boxes = mark(T::With) >> need(T::LeftParen) >>
                   listOf("a box 'name: type -> type'", hole[push(&Decl::boxes)]) >>
                   need("',' or ')'", mark(T::RightParen));
const auto where = mark(T::Where) >> listOf("a condition on sizes", condition[push(&Decl::conditions)]);
const auto results = mark(T::LeftParen) >> listOf("a result 'name: type'", namedResult[push(&Decl::results)]) >>
                         need("',' or ')'", mark(T::RightParen)) |
                     listOf("a type", result[push(&Decl::results)], T::At);
const auto bodyAction = [](auto &context) {
  std::get<Named>(x3::_val(context).form).body = std::make_shared<ast::Block>(std::move(x3::_attr(context)));
};
const auto named = mark(T::LeftParen) >> (mark(T::RightParen) | listOf("a parameter 'name: type'",
                                                                       parameter[pushIn<Named>(&Named::parameters)]) >>
                                                                    need("',' or ')'", mark(T::RightParen))) >>
                   -boxes >> need(T::Arrow) >> results >> -where >> need("'{'", block)[bodyAction];
const auto pointFree = mark(T::Colon)[begin(PointFree())] >>
                       (mark(T::Arrow) | listOf("a type", type[pushIn<PointFree>(&PointFree::domain)], T::At) >>
                                             need("'@' or '->'", mark(T::Arrow))) >>
                       results >> -boxes >> -where >> *(learner[pushIn<PointFree>(&PointFree::learners)] |
                                                        instance[pushIn<PointFree>(&PointFree::learners)]) >>
                       need(T::Assign) >> need(aTerm, term)[setIn<PointFree>(&PointFree::term)];
const auto diagram_def = spanned(mark(T::Diagram) >> need("a name for the diagram", name)[set(&Decl::name)] >>
                                 need("'(' or ':'", named | pointFree));

const auto base = need("the name of a diagram", name)[setIn<Special>(&Special::base)];
const auto fillingIn = filling[pushIn<Special>(&Special::fillings)];
const auto specialise_def =
    spanned(name[set(&Decl::name)] >> need(T::Assign) >>
            (mark(T::Specialise)[begin(Special{{}, true, {}, {}})] >> base >> need(T::LeftBrace) >>
                 *(learner[pushIn<Special>(&Special::learners)] | fillingIn) >>
                 need("a filling 'name = value' or '}'", mark(T::RightBrace)) |
             x3::eps[begin(Special{{}, false, {}, {}})] >> base >>
                 -(mark(T::With) >> need(T::LeftParen) >> listOf("a filling 'name = value'", fillingIn) >>
                   need("',' or ')'", mark(T::RightParen)))));

BOOST_SPIRIT_DEFINE(type, cap, primary, block, call, index, tuple, box, scan, wire, state, keyword)
BOOST_SPIRIT_DEFINE(learner, instance, target, binding, term, tensor, factor, seq, beside, atom, boxTerm, scanTerm,
                    mode)
BOOST_SPIRIT_DEFINE(import, hole, parameter, result, namedResult, condition, filling, specialise, diagram)

// ---- Climbing

static ast::ExprRef binary(const BinaryOperator &op, ast::ExprRef left, ast::ExprRef right, Span span) {
  return std::make_shared<ast::Expr>(ast::Expr{ast::Binary{op.op, std::move(left), std::move(right)}, span});
}

template <class Context, class RuleContext, class Attribute>
bool Expressions::parse(Iterator &first, const Iterator &last, const Context &context, RuleContext &,
                        Attribute &attribute) const {
  ast::ExprRef value = climb(first, last, context, 0);
  if (!value)
    return false;
  x3::traits::move_to(std::move(value), attribute);
  return true;
}

/// An expression of operators of at least `level`; null, with nothing read, when none begins here. The
/// height of a chain to the left counts as nesting, so that the tree is never deeper than maxNesting.
template <class Context>
ast::ExprRef Expressions::climb(Iterator &first, const Iterator &last, const Context &context, unsigned level) {
  State &state = stateOf(context);
  Nested nested(state, first);
  unsigned outer = std::exchange(state.deepest, state.depth);
  Iterator start = first;
  ast::ExprRef left = operand(first, last, context, level);
  while (left) {
    const BinaryOperator *op = binaryOperator(first->kind);
    if (!op || op->level < level)
      break;
    unsigned height = state.deepest + 1;
    state.bound(first, height);
    ++first;
    ast::ExprRef right = climb(first, last, context, rightLevel(*op));
    if (!right)
      state.fail(first, anExpression);
    left = binary(*op, std::move(left), std::move(right), state.span(start, first));
    state.deepest = std::max(state.deepest, height);
    const BinaryOperator *next = binaryOperator(first->kind);
    if (op->associativity == Associativity::None && next && next->level == op->level)
      state.fail(first, "'and' between two comparisons", "comparisons do not chain: write a < b and b < c");
  }
  state.deepest = std::max(state.deepest, outer);
  return left;
}

template <class Context>
ast::ExprRef Expressions::operand(Iterator &first, const Iterator &last, const Context &context, unsigned level) {
  State &state = stateOf(context);
  Iterator start = first;
  if (const PrefixOperator *op = prefixOperator(first->kind)) {
    if (op->level < level)
      state.fail(first, anExpression,
                 "'" + std::string(spelling(op->token)) +
                     "' binds looser than what is before it: put it in parentheses");
    ++first;
    ast::ExprRef value = climb(first, last, context, op->level);
    if (!value)
      state.fail(first, anExpression);
    return std::make_shared<ast::Expr>(ast::Expr{ast::Unary{op->op, std::move(value)}, state.span(start, first)});
  }
  ast::ExprRef value;
  if (!primary.parse(first, last, context, x3::unused, value))
    return nullptr;
  // What was in parentheses has its own span.
  if (!value->span.valid())
    value->span = state.span(start, first);
  while (first->kind == T::LeftBracket && onSameLine(*first)) {
    state.bound(first, ++state.deepest);
    ast::IndexExpr access;
    access.array = std::move(value);
    index.parse(first, last, context, x3::unused, access);
    value = std::make_shared<ast::Expr>(ast::Expr{std::move(access), state.span(start, first)});
  }
  return value;
}

} // namespace attnc::grammar

namespace attnc {

template <class Value, class Rule>
static Item itemOf(const Rule &rule, const char *what, grammar::State &state, grammar::Iterator &first) {
  Value value;
  grammar::Iterator last = state.stream.tokens.data() + state.stream.tokens.size();
  auto context = grammar::x3::make_context<grammar::StateTag>(state);
  if (!rule.parse(first, last, context, grammar::x3::unused, value))
    state.fail(first, what);
  return value;
}

tl::expected<Item, SyntaxFailure> parseItem(const TokenStream &stream, std::uint32_t &position) {
  grammar::State state{stream};
  grammar::Iterator first = stream.tokens.data() + position;
  try {
    Item item = first->kind == TokenKind::Import ? itemOf<ast::Import>(grammar::import, "", state, first)
                : first->kind == TokenKind::Diagram
                    ? itemOf<ast::DiagramDecl>(grammar::diagram, "", state, first)
                    : itemOf<ast::DiagramDecl>(grammar::specialise, "a definition: 'diagram', 'import' or 'name = …'",
                                               state, first);
    position = first - stream.tokens.data();
    return item;
  } catch (SyntaxFailure &failure) {
    return tl::unexpected(std::move(failure));
  }
}

} // namespace attnc
