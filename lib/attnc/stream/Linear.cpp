#include "attnc/stream/Linear.h"

#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Slice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
namespace tensor = mlir::tensor;
using mlir::Value;

namespace {

/// ± a product.
struct Term {
  bool negative = false;
  llvm::SmallVector<Read, 4> factors;
};
using Terms = llvm::SmallVector<Term, 2>;

bool isSoftmaxAlong(const Read &read, unsigned loop) {
  auto softmax = read.array.getDefiningOp<dialect::SoftmaxOp>();
  return softmax && read.loops.back() == loop && softmax.getRows() + 1 == read.loops.size();
}

bool hasSoftmax(const Term &term, unsigned loop) {
  return llvm::any_of(term.factors, [&](const Read &read) { return isSoftmaxAlong(read, loop); });
}

bool anySoftmax(const Terms &terms, unsigned loop) {
  return llvm::any_of(terms, [&](const Term &term) { return hasSoftmax(term, loop); });
}

/// Whether there is a softmax along the loop in each, and nothing else along it, which might be infinite where 0 is
/// chosen: a log a.
bool areWeights(const Terms &terms, unsigned loop) {
  return llvm::all_of(terms, [&](const Term &term) {
    return hasSoftmax(term, loop) &&
           llvm::count_if(term.factors, [&](const Read &read) { return read.along(loop); }) == 1;
  });
}

/// A map that chooses between 0 and an element of an operand.
struct Choice {
  arith::SelectOp select;
  bool whereFalse;
  Read chosen;
};

std::optional<Choice> choiceOf(linalg::GenericOp map, const Read &at) {
  auto select = map.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::SelectOp>();
  if (!select)
    return std::nullopt;
  auto operandOf = [&](Value value) -> std::optional<Read> {
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(value);
    bool own = argument && argument.getOwner() == map.getBody();
    return own ? operandRead(map, argument.getArgNumber(), at) : std::nullopt;
  };
  auto isNothing = [&](Value value) {
    auto operand = operandOf(value);
    return mlir::matchPattern(value, mlir::m_AnyZeroFloat()) || (operand && isZero(operand->array));
  };
  bool whereFalse = isNothing(select.getTrueValue());
  auto chosen = operandOf(whereFalse ? select.getFalseValue() : select.getTrueValue());
  if (!chosen || whereFalse == isNothing(select.getFalseValue()))
    return std::nullopt;
  return Choice{select, whereFalse, *chosen};
}

/// 1 where an element is chosen, else 0: a map of the same operands.
Value factorOf(mlir::RewriterBase &rewriter, linalg::GenericOp map, Choice choice) {
  return linalg::GenericOp::create(
             rewriter, map.getLoc(), map->getResultTypes(), map.getDpsInputs(), map.getDpsInits(),
             map.getIndexingMapsArray(), map.getIteratorTypesArray(),
             [&](mlir::OpBuilder &builder, mlir::Location place, mlir::ValueRange arguments) {
               auto number = [&](float value) {
                 return arith::ConstantOp::create(builder, place, builder.getF32FloatAttr(value)).getResult();
               };
               mlir::IRMapping values;
               values.map(map.getBody()->getArguments(), arguments);
               for (mlir::Operation &op : map.getBody()->without_terminator())
                 if (&op != choice.select)
                   builder.clone(op, values);
               Value condition = values.lookupOrDefault(choice.select.getCondition());
               Value given = arith::SelectOp::create(builder, place, condition, number(!choice.whereFalse),
                                                     number(choice.whereFalse));
               linalg::YieldOp::create(builder, place, given);
             })
      .getResult(0);
}

/// The sum of products that is read, as far as softmaxes along the loop are in them.
Terms termsOf(mlir::RewriterBase &rewriter, const Read &read, unsigned loop) {
  Read at = source(read);
  while (auto slice = sliceOf(rewriter, at))
    at = source(*slice);
  linalg::GenericOp map = mapOf(at.array);
  if (auto choice = map ? choiceOf(map, at) : std::nullopt) {
    Terms terms = termsOf(rewriter, choice->chosen, loop);
    if (!areWeights(terms, loop))
      return {{false, {at}}};
    Read factor{factorOf(rewriter, map, *choice), at.loops};
    for (Term &term : terms)
      term.factors.push_back(factor);
    return terms;
  }
  mlir::Operation *op = map ? map.getBody()->getTerminator()->getOperand(0).getDefiningOp() : nullptr;
  llvm::SmallVector<Terms, 2> sides;
  if (op && op->getBlock() == map.getBody() && mlir::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op))
    for (Value side : op->getOperands())
      if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(side); argument && argument.getOwner() == map.getBody())
        if (auto operand = operandRead(map, argument.getArgNumber(), at))
          sides.push_back(termsOf(rewriter, *operand, loop));
  if (sides.size() != 2 || (!anySoftmax(sides[0], loop) && !anySoftmax(sides[1], loop)))
    return {{false, {at}}};
  Terms terms;
  if (mlir::isa<arith::MulFOp>(op)) {
    for (const Term &left : sides[0])
      for (const Term &right : sides[1]) {
        terms.push_back(left);
        terms.back().negative ^= right.negative;
        terms.back().factors.append(right.factors);
      }
    return terms;
  }
  for (Term &right : sides[1])
    right.negative ^= mlir::isa<arith::SubFOp>(op);
  terms = std::move(sides[0]);
  terms.append(sides[1]);
  return terms;
}

