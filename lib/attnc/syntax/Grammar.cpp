// The grammar of grammar/attnc.ebnf in Boost.Spirit X3, production by production. Every choice is made by the
// next token or two, so reading is linear; what a choice has begun must follow (`need`), which gives the
// expectation points their words.
#include "attnc/syntax/GrammarExpressions.h"

namespace attnc::grammar {

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
/// `%` binds tighter than `+`, and `^` than both, as in expressions. A product is read again when no `%` follows, an
/// atom when no `^` does.
const auto condition_def =
    spanned((sizeProduct[set(&ast::Condition::left)] >> mark(T::Percent) >>
                 need("a size", sizeAtom)[set(&ast::Condition::modulus)] |
             need("a condition on sizes", size)[set(&ast::Condition::left)]) >>
            need("'==', '>=' or '<='", relation) >> (sizeAtom[set(&ast::Condition::right)] >> mark(T::Caret) >>
                                                         need("a size", sizeAtom)[set(&ast::Condition::exponent)] |
                                                     need("a size", size)[set(&ast::Condition::right)]));

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

// ---- Theories

struct RuleId {};
struct PatternId {};
struct ForallId {};
struct SideId {};
struct StepId {};
struct StepArgumentId {};
struct DerivationId {};
struct MemberId {};
struct TheoryId {};
struct TaxonomyId {};
const x3::rule<RuleId, ast::RuleDecl> rule = "rule";
const x3::rule<PatternId, ast::LearnerDecl> pattern = "pattern";
const x3::rule<ForallId, ast::Forall> forall = "forall";
const x3::rule<SideId, ast::BlockRef> side = "side";
const x3::rule<StepId, ast::DerivationStep> step = "step";
const x3::rule<StepArgumentId, ast::DerivationStep::Argument> stepArgument = "stepArgument";
const x3::rule<DerivationId, ast::DerivationDecl> derivation = "derivation";
const x3::rule<MemberId, ast::TheoryDecl::Member> member = "member";
const x3::rule<TheoryId, ast::TheoryDecl> theory = "theory";
const x3::rule<TaxonomyId, ast::TaxonomyDecl> taxonomy = "taxonomy";

using RuleDecl = ast::RuleDecl;
using Step = ast::DerivationStep;
static auto isRule(RuleDecl::Kind kind) { return put(&RuleDecl::kind, kind); }
/// A word that is a name elsewhere.
static auto word(const char *text) {
  return ahead([text](Iterator at, const State &state) {
           return at->kind == T::Name && state.stream.spelling(*at) == text;
         }) >>
         x3::omit[name];
}
const Naturals natural;

const auto pattern_def = spanned(
    mark(T::Box) >> need("a name for the box", name)[set(&Learner::label)] >> x3::eps[isKind(Learner::Kind::Hole)] >>
    need(T::Colon) >> (mark(T::Arrow) | typesInto(&Learner::domain) >> need("'@' or '->'", mark(T::Arrow))) >>
    typesInto(&Learner::codomain));
/// Above the comparisons, for `==` parts the sides.
const Expressions sideExpr(binaryOperator(T::Plus)->level);
const auto blockSide = [](auto &context) {
  x3::_val(context) = std::make_shared<ast::Block>(std::move(x3::_attr(context)));
};
const auto exprSide = [](auto &context) {
  ast::ExprRef value = std::move(x3::_attr(context));
  Span span = value->span;
  x3::_val(context) = std::make_shared<ast::Block>(ast::Block{{}, std::move(value), span});
};
const auto side_def = block[blockSide] | sideExpr[exprSide];
const char *const aSide = "a side of the rule, an expression or a body in braces";
const auto forall_def = spanned(mark(T::Forall) >> need(T::LeftParen) >>
                                listOf("a wire 'name: type'", parameter[push(&ast::Forall::parameters)]) >>
                                need("',' or ')'", mark(T::RightParen)));
const auto rule_def = spanned(
    mark(T::Rule) >> need("a name for the rule", name)[set(&RuleDecl::name)] >> need(T::Colon) >>
    need("'equation', 'specialise' or 'express'", mark(T::Equation)[isRule(RuleDecl::Kind::Equation)] |
                                                      mark(T::Specialise)[isRule(RuleDecl::Kind::Specialise)] |
                                                      mark(T::Express)[isRule(RuleDecl::Kind::Express)]) >>
    *(mark(T::Per) >> need("a size", sizeProduct)[push(&RuleDecl::per)]) >> -forall[set(&RuleDecl::forall)] >>
    *(learner[push(&RuleDecl::learners)] | pattern[push(&RuleDecl::learners)]) >>
    -(mark(T::If) >> listOf("a condition on sizes", condition[push(&RuleDecl::conditions)])) >>
    need(aSide, side)[set(&RuleDecl::left)] >>
    need("'==' or '=>'", mark(T::EqualEqual)[put(&RuleDecl::bothWays, true)] | mark(T::Implies)) >>
    need(aSide, side)[set(&RuleDecl::right)] >>
    -(mark(T::By) >> need(T::LeftBrace) >> need("a filling 'name = value'", filling)[push(&RuleDecl::fillings)] >>
      *filling[push(&RuleDecl::fillings)] >> need("a filling 'name = value' or '}'", mark(T::RightBrace))));

const auto stepArgument_def = name[set(&Step::Argument::name)] >> need(T::Assign) >>
                              need("a size", size)[set(&Step::Argument::value)];
const auto step_def = spanned(mark(T::By) >> need("the name of a rule", name)[set(&Step::rule)] >>
                              -word("reversed")[put(&Step::reversed, true)] >>
                              -(word("at") >> need("the name of a wire or the number of a match",
                                                   natural[set(&Step::match)] | name[set(&Step::place)]) |
                                word("everywhere")[put(&Step::everywhere, true)]) >>
                              -(mark(T::With) >> listOf("a size 'name = size'", stepArgument[push(&Step::arguments)])));
const auto derivation_def = spanned(
    mark(T::Derivation) >> need("a name for the derivation", name)[set(&ast::DerivationDecl::name)] >> need(T::Colon) >>
    need("the name of a diagram", name)[set(&ast::DerivationDecl::from)] >> need(T::Implies) >>
    need("the name of a diagram", name)[set(&ast::DerivationDecl::to)] >> need(T::LeftBrace) >>
    *step[push(&ast::DerivationDecl::steps)] >> need("a step 'by rule' or '}'", mark(T::RightBrace)));

const auto member_def = name[set(&ast::TheoryDecl::Member::rule)] >>
                        -word("reversed")[put(&ast::TheoryDecl::Member::reversed, true)];
const auto theory_def =
    spanned(mark(T::Theory) >> need("a name for the theory", name)[set(&ast::TheoryDecl::name)] >> need(T::LeftBrace) >>
            *member[push(&ast::TheoryDecl::rules)] >> need("the name of a rule or '}'", mark(T::RightBrace)));

const auto startsDepth = [](Iterator at, const State &) { return at->kind == T::Name && at[1].kind == T::Number; };
const auto taxonomy_def =
    spanned(mark(T::Taxonomy) >> need("a name for the taxonomy", name)[set(&ast::TaxonomyDecl::name)] >>
            need(T::Colon) >> need("the name of a diagram", name)[set(&ast::TaxonomyDecl::root)] >> need(T::By) >>
            need("the name of a theory", name)[set(&ast::TaxonomyDecl::theory)] >>
            -(ahead(startsDepth) >> word("depth") >> need("a number", natural)[set(&ast::TaxonomyDecl::depth)]));

// ---- Generators

using Generators = ast::GeneratorsDecl;
using Sort = Generators::Sort;
using Operation = Generators::Operation;
using Criterion = Generators::Criterion;
struct InputId {};
struct SortId {};
struct CopyId {};
struct OperationId {};
struct ClassId {};
struct CriterionId {};
struct LawId {};
struct GeneratorsId {};
const x3::rule<InputId, Generators::Input> generatorInput = "generatorInput";
const x3::rule<SortId, Sort> sort = "sort";
const x3::rule<CopyId, Generators::Copy> copies = "copies";
const x3::rule<OperationId, Operation> operation = "operation";
const x3::rule<ClassId, Generators::Class> classOfOperations = "class";
const x3::rule<CriterionId, Criterion> criterion = "criterion";
const x3::rule<LawId, Generators::Equation> law = "law";
const x3::rule<GeneratorsId, Generators> generators = "generators";

/// A word that begins a line, which is an operation's name when a colon follows.
static auto opening(const char *text) {
  return ahead([](Iterator at, const State &) { return at[1].kind != T::Colon; }) >> word(text);
}
template <class Member> auto namesInto(const char *what, Member member) { return listOf(what, name[push(member)]); }
static auto isCriterion(Criterion::Kind kind) { return put(&Criterion::kind, kind); }
const auto generatorInput_def = name[set(&Generators::Input::name)] >> need(T::Colon) >>
                                need("the name of a sort", name)[set(&Generators::Input::sort)];
const auto sort_def = spanned(
    opening("sort") >> need("a name for the sort", name)[set(&Sort::name)] >> need(T::Assign) >>
    typesInto(&Sort::types) >>
    -(mark(T::With) >> need("'linear', 'affine' or 'universal'",
                            mark(T::Linear)[put(&Sort::learner, std::optional(Learner::Kind::Linear))] |
                                mark(T::Affine)[put(&Sort::learner, std::optional(Learner::Kind::Affine))] |
                                mark(T::Universal)[put(&Sort::learner, std::optional(Learner::Kind::Universal))])));
const auto copies_def = spanned(opening("copy") >> namesInto("an input or a sort", &Generators::Copy::names));
const auto operation_def =
    spanned(name[set(&Operation::name)] >> need(T::Colon) >>
            (mark(T::Arrow) | listOf("the name of a sort", name[push(&Operation::domain)], T::At) >>
                                  need("'@' or '->'", mark(T::Arrow))) >>
            need("the name of a sort", name)[set(&Operation::codomain)] >> need(T::Assign) >>
            need("the name of a diagram", name)[set(&Operation::meaning)]);
const auto classOfOperations_def =
    spanned(opening("class") >> need("a name for the class", name)[set(&Generators::Class::name)] >> need(T::Assign) >>
            namesInto("the name of an operation", &Generators::Class::operations));
const auto criterion_def = spanned(
    opening("without") >> need("a name for what is redundant", name)[set(&Criterion::name)] >> need(T::Assign) >>
    need("'through', 'sharing' or 'using'", word("through")[isCriterion(Criterion::Kind::Through)] |
                                                word("sharing")[isCriterion(Criterion::Kind::Sharing)] |
                                                word("using")[isCriterion(Criterion::Kind::Using)]) >>
    namesInto("the name of a sort or an operation", &Criterion::of));
const auto law_def =
    spanned(mark(T::Equation) >> need("a name for the equation", name)[set(&Generators::Equation::name)] >>
            need(T::Colon) >> need(anExpression, sideExpr)[set(&Generators::Equation::left)] >> need(T::EqualEqual) >>
            need(anExpression, sideExpr)[set(&Generators::Equation::right)]);
const auto generators_def = spanned(
    mark(T::Generators) >> need("a name for the generators", name)[set(&Generators::name)] >> need(T::LeftParen) >>
    (mark(T::RightParen) | listOf("an input 'name: sort'", generatorInput[push(&Generators::inputs)]) >>
                               need("',' or ')'", mark(T::RightParen))) >>
    need(T::Arrow) >> need("the name of a sort", name)[set(&Generators::output)] >> need(T::LeftBrace) >>
    *(sort[push(&Generators::lines)] | copies[push(&Generators::lines)] | classOfOperations[push(&Generators::lines)] |
      criterion[push(&Generators::lines)] | law[push(&Generators::lines)] | operation[push(&Generators::lines)]) >>
    need("a sort, an operation 'name : sorts -> sort = diagram', 'copy', 'class', 'without', 'equation' or '}'",
         mark(T::RightBrace)));

BOOST_SPIRIT_DEFINE(type, cap, primary, block, call, index, tuple, box, scan, wire, state, keyword)
BOOST_SPIRIT_DEFINE(learner, instance, target, binding, term, tensor, factor, seq, beside, atom, boxTerm, scanTerm,
                    mode)
BOOST_SPIRIT_DEFINE(import, hole, parameter, result, namedResult, condition, filling, specialise, diagram)
BOOST_SPIRIT_DEFINE(rule, forall, pattern, side, stepArgument, step, derivation, member, theory, taxonomy)
BOOST_SPIRIT_DEFINE(generatorInput, sort, copies, operation, classOfOperations, criterion, law, generators)

} // namespace attnc::grammar

