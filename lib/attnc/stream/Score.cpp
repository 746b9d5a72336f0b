#include "attnc/stream/Score.h"

#include "attnc/dialect/AttncDialect.h"
#include "attnc/stream/Diagonal.h"
#include "attnc/stream/Parts.h"
#include "attnc/stream/Term.h"

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

Score::Score(mlir::RewriterBase &rewriter, mlir::Operation *fold, const Roles &roles, bool plain)
    : rewriter(rewriter), fold(fold), roles(roles), plain(plain), builder(rewriter.getContext()),
      location(fold->getLoc()) {
  for (unsigned i = 0; i < roles.batch.size() + 2; ++i)
    block->addArgument(builder.getIndexType(), location);
  contraction = block->addArgument(builder.getF32Type(), location);
  builder.setInsertionPointToEnd(block.get());
}

bool Score::joinContractions() {
  auto isPart = [&](Value value) {
    return value == contraction || llvm::any_of(parts, [&](const Part &part) { return part.value == value; });
  };
  for (const Part &part : parts) {
    auto sum = part.value.hasOneUse() ? mlir::dyn_cast<arith::AddFOp>(*part.value.getUsers().begin()) : nullptr;
    Value other = !sum ? Value() : sum.getLhs() == part.value ? sum.getRhs() : sum.getLhs();
    if (!sum || other == part.value || !isPart(other) || !other.hasOneUse())
      return false;
    sum.replaceAllUsesWith(other);
    sum.erase();
    block->eraseArgument(mlir::cast<mlir::BlockArgument>(part.value).getArgNumber());
  }
  if (parts.empty())
    return true;
  llvm::SmallVector<Read> queries{operands[0]}, keys{operands[1]};
  for (const Part &part : parts) {
    queries.push_back(part.query);
    keys.push_back(part.key);
  }
  rewriter.setInsertionPoint(fold);
  Read query = joined(rewriter, location, queries, roles.depth), key = joined(rewriter, location, keys, roles.depth);
  operands = {query, key};
  // A step of decoding copies no cache: the scores of few queries take less than their keys.
  llvm::SmallVector<int64_t> extents = mlir::cast<linalg::LinalgOp>(fold).getStaticLoopRanges();
  auto shapeOf = [](const Read &read) { return mlir::cast<mlir::ShapedType>(read.array.getType()).getShape(); };
  int64_t scores = 1, copied = 0;
  for (unsigned loop = 0; loop < extents.size(); ++loop)
    if (query.along(loop) || key.along(loop))
      scores *= extents[loop];
  for (const Read &read : operands) {
    if (mlir::ShapedType::isDynamicShape(shapeOf(read)))
      return true;
    copied += mlir::ShapedType::getNumElements(shapeOf(read));
  }
  return copied <= scores * int64_t(parts.size());
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

Value constantElement(mlir::OpBuilder &builder, const Read &read) {
  if (auto fill = read.array.getDefiningOp<linalg::FillOp>())
    return fill.getInputs()[0];
  if (auto scalar = read.array.getDefiningOp<mlir::tensor::FromElementsOp>(); scalar && read.loops.empty())
    return scalar.getElements()[0];
  if (linalg::GenericOp map = mapOf(read.array)) {
    Value given = map.getBody()->getTerminator()->getOperand(0);
    if (mlir::matchPattern(given, mlir::m_Constant()))
      return builder.clone(*given.getDefiningOp())->getResult(0);
  }
  return nullptr;
}

Value inlineMap(mlir::OpBuilder &builder, linalg::GenericOp map, const Read &read,
                llvm::function_ref<Value(const Read &)> element, llvm::function_ref<Value(unsigned)> index) {
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
    if (auto asked = mlir::dyn_cast<linalg::IndexOp>(op)) {
      Value at = index(loopOf(map, asked.getDim(), read));
      if (!at)
        return nullptr;
      values.map(asked.getResult(), at);
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

Value Score::inlined(linalg::GenericOp map, const Read &read) {
  return inlineMap(
      builder, map, read, [&](const Read &operand) { return element(operand); },
      [&](unsigned loop) {
        auto at = roles.streamLoop(loop);
        return at && *at <= roles.batch.size() + 1 ? Value(block->getArgument(*at)) : Value();
      });
}

/// Whether the value is Σ_d of what a query's and a key's element give, which become the operands of the stream.
bool Score::contracts(const Read &read) {
  auto sum = sumOf(read.array);
  if (!sum)
    return false;
  mlir::AffineMap output = sum->op.getMatchingIndexingMap(sum->op.getDpsInitOperand(0));
  if (!output.isProjectedPermutation() || output.getNumResults() != read.loops.size() ||
      (roles.joint && sum->factors.size() != 3))
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
  if (contracts(sum->factors))
    return true;
  Term terms(builder.getContext(), location, roles);
  if (contracted() || !terms.gather(sum->factors))
    return false;
  operands = std::move(terms.operands);
  term = std::move(terms.block);
  product = contraction;
  return true;
}

/// Whether what is read is made of a softmax along a loop.
static bool isMadeOfSoftmax(Read read, unsigned loop) {
  read = source(std::move(read));
  if (auto gather = gatherOf(read))
    read = gather->read;
  if (auto softmax = read.array.getDefiningOp<dialect::SoftmaxOp>())
    return read.loops.back() == loop && softmax.getRows() + 1 == read.loops.size();
  linalg::GenericOp map = mapOf(read.array);
  for (unsigned i = 0; map && i < map.getNumDpsInputs(); ++i)
    if (auto operand = operandRead(map, i, read); operand && operand->along(loop) && isMadeOfSoftmax(*operand, loop))
      return true;
  return false;
}

/// Whether Σ_d of a factor and another is attention itself, which is streamed along d then and not along the keys: of a
/// softmax along d, unless there are more keys.
bool Score::isAttention(const Read &factor) const {
  if (!isMadeOfSoftmax(factor, roles.depth))
    return false;
  auto nest = mlir::dyn_cast<linalg::LinalgOp>(fold);
  if (!nest)
    return true;
  unsigned axis = llvm::find(factor.loops, roles.depth) - factor.loops.begin();
  int64_t depth = mlir::cast<mlir::RankedTensorType>(factor.array.getType()).getShape()[axis],
          keys = nest.getStaticLoopRanges()[roles.key];
  return mlir::ShapedType::isDynamic(depth) || mlir::ShapedType::isDynamic(keys) || depth > keys;
}

/// Whether Σ_d of the factors is of a query's element by a key's.
bool Score::contracts(llvm::ArrayRef<Read> factors) {
  if (factors.size() != 2)
    return false;
  Read first = factors[0], second = factors[1];
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
  if (isAttention(first) || isAttention(second))
    return false;
  for (const Read &factor : {first, second})
    if (!factor.along(roles.depth) || !mlir::getElementTypeOrSelf(factor.array).isF32() ||
        llvm::any_of(factor.loops, [&](unsigned loop) { return !roles.streamLoop(loop); }))
      return false;
  if (contracted() && (plain || term || !roles.query))
    return !term && first == operands[0] && second == operands[1];
  if (contracted()) {
    parts.push_back({first, second, block->addArgument(builder.getF32Type(), location)});
    product = parts.back().value;
    return true;
  }
  operands = {first, second};
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
  llvm::SmallVector<Read, 3> given{*found[0], *found[1], *found[2]};
  if (contracted() && !llvm::equal(operands, given))
    return false;
  operands.assign(given.begin(), given.end());
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
      auto isThere = [&](Value place) {
        auto cast = place.getDefiningOp<arith::IndexCastOp>();
        return cast && cast.getIn() == element;
      };
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
  bool isPart = llvm::any_of(parts, [&](const Part &part) { return part.value == of; });
  return of == contraction || isPart ||
         (op && op->getBlock() == block.get() &&
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
  if (Value same = constantElement(builder, read))
    return remember(same);
  bool both = isInside(read);
  if (linalg::GenericOp map = mapOf(read.array))
    if (both ? hasVectorCode(map) : isIndexCode(read.array))
      return remember(inlined(map, read));
  if (both && contracts(read))
    return remember(product);
  if (both && !plain)
    if (Value found = atPlaces(read))
      return remember(found);
  return remember(stored(read));
}

Value Score::stored(const Read &read) {
  if (llvm::any_of(read.loops, [&](unsigned loop) { return !roles.streamLoop(loop); }) || read.along(roles.depth))
    return nullptr;
  others.push_back(read);
  return block->addArgument(mlir::getElementTypeOrSelf(read.array), location);
}

/// What is read at places that the region gives, or varies by the distance of query and key alone; null where it is
/// neither.
Value Score::atPlaces(const Read &read) {
  if (roles.query) {
    rewriter.setInsertionPoint(fold);
    if (auto line = diagonalOf(rewriter, read, *roles.query, roles.key, roles.firstPlace + places.size())) {
      Value query = block->getArgument(roles.batch.size()), key = block->getArgument(roles.batch.size() + 1);
      Value after = arith::AddIOp::create(builder, location, query, line->shift);
      places.push_back(arith::SubIOp::create(builder, location, after, key));
      if (Value element = stored(line->read))
        return element;
      places.pop_back();
    }
  }
  unsigned before = places.size();
  Read at = read;
  auto inside = gatherOf(at) ? placed(at) : std::nullopt;
  Value element = inside ? stored(at) : Value();
  if (!element)
    places.truncate(before);
  else if (*inside)
    element =
        arith::SelectOp::create(builder, location, *inside, element,
                                arith::ConstantOp::create(builder, location, builder.getZeroAttr(element.getType())));
  return element;
}

} // namespace attnc