/// Whether a sum, a difference or a choice is on the way to what is read: where there is none, nothing is made to look
/// for one.
bool hasSum(const Read &read) {
  Read at = source(read);
  linalg::GenericOp map = mapOf(at.array);
  mlir::Operation *op = map ? map.getBody()->getTerminator()->getOperand(0).getDefiningOp() : nullptr;
  if (!op || !mlir::isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::SelectOp>(op))
    return false;
  if (!mlir::isa<arith::MulFOp>(op))
    return true;
  for (unsigned i = 0; i < map.getNumDpsInputs(); ++i)
    if (auto operand = operandRead(map, i, at); operand && hasSum(*operand))
      return true;
  return false;
}

/// The fold of a product.
Sum fold(mlir::RewriterBase &rewriter, const Sum &like, llvm::ArrayRef<Read> factors) {
  linalg::GenericOp op = like.op;
  llvm::SmallVector<Value> inputs;
  llvm::SmallVector<mlir::AffineMap> maps;
  for (const Read &read : factors) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned loop : read.loops)
      axes.push_back(rewriter.getAffineDimExpr(loop));
    inputs.push_back(read.array);
    maps.push_back(mlir::AffineMap::get(op.getNumLoops(), 0, axes, rewriter.getContext()));
  }
  Value init = op.getDpsInits()[0];
  maps.push_back(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  auto made = linalg::GenericOp::create(
      rewriter, op.getLoc(), init.getType(), inputs, init, maps, op.getIteratorTypesArray(),
      [](mlir::OpBuilder &builder, mlir::Location at, mlir::ValueRange arguments) {
        Value product = arguments[0];
        for (Value factor : arguments.drop_front().drop_back())
          product = arith::MulFOp::create(builder, at, product, factor);
        linalg::YieldOp::create(builder, at, arith::AddFOp::create(builder, at, arguments.back(), product).getResult());
      });
  return {made, like.loop, llvm::SmallVector<Read, 2>(factors)};
}

} // namespace

llvm::SmallVector<Sum, 2> splitFold(mlir::RewriterBase &rewriter, const Sum &sum) {
  llvm::SmallVector<Sum, 2> folds;
  linalg::GenericOp op = sum.op;
  rewriter.setInsertionPoint(op);
  for (auto [i, factor] : llvm::enumerate(sum.factors)) {
    if (!factor.along(sum.loop) || !hasSum(factor))
      continue;
    Terms terms = termsOf(rewriter, factor, sum.loop);
    bool same = terms.size() == 1 && terms[0].factors.size() == 1;
    if (same || !llvm::all_of(terms, [&](const Term &term) { return hasSoftmax(term, sum.loop); }))
      continue;
    llvm::SmallVector<Value> parts;
    for (const Term &term : terms) {
      llvm::SmallVector<Read, 4> factors = term.factors;
      for (auto [j, other] : llvm::enumerate(sum.factors))
        if (i != j)
          factors.push_back(other);
      folds.push_back(fold(rewriter, sum, factors));
      parts.push_back(folds.back().op.getResult(0));
    }
    Value like = parts[0];
    auto type = mlir::cast<mlir::RankedTensorType>(like.getType());
    Value empty = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>().getOutputs()[0];
    llvm::SmallVector<mlir::AffineMap> maps(parts.size() + 1, rewriter.getMultiDimIdentityMap(type.getRank()));
    llvm::SmallVector<mlir::utils::IteratorType> parallel(type.getRank(), mlir::utils::IteratorType::parallel);
    auto result =
        linalg::GenericOp::create(rewriter, op.getLoc(), type, parts, empty, maps, parallel,
                                  [&](mlir::OpBuilder &builder, mlir::Location at, mlir::ValueRange arguments) {
                                    Value total;
                                    for (auto [term, part] : llvm::zip(terms, arguments)) {
                                      if (!total)
                                        total =
                                            term.negative ? arith::NegFOp::create(builder, at, part).getResult() : part;
                                      else if (term.negative)
                                        total = arith::SubFOp::create(builder, at, total, part);
                                      else
                                        total = arith::AddFOp::create(builder, at, total, part);
                                    }
                                    linalg::YieldOp::create(builder, at, total);
                                  });
    rewriter.replaceOp(op, result);
    return folds;
  }
  return folds;
}

} // namespace attnc
