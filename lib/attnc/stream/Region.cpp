#include "attnc/stream/Region.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

namespace attnc {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
namespace vector = mlir::vector;
using mlir::Value;

/// Whether the last axis of the array runs along memory.
static bool isContiguous(Value array) {
  auto type = mlir::cast<mlir::MemRefType>(array.getType());
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  return type.getRank() > 0 && succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

Region::Region(Code &code, dialect::StreamOp stream, unsigned lanes, unsigned vectors, llvm::ArrayRef<Value> batch,
               Value first, Value end, Along along)
    : code(code), stream(stream), lanes(lanes), batch(batch), first(first), end(end), along(along), fixed(vectors),
      inverses(vectors) {
  mlir::Block &block = stream.getScore().front();
  unsigned loops = batch.size(), others = loops + 2 + stream.isContracted();
  varying.insert(block.getArgument(loops + 1));
  if (stream.isContracted())
    varying.insert(block.getArgument(loops + 2));
  for (unsigned i = 0; i < stream.getOthers().size(); ++i)
    if (mapOf(i).isFunctionOfDim(stream.keyLoop()) || isPlaced(i))
      varying.insert(block.getArgument(others + i));
  for (mlir::Operation &op : block.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return varying.contains(operand); }))
      varying.insert(op.getResult(0));

  for (unsigned v = 0; v < vectors; ++v) {
    Values &values = fixed[v];
    for (unsigned i = 0; i < loops; ++i)
      values[block.getArgument(i)] = batch[i];
    values[block.getArgument(loops)] = along == Along::Queries ? indices(first, v) : first;
    for (unsigned i = 0; i < stream.getOthers().size(); ++i)
      if (Value argument = block.getArgument(others + i); !varying.contains(argument))
        values[argument] = load(i, v, nullptr);
    for (mlir::Operation &op : block.without_terminator())
      if (!varying.contains(op.getResult(0)))
        clone(op, v, values);
    for (mlir::Operation &op : block.without_terminator())
      if (auto division = mlir::dyn_cast<arith::DivFOp>(op);
          division && varying.contains(division.getLhs()) && !varying.contains(division.getRhs())) {
        Value divisor = value(values, division.getRhs());
        inverses[v][division.getRhs()] = arith::DivFOp::create(code, splat(code, divisor.getType(), 1), divisor);
      }
  }
}

/// The indices of the lanes of a vector.
Value Region::indices(Value from, unsigned v) {
  llvm::SmallVector<int64_t> steps;
  for (unsigned lane = 0; lane < lanes; ++lane)
    steps.push_back(v * lanes + lane);
  if (lanes == 1)
    return add(code, from, index(code, v));
  auto type = mlir::VectorType::get({lanes}, code.getIndexType());
  Value step = arith::ConstantOp::create(code, mlir::DenseIntElementsAttr::get(type, steps));
  return arith::AddIOp::create(code, step, broadcast(code, from, lanes));
}

Value Region::value(const Values &values, Value of) const {
  auto at = values.find(of);
  return at == values.end() ? of : at->second; // from outside the stream
}

Value inLanes(Code &code, mlir::Operation &op, llvm::ArrayRef<Value> given, unsigned lanes) {
  llvm::SmallVector<Value> operands(given);
  auto isWide = [](Value value) { return mlir::isa<mlir::VectorType>(value.getType()); };
  mlir::Type type = op.getResult(0).getType();
  if (llvm::any_of(operands, isWide)) {
    bool scalarChoice = mlir::isa<arith::SelectOp>(op) && !isWide(operands[0]);
    for (auto [i, operand] : llvm::enumerate(operands))
      if (i > 0 || !scalarChoice)
        operand = broadcast(code, operand, lanes);
    type = mlir::VectorType::get({lanes}, type);
  }
  mlir::OperationState state(code.getLoc(), op.getName(), operands, type, op.getAttrs());
  return code.create(state)->getResult(0);
}

void Region::clone(mlir::Operation &op, unsigned vector, Values &values) {
  llvm::SmallVector<Value> operands;
  for (Value operand : op.getOperands())
    operands.push_back(value(values, operand));
  if (auto division = mlir::dyn_cast<arith::DivFOp>(op))
    if (Value inverse = inverses[vector].lookup(division.getRhs()); inverse && varying.contains(division.getLhs())) {
      Value x = operands[0];
      if (mlir::isa<mlir::VectorType>(x.getType()) || mlir::isa<mlir::VectorType>(inverse.getType())) {
        x = broadcast(code, x, lanes);
        inverse = broadcast(code, inverse, lanes);
      }
      values[op.getResult(0)] = arith::MulFOp::create(code, x, inverse);
      return;
    }
  values[op.getResult(0)] = attnc::inLanes(code, op, operands, lanes);
}

mlir::AffineMap Region::mapOf(unsigned other) const {
  dialect::StreamOp stream = this->stream; // its accessors are not const
  return stream.mapOf(stream.getContraction().size() + stream.getValue().size() + other);
}

