#include "attnc/stream/Normaliser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/ADT/TypeSwitch.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using mlir::Value;

static bool dependsOn(Value value, Value on) {
  mlir::Operation *op = value.getDefiningOp();
  return value == on || (op && op->getBlock() == on.getParentBlock() &&
                         llvm::any_of(op->getOperands(), [&](Value operand) { return dependsOn(operand, on); }));
}

/// Whether the value is `x` times what does not depend on it; `zeros` are known to be 0.
static bool isLinear(Value value, Value x, llvm::ArrayRef<Value> zeros) {
  if (value == x || llvm::is_contained(zeros, value) || mlir::matchPattern(value, mlir::m_AnyZeroFloat()))
    return true;
  mlir::Operation *op = value.getDefiningOp();
  if (!op || !dependsOn(value, x))
    return false;
  auto linear = [&](unsigned operand) { return isLinear(op->getOperand(operand), x, zeros); };
  auto free = [&](unsigned operand) { return !dependsOn(op->getOperand(operand), x); };
  return llvm::TypeSwitch<mlir::Operation *, bool>(op)
      .Case<arith::MulFOp>([&](auto) { return (linear(0) && free(1)) || (free(0) && linear(1)); })
      .Case<arith::DivFOp>([&](auto) { return linear(0) && free(1); })
      .Case<arith::NegFOp>([&](auto) { return linear(0); })
      .Case<arith::SelectOp>([&](auto) { return free(0) && linear(1) && linear(2); })
      .Default(false);
}

std::optional<Normaliser> normaliserOf(const Read &of, unsigned keyLoop) {
  Read read = source(of);
  linalg::GenericOp map = mapOf(read.array);
  if (!map || map.hasIndexSemantics())
    return std::nullopt;
  Normaliser result{map, 0, {}, {}};
  Value given = map.getBody()->getTerminator()->getOperand(0), weights;
  llvm::SmallVector<Value> zeros;
  for (auto [i, argument] : llvm::enumerate(map.getBody()->getArguments().drop_back())) {
    auto operand = operandRead(map, i, read);
    if (!operand)
      return std::nullopt;
    if (!operand->along(keyLoop)) {
      result.rest.push_back(*operand);
      if (isZero(operand->array))
        zeros.push_back(argument);
      continue;
    }
    if (weights)
      return std::nullopt;
    weights = argument;
    result.weights = i;
    result.read = source(*operand);
  }
  if (!weights || given == weights || !isLinear(given, weights, zeros))
    return std::nullopt;
  return result;
}

namespace {

/// Calls `visit` with what is made into an element, through maps of which it says to go on.
void walkBack(const Read &read, llvm::function_ref<bool(const Read &)> visit) {
  linalg::GenericOp map = visit(read) ? mapOf(read.array) : nullptr;
  if (!map || map.hasIndexSemantics())
    return;
  llvm::SmallVector<Read, 4> operands;
  for (unsigned i = 0; i < map.getNumDpsInputs(); ++i) {
    auto operand = operandRead(map, i, read);
    if (!operand)
      return;
    operands.push_back(*operand);
  }
  for (const Read &operand : operands)
    walkBack(operand, visit);
}

/// Writes the elements of arrays into the body of a map.
class Body {
public:
  Body(mlir::RewriterBase &rewriter, Value sum) : rewriter(rewriter), sum(sum) {}

  /// First which operands there are, then, in the body, what they are.
  llvm::SmallVector<Read, 4> operands;
  llvm::SmallVector<Value, 4> arguments;

  void ask(const Read &read) { element(read, nullptr); }
  Value give(const Read &read) {
    Value result;
    element(read, &result);
    return result;
  }

private:
  void element(const Read &read, Value *result) {
    linalg::GenericOp map = isMade(read) ? mapOf(read.array) : nullptr;
    if (!map) {
      auto *at = llvm::find(operands, read);
      if (at == operands.end() && !result)
        operands.push_back(read);
      if (result)
        *result = arguments[at - operands.begin()];
      return;
    }
    mlir::IRMapping values;
    for (auto [i, argument] : llvm::enumerate(map.getBody()->getArguments().drop_back())) {
      Value inside;
      element(*operandRead(map, i, read), result ? &inside : nullptr);
      if (result)
        values.map(argument, inside);
    }
    if (!result)
      return;
    for (mlir::Operation &op : map.getBody()->without_terminator())
      rewriter.clone(op, values);
    *result = values.lookupOrDefault(map.getBody()->getTerminator()->getOperand(0));
  }

  /// Whether it is made of the sum, but is not it.
  bool isMade(const Read &read) {
    bool found = false;
    walkBack(read, [&](const Read &at) { return !(found |= at.array == sum); });
    return found && read.array != sum;
  }

  mlir::RewriterBase &rewriter;
  Value sum;
};

} // namespace

void collectMeasures(const Normaliser &normaliser, llvm::SmallVectorImpl<Read> &sums) {
  for (const Read &read : normaliser.rest)
    walkBack(read, [&](const Read &at) {
      auto sum = sumOf(at.array);
      if (sum && !llvm::is_contained(sums, at))
        sums.push_back(at);
      return !sum;
    });
}

Value normalise(mlir::RewriterBase &rewriter, const Normaliser &normaliser, Value folded,
                llvm::ArrayRef<unsigned> loops, Value sum, Value measure) {
  Body body(rewriter, sum);
  for (const Read &read : normaliser.rest)
    body.ask(read);
  mlir::MLIRContext *context = rewriter.getContext();
  llvm::SmallVector<mlir::AffineMap> maps{mlir::AffineMap::getMultiDimIdentityMap(loops.size(), context)};
  llvm::SmallVector<Value> inputs{folded};
  for (const Read &read : body.operands) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned loop : read.loops)
      axes.push_back(mlir::getAffineDimExpr(llvm::find(loops, loop) - loops.begin(), context));
    inputs.push_back(read.array == sum ? measure : read.array);
    maps.push_back(mlir::AffineMap::get(loops.size(), 0, axes, context));
  }
  maps.push_back(maps.front());
  linalg::GenericOp map = normaliser.map;
  mlir::Location location = map.getLoc();
  auto type = mlir::cast<mlir::RankedTensorType>(folded.getType());
  Value empty = mlir::tensor::EmptyOp::create(
      rewriter, location, mlir::tensor::getMixedSizes(rewriter, location, folded), type.getElementType());
  llvm::SmallVector<mlir::utils::IteratorType> parallel(loops.size(), mlir::utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             rewriter, location, type, inputs, empty, maps, parallel,
             [&](mlir::OpBuilder &builder, mlir::Location, mlir::ValueRange arguments) {
               mlir::OpBuilder::InsertionGuard guard(rewriter);
               rewriter.setInsertionPointToEnd(builder.getInsertionBlock());
               body.arguments = llvm::to_vector<4>(arguments.drop_front().drop_back());
               mlir::IRMapping values;
               const Read *rest = normaliser.rest.begin();
               for (auto [i, argument] : llvm::enumerate(map.getBody()->getArguments().drop_back()))
                 values.map(argument, i == normaliser.weights ? arguments[0] : body.give(*rest++));
               for (mlir::Operation &op : map.getBody()->without_terminator())
                 rewriter.clone(op, values);
               Value given = values.lookupOrDefault(map.getBody()->getTerminator()->getOperand(0));
               linalg::YieldOp::create(rewriter, location, given);
             })
      .getResult(0);
}

} // namespace attnc