namespace attnc {

template <class Value, class Rule>
static ast::Item itemOf(const Rule &rule, const char *what, grammar::State &state, grammar::Iterator &first) {
  Value value;
  grammar::Iterator last = state.stream.tokens.data() + state.stream.tokens.size();
  auto context = grammar::x3::make_context<grammar::StateTag>(state);
  if (!rule.parse(first, last, context, grammar::x3::unused, value))
    state.fail(first, what);
  return value;
}

tl::expected<ast::Item, SyntaxFailure> parseItem(const TokenStream &stream, std::uint32_t &position) {
  grammar::State state{stream};
  grammar::Iterator first = stream.tokens.data() + position;
  auto read = [&]() -> ast::Item {
    switch (first->kind) {
    case TokenKind::Import:
      return itemOf<ast::Import>(grammar::import, "", state, first);
    case TokenKind::Diagram:
      return itemOf<ast::DiagramDecl>(grammar::diagram, "", state, first);
    case TokenKind::Rule:
      return itemOf<ast::RuleDecl>(grammar::rule, "", state, first);
    case TokenKind::Derivation:
      return itemOf<ast::DerivationDecl>(grammar::derivation, "", state, first);
    case TokenKind::Theory:
      return itemOf<ast::TheoryDecl>(grammar::theory, "", state, first);
    case TokenKind::Taxonomy:
      return itemOf<ast::TaxonomyDecl>(grammar::taxonomy, "", state, first);
    case TokenKind::Generators:
      return itemOf<ast::GeneratorsDecl>(grammar::generators, "", state, first);
    default:
      return itemOf<ast::DiagramDecl>(
          grammar::specialise,
          "a definition: 'diagram', 'rule', 'derivation', 'theory', 'taxonomy', 'generators', 'import' or 'name = …'",
          state, first);
    }
  };
  try {
    ast::Item item = read();
    position = first - stream.tokens.data();
    return item;
  } catch (SyntaxFailure &failure) {
    return tl::unexpected(std::move(failure));
  }
}

} // namespace attnc