bool Region::isPlaced(unsigned other) const {
  dialect::StreamOp stream = this->stream;
  mlir::AffineMap map = mapOf(other);
  return llvm::any_of(map.getResults(), [&](mlir::AffineExpr axis) {
    return mlir::cast<mlir::AffineDimExpr>(axis).getPosition() >= stream.loopCount();
  });
}

/// The place of the first query of a vector, where those of the next ones follow it: (i + rest) - j, on which the
/// region and the former of streams agree. Null else.
Value Region::followingQueries(Value place, Value key) {
  mlir::Block &block = stream.getScore().front();
  auto difference = place.getDefiningOp<arith::SubIOp>();
  auto sum = difference ? difference.getLhs().getDefiningOp<arith::AddIOp>() : nullptr;
  bool follows = along == Along::Queries && sum && sum.getLhs() == block.getArgument(batch.size()) &&
                 difference.getRhs() == block.getArgument(batch.size() + 1) &&
                 sum.getRhs().getParentRegion() != &stream.getScore();
  return follows ? subtract(code, add(code, first, sum.getRhs()), key) : Value();
}

/// Lanes at places that the region computes; 0 where one is outside the array.
Value Region::loadAtPlaces(unsigned other, unsigned v, Value key) {
  Value array = stream.getOthers()[other];
  mlir::AffineMap map = mapOf(other);
  unsigned loops = batch.size(), laneLoop = along == Along::Queries ? stream.queryLoop() : stream.keyLoop();
  auto parts = memref::ExtractStridedMetadataOp::create(code, array);
  auto flat = mlir::MemRefType::get({mlir::ShapedType::kDynamic}, mlir::getElementTypeOrSelf(array));
  Value none = index(code, 0), one = index(code, 1), from = along == Along::Queries ? first : key,
        start = parts.getOffset();
  Value whole = memref::ReinterpretCastOp::create( // its length is asked by nobody
      code, flat, parts.getBaseBuffer(), mlir::OpFoldResult(code.getIndexAttr(0)),
      llvm::ArrayRef<mlir::OpFoldResult>{mlir::OpFoldResult(one)},
      llvm::ArrayRef<mlir::OpFoldResult>{mlir::OpFoldResult(code.getIndexAttr(1))});
  auto wide = [&](Value value) { return broadcast(code, value, lanes); };
  Value left = subtract(code, subtract(code, end, from), index(code, v * lanes));
  Value mask = vector::CreateMaskOp::create(code, mlir::VectorType::get({lanes}, code.getI1Type()), left);
  auto type = mlir::VectorType::get({lanes}, mlir::getElementTypeOrSelf(array));
  Value zero = splat(code, type, 0), lane, follows;
  for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
    unsigned loop = map.getDimPosition(axis);
    Value stride = parts.getStrides()[axis];
    if (loop != laneLoop && loop < stream.loopCount()) {
      start = add(code, start, multiply(code, loop < loops ? batch[loop] : loop == loops ? first : key, stride));
      continue;
    }
    Value place = loop == laneLoop ? Value() : stream.scoreOp().getPlaces()[loop - stream.loopCount()];
    if (place && axis + 1 == map.getNumResults() && !lane && isContiguous(array))
      follows = followingQueries(place, key);
    if (follows) {
      start = add(code, start, add(code, follows, index(code, v * lanes)));
      continue;
    }
    Value at = wide(place ? evaluate(place, v, key, nullptr) : indices(from, v));
    if (place) {
      Value extent = code.createOrFold<memref::DimOp>(array, axis);
      Value inside = arith::CmpIOp::create(code, arith::CmpIPredicate::ult, at, wide(extent));
      mask = arith::AndIOp::create(code, mask, inside);
    }
    at = arith::MulIOp::create(code, at, wide(stride));
    lane = lane ? arith::AddIOp::create(code, lane, at).getResult() : at;
  }
  if (follows)
    return vector::MaskedLoadOp::create(code, type, whole, mlir::ValueRange{start}, mask, zero);
  lane = arith::AddIOp::create(code, lane, wide(start));
  return vector::GatherOp::create(code, type, whole, mlir::ValueRange{none}, lane, mask, zero);
}

