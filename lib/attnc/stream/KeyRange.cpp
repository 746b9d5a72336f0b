#include "attnc/stream/KeyRange.h"

#include "attnc/stream/Sight.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

namespace attnc {

namespace arith = mlir::arith;
using mlir::Value;
using Predicate = arith::CmpIPredicate;

namespace {

/// query * i + key * j + rest.
struct Affine {
  int query = 0, key = 0;
  Value rest; // an index
};

class Solver {
public:
  /// `solved`: the number of the loop whose range is asked for, the keys' or the queries'.
  Solver(Code &code, dialect::StreamOp stream, llvm::ArrayRef<Value> batch, Value first, Value last, Value keys,
         unsigned solved)
      : code(code), stream(stream), block(stream.getScore().front()), batch(batch), first(first), last(last),
        solved(solved), range{index(code, 0), keys, index(code, 0), keys, stream.scoreOp().getScore()} {}

  KeyRange solve() {
    Value keys = range.to;
    excluded(stream.scoreOp().getScore());
    Value none = index(code, 0);
    range.from = greater(code, range.from, none);
    range.to = smaller(code, range.to, keys);
    return range;
  }

private:
  /// Narrows the range by the conditions under which a score is not that of a masked key.
  void excluded(Value score) {
    auto choice = choiceOfMask(stream, score);
    if (!choice)
      return;
    if (holds(choice.getCondition()) && range.inner == score)
      range.inner = choice.getTrueValue();
    excluded(choice.getTrueValue());
  }

  /// Whether the ranges tell all of the condition.
  bool holds(Value condition) {
    condition = unstored(condition);
    if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
      bool left = holds(both.getLhs()), right = holds(both.getRhs());
      return left && right;
    }
    auto comparison = condition.getDefiningOp<arith::CmpIOp>();
    if (!comparison)
      return false;
    Value left = comparison.getLhs(), right = comparison.getRhs();
    Predicate predicate = comparison.getPredicate();
    if (predicate == Predicate::sge || predicate == Predicate::sgt) {
      std::swap(left, right);
      predicate = predicate == Predicate::sge ? Predicate::sle : Predicate::slt;
    }
    if ((predicate != Predicate::sle && predicate != Predicate::slt) || !left.getType().isIntOrIndex())
      return false;
    auto low = affine(left), high = affine(right);
    if (!low || !high)
      return false;
    // query * i + key * j + rest ≥ 0
    int query = high->query - low->query, key = high->key - low->key;
    Value rest = subtract(code, high->rest, low->rest);
    if (predicate == Predicate::slt)
      rest = subtract(code, rest, index(code, 1));
    if (std::abs(query) > 1 || std::abs(key) > 1)
      return false;
    // The greatest and the least that query * i becomes in the tile.
    Value none = index(code, 0);
    Value most = query == 0 ? none : query > 0 ? last : subtract(code, none, first);
    Value least = query == 0 ? none : query > 0 ? first : subtract(code, none, last);
    auto bound = [&](Value extreme, Value &from, Value &to) {
      Value sum = add(code, extreme, rest);
      if (key == 0) // all keys or none
        to = choose(code, less(code, sum, none), none, to);
      else if (key < 0)
        to = smaller(code, to, add(code, sum, index(code, 1)));
      else
        from = greater(code, from, subtract(code, none, sum));
    };
    bound(most, range.from, range.to);
    bound(least, range.sureFrom, range.sureTo);
    return true;
  }

