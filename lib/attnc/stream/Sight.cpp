#include "attnc/stream/Sight.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace vector = mlir::vector;
using dialect::StreamOp;
using mlir::Value;
using mlir::ValueRange;
using Predicate = arith::CmpIPredicate;

arith::SelectOp choiceOfMask(StreamOp stream, Value score) {
  auto choice = score.getDefiningOp<arith::SelectOp>();
  llvm::APFloat number(0.0f);
  if (!choice || !mlir::matchPattern(choice.getFalseValue(), mlir::m_ConstantFloat(&number)))
    return nullptr;
  bool hidden = stream.getAlgebra() == "sum" ? number.isZero() : number.isInfinity() && number.isNegative();
  return hidden ? choice : nullptr;
}

Value unstored(Value condition) {
  auto comparison = condition.getDefiningOp<arith::CmpIOp>();
  if (!comparison || comparison.getPredicate() != Predicate::ne ||
      !mlir::matchPattern(comparison.getRhs(), mlir::m_Zero()))
    return condition;
  auto stored = comparison.getLhs().getDefiningOp<arith::ExtUIOp>();
  return stored ? unstored(stored.getIn()) : condition;
}

namespace {

/// Of which loops, of queries and of keys, a value of a region is, and whether arrays tell.
struct Sources {
  bool query = false, key = false, array = false;
};

Sources sourcesOf(StreamOp stream, Value value) {
  mlir::Block &block = stream.getScore().front();
  Sources found;
  if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value); argument && argument.getOwner() == &block) {
    unsigned at = argument.getArgNumber(), others = stream.getBatch() + 2 + stream.isContracted();
    if (at >= others) {
      unsigned map = stream.getContraction().size() + stream.getValue().size() + at - others;
      found = {stream.mapOf(map).isFunctionOfDim(stream.queryLoop()),
               stream.mapOf(map).isFunctionOfDim(stream.keyLoop()), true};
    } else if (at >= stream.getBatch()) {
      bool contraction = at == stream.getBatch() + 2;
      found = {contraction || at == stream.queryLoop(), contraction || at == stream.keyLoop(), contraction};
    }
  } else if (mlir::Operation *op = value.getDefiningOp(); op && op->getBlock() == &block) {
    for (Value operand : op->getOperands()) {
      Sources more = sourcesOf(stream, operand);
      found = {found.query || more.query, found.key || more.key, found.array || more.array};
    }
  }
  return found;
}

Predicate turned(Predicate predicate) {
  switch (predicate) {
  case Predicate::slt:
    return Predicate::sgt;
  case Predicate::sle:
    return Predicate::sge;
  case Predicate::sgt:
    return Predicate::slt;
  case Predicate::sge:
    return Predicate::sle;
  default:
    return predicate;
  }
}

Value asNumber(Code &code, Value number) {
  return number.getType().isIndex() ? arith::IndexCastOp::create(code, code.getI64Type(), number).getResult() : number;
}
Value compare(Code &code, Predicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(code, predicate, a, b);
}

} // namespace

Sight::Sight(StreamOp stream) : stream(stream) {
  Value score = stream.scoreOp().getScore();
  while (auto choice = choiceOfMask(stream, score)) {
    collect(choice.getCondition());
    score = choice.getTrueValue();
  }
}

void Sight::collect(Value condition) {
  condition = unstored(condition);
  if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
    collect(both.getLhs());
    collect(both.getRhs());
    return;
  }
  auto comparison = condition.getDefiningOp<arith::CmpIOp>();
  if (!comparison || !comparison.getLhs().getType().isIntOrIndex() || comparison.getLhs().getType().isInteger(1))
    return;
  Value left = comparison.getLhs(), right = comparison.getRhs();
  Predicate predicate = comparison.getPredicate();
  Sources a = sourcesOf(stream, left), b = sourcesOf(stream, right);
  if (a.key) {
    std::swap(a, b);
    std::swap(left, right);
    predicate = turned(predicate);
  }
  bool ordered =
      llvm::is_contained({Predicate::eq, Predicate::slt, Predicate::sle, Predicate::sgt, Predicate::sge}, predicate);
  if (ordered && !a.key && b.key && !b.query && (a.array || b.array))
    comparisons.push_back({predicate, left, right, {}});
}

void Sight::look(Code &code, Region &queries, unsigned vectors) {
  for (Comparison &comparison : comparisons) {
    Value least, greatest;
    for (unsigned v = 0; v < vectors; ++v) {
      Value numbers = queries.score(v, nullptr, nullptr, comparison.query).value;
      least = v ? arith::MinSIOp::create(code, least, numbers).getResult() : numbers;
      greatest = v ? arith::MaxSIOp::create(code, greatest, numbers).getResult() : numbers;
    }
    auto reduced = [&](vector::CombiningKind kind, Value numbers) {
      bool wide = mlir::isa<mlir::VectorType>(numbers.getType());
      return asNumber(code, wide ? vector::ReductionOp::create(code, kind, numbers).getResult() : numbers);
    };
    comparison.queries = {reduced(vector::CombiningKind::MINSI, least),
                          reduced(vector::CombiningKind::MAXSI, greatest)};
  }
}

Value Sight::sees(Code &code, Region &keys, Value from, Value count, int64_t lanes) const {
  Value all;
  for (const Comparison &comparison : comparisons) {
    auto type = mlir::VectorType::get({lanes}, code.getI64Type());
    auto limit = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(
          code, mlir::DenseElementsAttr::get(type, mlir::Attribute(code.getI64IntegerAttr(value))));
    };
    Value most = limit(std::numeric_limits<int64_t>::max()), lowest = limit(std::numeric_limits<int64_t>::min());
    auto bounds = loop(code, index(code, 0), count, lanes, {most, lowest}, [&](Value at, ValueRange before) {
      Value numbers = keys.score(0, add(code, from, at), nullptr, comparison.key).value;
      if (numbers.getType() != type)
        numbers = arith::IndexCastOp::create(code, type, numbers);
      Value inside = vector::CreateMaskOp::create(code, mlir::VectorType::get({lanes}, code.getI1Type()),
                                                  subtract(code, count, at));
      Value least = arith::SelectOp::create(code, inside, numbers, most);
      Value greatest = arith::SelectOp::create(code, inside, numbers, lowest);
      return llvm::SmallVector<Value>{arith::MinSIOp::create(code, before[0], least),
                                      arith::MaxSIOp::create(code, before[1], greatest)};
    });
    Value least = vector::ReductionOp::create(code, vector::CombiningKind::MINSI, bounds[0]);
    Value greatest = vector::ReductionOp::create(code, vector::CombiningKind::MAXSI, bounds[1]);
    Value holds;
    if (comparison.predicate == Predicate::slt || comparison.predicate == Predicate::sle)
      holds = compare(code, comparison.predicate, comparison.queries.least, greatest);
    else if (comparison.predicate == Predicate::sgt || comparison.predicate == Predicate::sge)
      holds = compare(code, comparison.predicate, comparison.queries.greatest, least);
    else
      holds = arith::AndIOp::create(code, compare(code, Predicate::sle, comparison.queries.least, greatest),
                                    compare(code, Predicate::sle, least, comparison.queries.greatest));
    all = all ? arith::AndIOp::create(code, all, holds).getResult() : holds;
  }
  return all;
}

} // namespace attnc
