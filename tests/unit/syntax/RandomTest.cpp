// Random trees print to text that reads back as the same tree: no parenthesis is missing.
#include "Syntax.h"

#include <random>

using namespace attnc;

namespace {

class Trees {
public:
  explicit Trees(unsigned seed) : random(seed) {}

  ast::ExprRef expr(unsigned depth) {
    static const std::string names[] = {"x", "y'", "_z"};
    auto make = [](auto node) { return std::make_shared<ast::Expr>(ast::Expr{std::move(node), {}}); };
    switch (depth == 0 ? pick(4) : 4 + pick(12)) {
    case 0:
      return make(ast::IntLiteral{std::int64_t(pick(10))});
    case 1:
      return make(ast::RealLiteral{0.5, "0.5"});
    case 2:
      return make(ast::BoolLiteral{pick(2) == 0});
    case 3:
      return make(ast::NameExpr{names[pick(3)]});
    case 4:
    case 5:
      return make(ast::Unary{pick(2) ? ast::Unary::Op::Neg : ast::Unary::Op::Not, expr(depth - 1)});
    case 6:
      return make(ast::IndexExpr{expr(depth - 1), {expr(depth - 1)}});
    case 7: {
      ast::CallExpr call{{pick(2) ? "f" : "sum", {}}, {expr(depth - 1)}, {}};
      if (pick(2))
        call.keywords.push_back({{"k", {}}, expr(depth - 1)});
      return make(std::move(call));
    }
    case 8:
      return make(ast::TupleExpr{{expr(depth - 1), expr(depth - 1)}});
    case 9: {
      auto body = std::make_shared<ast::Block>();
      if (pick(2))
        body->statements.push_back(ast::Binding{{{{"a", {}}, std::nullopt}}, expr(depth - 1), {}});
      body->result = expr(depth - 1);
      ast::BoxExpr box{pick(2) ? Cap::None : Cap::Max, size(2), std::nullopt, {}, body};
      if (pick(2))
        box.wires.push_back({{"x", {}}, pick(2) ? expr(depth - 1) : nullptr});
      return make(std::move(box));
    }
    default:
      return make(ast::Binary{ast::Binary::Op(pick(14)), expr(depth - 1), expr(depth - 1)});
    }
  }

  ast::SizeExpr size(unsigned depth) {
    ast::SizeExpr size;
    if (depth == 0 || pick(3) == 0) {
      size.op = pick(2) ? ast::SizeExpr::Op::Number : ast::SizeExpr::Op::Name;
      size.number = 3;
      size.name = "n";
      return size;
    }
    static constexpr ast::SizeExpr::Op ops[] = {ast::SizeExpr::Op::Add, ast::SizeExpr::Op::Sub, ast::SizeExpr::Op::Mul};
    size.op = ops[pick(3)];
    size.operands = {this->size(depth - 1), this->size(depth - 1)};
    return size;
  }

  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); }

private:
  std::mt19937 random;
};

} // namespace

TEST_CASE("random expressions") {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    ast::ExprRef tree = Trees(seed).expr(1 + seed % 5);
    std::string text = print(*tree);
    INFO(text);
    CHECK(expression(text) == dump(*tree));
  }
}

TEST_CASE("random sizes") {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    ast::SizeExpr tree = Trees(seed).size(seed % 6);
    std::string loose = print(tree), tight = print(ast::TypeExpr{Kind::Real, {tree, tree}, std::nullopt, {}});
    INFO(loose << "   " << tight);
    std::string want = dump(tree);
    CHECK(expression("simd " + loose + " { 0 }") == "(box simd " + want + " (block 0))");
    CHECK(definitions("diagram f() -> " + tight + " { 0 }") ==
          "(diagram f (results (real " + want + " " + want + ")) (block 0))");
  }
}