  std::optional<Affine> affine(Value value) {
    unsigned loops = batch.size();
    int64_t number;
    if (auto argument = mlir::dyn_cast<mlir::BlockArgument>(value); argument && argument.getOwner() == &block) {
      unsigned at = argument.getArgNumber();
      if (at < loops)
        return Affine{0, 0, batch[at]};
      if (at < loops + 2)
        return Affine{at != solved, at == solved, index(code, 0)};
      return std::nullopt;
    }
    mlir::Operation *op = value.getDefiningOp();
    mlir::APInt constant;
    if (mlir::matchPattern(value, mlir::m_ConstantInt(&constant)))
      return (number = constant.getSExtValue(), Affine{0, 0, index(code, number)});
    if (!op || op->getBlock() != &block) { // from outside the stream
      if (!value.getType().isIndex())
        value = arith::IndexCastOp::create(code, code.getIndexType(), value);
      return Affine{0, 0, value};
    }
    if (mlir::isa<arith::IndexCastOp>(op))
      return affine(op->getOperand(0));
    if (!mlir::isa<arith::AddIOp, arith::SubIOp>(op))
      return std::nullopt;
    auto left = affine(op->getOperand(0)), right = affine(op->getOperand(1));
    if (!left || !right)
      return std::nullopt;
    if (mlir::isa<arith::AddIOp>(op))
      return Affine{left->query + right->query, left->key + right->key, add(code, left->rest, right->rest)};
    return Affine{left->query - right->query, left->key - right->key, subtract(code, left->rest, right->rest)};
  }

  Code &code;
  dialect::StreamOp stream;
  mlir::Block &block;
  llvm::ArrayRef<Value> batch;
  Value first, last;
  unsigned solved;
  KeyRange range;
};

} // namespace

KeyRange solveKeyRange(Code &code, dialect::StreamOp stream, llvm::ArrayRef<Value> batch, Value first, Value last,
                       Value keys) {
  return Solver(code, stream, batch, first, last, keys, stream.keyLoop()).solve();
}

KeyRange solveQueryRange(Code &code, dialect::StreamOp stream, llvm::ArrayRef<Value> batch, Value queries, Value keys) {
  Value last = subtract(code, keys, index(code, 1));
  return Solver(code, stream, batch, index(code, 0), last, queries, stream.queryLoop()).solve();
}

llvm::SmallVector<Value> whereSure(Code &code, dialect::StreamOp stream, const KeyRange &range, Value from, Value count,
                                   mlir::TypeRange types, llvm::function_ref<llvm::SmallVector<Value>(Value)> body) {
  Value asked = stream.scoreOp().getScore();
  if (range.inner == asked)
    return body(asked);
  auto atMost = [&](Value a, Value b) { return code.createOrFold<arith::CmpIOp>(Predicate::sle, a, b); };
  Value sure =
      code.createOrFold<arith::AndIOp>(atMost(range.sureFrom, from), atMost(add(code, from, count), range.sureTo));
  return branch(code, sure, types, [&] { return body(range.inner); }, [&] { return body(asked); });
}

KeyParts partKeys(Code &code, Value keys, Value tasks, int64_t tile, int64_t wanted, Value most) {
  Value one = index(code, 1);
  Value each = code.createOrFold<arith::DivUIOp>(index(code, wanted), greater(code, tasks, one));
  Value count = greater(code, smaller(code, most, each), one);
  Value share = code.createOrFold<arith::DivUIOp>(add(code, keys, subtract(code, count, one)), count);
  return {count, multiply(code, ceilDiv(code, share, tile), index(code, tile))};
}

/// Tasks up to which keys are parted, and the keys of a part.
static constexpr int64_t fewTasks = 16, usualPart = 1024;

KeyParts partKeys(Code &code, Value keys, Value tasks, int64_t tile) {
  return partKeys(code, keys, tasks, tile, fewTasks, ceilDiv(code, keys, usualPart));
}

bool KeyParts::canBeMany() const { return mlir::getConstantIntValue(count) != 1; }
bool KeyParts::isKnown() const { return mlir::getConstantIntValue(count).has_value(); }
Value KeyParts::isMany(Code &code) const { return less(code, index(code, 1), count); }
KeyRange KeyParts::within(Code &code, const KeyRange &range, Value part) const {
  Value begin = multiply(code, part, length);
  KeyRange within = range;
  within.from = greater(code, range.from, begin);
  within.to = smaller(code, range.to, add(code, begin, length));
  return within;
}

} // namespace attnc
