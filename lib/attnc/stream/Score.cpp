#include "attnc/stream/Score.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace linalg = mlir::linalg;
using mlir::Value;

std::optional<unsigned> Roles::streamLoop(unsigned loop) const {
  if (auto at = llvm::find(batch, loop); at != batch.end())
    return at - batch.begin();
  unsigned count = batch.size();
  if (query && loop == *query)
    return count;
  if (loop == key)
    return count + 1;
  if (loop == depth)
    return count + 2;
  if (feature && loop == *feature)
    return count + 2 + hasDepth;
  if (loop >= firstPlace)
    return count + 2 + hasDepth + feature.has_value() + (loop - firstPlace);
  return std::nullopt;
}

Score::Score(mlir::MLIRContext *context, mlir::Location location, const Roles &roles)
    : roles(roles), builder(context), location(location) {
  for (unsigned i = 0; i < roles.batch.size() + 2; ++i)
    block->addArgument(builder.getIndexType(), location);
  contraction = block->addArgument(builder.getF32Type(), location);
  builder.setInsertionPointToEnd(block.get());
}

std::unique_ptr<mlir::Block> Score::takeBlock() {
  if (!contracted())
    block->eraseArgument(mlir::cast<mlir::BlockArgument>(contraction).getArgNumber());
  return std::move(block);
}

bool Score::isIndexCode(Value array, unsigned depth) {
  array = source({array, llvm::SmallVector<unsigned, 6>(mlir::cast<mlir::RankedTensorType>(array.getType()).getRank())})
              .array;
  if (array.getDefiningOp<linalg::FillOp>() || array.getDefiningOp<mlir::tensor::FromElementsOp>())
    return true;
  linalg::GenericOp map = mapOf(array);
  if (!map || depth > 8)
    return false;
  bool single = mlir::cast<mlir::RankedTensorType>(array.getType()).getRank() == 0;
  for (mlir::Operation &op : map.getBody()->without_terminator())
    for (mlir::Type type : op.getResultTypes())
      if (!type.isIntOrIndex() && !(single && mlir::isa<arith::ConstantOp, arith::NegFOp>(op)))
        return false;
  return hasVectorCode(map) &&
         llvm::all_of(map.getInputs(), [&](Value input) { return isIndexCode(input, depth + 1); });
}

Value Score::inlined(linalg::GenericOp map, const Read &read) {
  mlir::IRMapping values;
  for (auto [i, argument] : llvm::enumerate(map.getBody()->getArguments().drop_back())) {
    if (argument.use_empty())
      continue;
    auto operand = operandRead(map, i, read);
    Value inside = operand ? element(*operand) : Value();
    if (!inside)
      return nullptr;
    values.map(argument, inside);
  }
  for (mlir::Operation &op : map.getBody()->without_terminator()) {
    if (auto index = mlir::dyn_cast<linalg::IndexOp>(op)) {
      auto loop = roles.streamLoop(loopOf(map, index.getDim(), read));
      if (!loop || *loop > roles.batch.size() + 1)
        return nullptr;
      values.map(index.getResult(), Value(block->getArgument(*loop)));
      continue;
    }
    mlir::Operation *copy = builder.clone(op, values);
    llvm::SmallVector<Value> folded;
    if (succeeded(builder.tryFold(copy, folded)) && folded.size() == 1) { // -inf is the negation of a constant
      values.map(op.getResult(0), folded[0]);
      copy->erase();
    }
  }
  return values.lookupOrDefault(map.getBody()->getTerminator()->getOperand(0));
}

/// Whether the value is Σ_d of a query's and a key's element, which become the operands of the stream.
bool Score::contracts(const Read &read) {
  auto sum = sumOf(read.array);
  if (!sum)
    return false;
  mlir::AffineMap output = sum->op.getMatchingIndexingMap(sum->op.getDpsInitOperand(0));
  if (!output.isProjectedPermutation() || output.getNumResults() != read.loops.size() ||
      sum->factors.size() != (roles.joint ? 3 : 2))
    return false;
  for (Read &factor : sum->factors)
    for (unsigned &loop : factor.loops) {
      if (loop == sum->loop)
        loop = roles.depth;
      else
        loop = read.loops[*output.getResultPosition(mlir::getAffineDimExpr(loop, output.getContext()))];
    }
  if (roles.joint)
    return contractsJointly(sum->factors);
  Read &first = sum->factors[0], &second = sum->factors[1];
  if (first.along(roles.key))
    std::swap(first, second);
  if (first.along(roles.key) || !second.along(roles.key) ||
      (roles.query && (!first.along(*roles.query) || second.along(*roles.query))))
    return false;
  Value inside;
  if (!roles.query) {
    auto where = placed(second);
    if (!where || second.loops.back() != roles.depth)
      return false;
    inside = *where;
  }
  for (const Read &factor : sum->factors)
    if (!factor.along(roles.depth) || !mlir::getElementTypeOrSelf(factor.array).isF32() ||
        llvm::any_of(factor.loops, [&](unsigned loop) { return !roles.streamLoop(loop); }))
      return false;
  if (contracted() && !(first == *query && second == *key))
    return false;
  query = first;
  key = second;
  product = contraction;
  if (inside) {
    Value zero = arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(0));
    product = arith::SelectOp::create(builder, location, inside, contraction, zero);
  }
  return true;
}