Value Region::load(unsigned other, unsigned v, Value key) {
  if (isPlaced(other))
    return loadAtPlaces(other, v, key);
  Value array = stream.getOthers()[other];
  if (auto turned = panels.find(other); turned != panels.end()) {
    auto [panel, offset, from, pitch] = turned->second;
    Value at = add(code, offset, multiply(code, subtract(code, key, from), index(code, pitch)));
    return vector::LoadOp::create(code, mlir::VectorType::get({lanes}, code.getF32Type()), panel,
                                  mlir::ValueRange{add(code, at, index(code, v * lanes))});
  }
  mlir::AffineMap map = mapOf(other);
  unsigned loops = batch.size();
  unsigned laneLoop = along == Along::Queries ? stream.queryLoop() : stream.keyLoop();
  std::optional<unsigned> laneAxis;
  llvm::SmallVector<Value> place;
  Value from = map.isFunctionOfDim(laneLoop) ? add(code, along == Along::Queries ? first : key, index(code, v * lanes))
                                             : Value();
  for (unsigned axis = 0; axis < map.getNumResults(); ++axis) {
    unsigned loop = map.getDimPosition(axis);
    if (loop == laneLoop)
      laneAxis = axis;
    place.push_back(loop < loops ? batch[loop] : loop == laneLoop ? from : loop == loops ? first : key);
  }
  if (!laneAxis)
    return memref::LoadOp::create(code, array, place);
  if (lanes == 1) { // past the last query the last one is read again
    place[*laneAxis] = smaller(code, from, subtract(code, end, index(code, 1)));
    return memref::LoadOp::create(code, array, place);
  }
  mlir::Type element = mlir::getElementTypeOrSelf(array);
  auto type = mlir::VectorType::get({lanes}, element);
  Value zero = splat(code, type, 0);
  if (*laneAxis + 1 == place.size() && isContiguous(array)) {
    Value left = subtract(code, end, from);
    Value mask = vector::CreateMaskOp::create(code, mlir::VectorType::get({lanes}, code.getI1Type()), left);
    return vector::MaskedLoadOp::create(code, type, array, place, mask, zero);
  }
  Value result = zero;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    // Past the end the last one is read again.
    place[*laneAxis] = smaller(code, add(code, from, index(code, lane)), subtract(code, end, index(code, 1)));
    Value scalar = memref::LoadOp::create(code, array, place);
    result = vector::InsertOp::create(code, scalar, result, int64_t(lane));
  }
  return result;
}

Value Region::evaluate(Value of, unsigned v, Value key, Value contraction) {
  mlir::Block &block = stream.getScore().front();
  unsigned loops = batch.size(), others = loops + 2 + stream.isContracted();
  llvm::DenseSet<Value> needed;
  needed.insert(of);
  for (mlir::Operation &op : llvm::reverse(block))
    if (op.getNumResults() == 1 && needed.contains(op.getResult(0)))
      needed.insert(op.operand_begin(), op.operand_end());
  Values values = fixed[v];
  if (key)
    values[block.getArgument(loops + 1)] = along == Along::Keys ? indices(key, v) : key;
  if (stream.isContracted() && contraction)
    values[block.getArgument(loops + 2)] = contraction;
  for (unsigned i = 0; i < stream.getOthers().size(); ++i)
    if (Value argument = block.getArgument(others + i); varying.contains(argument) && needed.contains(argument))
      values[argument] = load(i, v, key);
  for (mlir::Operation &op : block.without_terminator())
    if (varying.contains(op.getResult(0)) && needed.contains(op.getResult(0)))
      clone(op, v, values);
  return value(values, of);
}

Lanes Region::inLanes(Value of, unsigned v, Value key, Value contraction) {
  return {&code, broadcast(code, evaluate(of, v, key, contraction), lanes)};
}

Lanes Region::score(unsigned vector, Value key, Value contraction, Value other) {
  return inLanes(other ? other : stream.scoreOp().getScore(), vector, key, contraction);
}

std::optional<Lanes> Region::optional(Value of, unsigned vector, Value key, Value contraction) {
  if (!of)
    return std::nullopt;
  return inLanes(of, vector, key, contraction);
}
std::optional<Lanes> Region::factor(unsigned vector, Value key) {
  return optional(stream.scoreOp().getFactor(), vector, key, nullptr);
}
std::optional<Lanes> Region::measure(unsigned vector, Value key, Value contraction) {
  return optional(stream.scoreOp().getMeasure(), vector, key, contraction);
}
std::optional<Lanes> Region::sink(unsigned vector) {
  return optional(stream.scoreOp().getSink(), vector, nullptr, nullptr);
}

Value Region::place(unsigned number, Value key) {
  return evaluate(stream.scoreOp().getPlaces()[number], 0, key, nullptr);
}

llvm::SmallVector<unsigned> Region::turnedOthers() const {
  dialect::StreamOp stream = this->stream; // its accessors are not const
  llvm::SmallVector<unsigned> found;
  for (auto [i, array] : llvm::enumerate(stream.getOthers())) {
    mlir::AffineMap map = mapOf(i);
    if (mlir::getElementTypeOrSelf(array).isF32() && isContiguous(array) && map.isFunctionOfDim(stream.queryLoop()) &&
        map.getDimPosition(map.getNumResults() - 1) == stream.keyLoop())
      found.push_back(i);
  }
  return found;
}

void Region::usePanel(unsigned other, Value panel, Value offset, Value from, int64_t pitch) {
  panels[other] = {panel, offset, from, pitch};
}

} // namespace attnc