/// Whether Σ_d of the factors is of a query, a key and a second key.
bool Score::contractsJointly(llvm::ArrayRef<Read> factors) {
  std::optional<Read> found[3]; // query, key, second
  for (const Read &factor : factors) {
    bool first = factor.along(roles.key), second = factor.along(*roles.query);
    if ((first && second) || found[first + 2 * second])
      return false;
    found[first + 2 * second] = factor;
  }
  for (std::optional<Read> &factor : found)
    if (!factor || !slides(*factor) || !factor->along(roles.depth) ||
        !mlir::getElementTypeOrSelf(factor->array).isF32() ||
        llvm::any_of(factor->loops, [&](unsigned loop) { return !roles.streamLoop(loop); }))
      return false;
  if (contracted() && !(found[0] == query && found[1] == key && found[2] == second))
    return false;
  query = found[0];
  key = found[1];
  second = found[2];
  product = contraction;
  return true;
}

bool Score::slides(Read &read) {
  bool differs = llvm::any_of(roles.batch, [&](unsigned loop) { return read.along(loop); });
  return !differs || placed(read);
}

std::optional<Value> Score::placed(Read &read) {
  Value inside;
  while (auto gather = gatherOf(read)) {
    for (const Gather::Pick &pick : gather->picks) {
      Value element = this->element(pick.index);
      if (!element)
        return std::nullopt;
      auto isThere = [&](Value place) { return place.getDefiningOp<arith::IndexCastOp>().getIn() == element; };
      unsigned number = llvm::find_if(places, isThere) - places.begin();
      if (number == places.size())
        places.push_back(arith::IndexCastOp::create(builder, location, builder.getIndexType(), element));
      Value bound = pick.bound;
      if (mlir::APInt size; mlir::matchPattern(bound, mlir::m_ConstantInt(&size)))
        bound = arith::ConstantIndexOp::create(builder, location, size.getSExtValue());
      Value below = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::ult, places[number], bound);
      inside = inside ? arith::AndIOp::create(builder, location, inside, below).getResult() : below;
      if (gather->read.along(roles.firstPlace + number))
        return std::nullopt;
      gather->read.loops[pick.axis] = roles.firstPlace + number;
    }
    read = source(gather->read);
  }
  return inside;
}

bool Score::contracts(Value of) const {
  mlir::Operation *op = of.getDefiningOp();
  return of == contraction || (op && op->getBlock() == block.get() &&
                               llvm::any_of(op->getOperands(), [&](Value operand) { return contracts(operand); }));
}

/// Whether an element is of a query and a key, so that it is computed in the region.
bool Score::isInside(const Read &read) const {
  return read.along(roles.key) && (!roles.query || read.along(*roles.query));
}

Value Score::element(Read read) {
  read = source(std::move(read));
  for (auto &[seen, value] : known)
    if (seen == read)
      return value;
  auto remember = [&](Value value) {
    if (value)
      known.push_back({read, value});
    return value;
  };
  if (auto fill = read.array.getDefiningOp<linalg::FillOp>())
    return remember(fill.getInputs()[0]);
  if (auto scalar = read.array.getDefiningOp<mlir::tensor::FromElementsOp>(); scalar && read.loops.empty())
    return remember(scalar.getElements()[0]);
  if (linalg::GenericOp map = mapOf(read.array)) {
    Value given = map.getBody()->getTerminator()->getOperand(0);
    if (mlir::matchPattern(given, mlir::m_Constant()))
      return remember(builder.clone(*given.getDefiningOp())->getResult(0));
  }
  bool both = isInside(read);
  if (linalg::GenericOp map = mapOf(read.array))
    if (both ? hasVectorCode(map) : isIndexCode(read.array))
      return remember(inlined(map, read));
  if (both && contracts(read))
    return remember(product);
  if (llvm::any_of(read.loops, [&](unsigned loop) { return !roles.streamLoop(loop); }) || read.along(roles.depth))
    return nullptr;
  others.push_back(read);
  return remember(block->addArgument(mlir::getElementTypeOrSelf(read.array), location));
}

} // namespace attnc
