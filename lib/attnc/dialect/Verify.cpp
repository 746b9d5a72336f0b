#include "attnc/dialect/AttncDialect.h"

#include "attnc/theory/Pointwise.h"

#include "mlir/IR/TypeUtilities.h"

// The typing rules of diagram/Signature.cpp, as far as tensor types can say them: extents that are not known
// agree with every extent.
namespace attnc::dialect {

using mlir::LogicalResult;
using mlir::RankedTensorType;
using mlir::ShapedType;

namespace {

RankedTensorType tensor(mlir::Value value) { return mlir::cast<RankedTensorType>(value.getType()); }

bool agree(int64_t a, int64_t b) { return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b); }

bool agree(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip(a, b), [](auto pair) { return agree(std::get<0>(pair), std::get<1>(pair)); });
}

bool agree(mlir::Type a, mlir::Type b) {
  auto left = mlir::cast<RankedTensorType>(a), right = mlir::cast<RankedTensorType>(b);
  return left.getElementType() == right.getElementType() && agree(left.getShape(), right.getShape());
}

RankedTensorType sliceOf(RankedTensorType type) {
  return RankedTensorType::get(type.getShape().drop_front(), type.getElementType());
}

RankedTensorType over(RankedTensorType type, int64_t size) {
  llvm::SmallVector<int64_t> shape{size};
  shape.append(type.getShape().begin(), type.getShape().end());
  return RankedTensorType::get(shape, type.getElementType());
}

LogicalResult expectResult(mlir::Operation *op, mlir::Value result, mlir::Type wanted) {
  if (agree(result.getType(), wanted))
    return mlir::success();
  return op->emitOpError() << "gives " << wanted << ", not " << result.getType();
}

/// The operands as they enter the body, checked against its arguments from `first` on.
template <class Box> LogicalResult enter(Box box, unsigned first, unsigned operandsBefore) {
  mlir::Block &body = box.getBody().front();
  auto operands = box.getArgs().drop_front(operandsBefore);
  if (box.getMapped().size() != operands.size())
    return box.emitOpError() << operands.size() << " wires enter by " << box.getMapped().size() << " modes";
  if (body.getNumArguments() != first + operands.size())
    return box.emitOpError() << "the body has " << body.getNumArguments() << " arguments, not "
                             << first + operands.size();
  if (box.getIndexed() &&
      body.getArgument(0).getType() != RankedTensorType::get({}, mlir::IntegerType::get(box.getContext(), 64)))
    return box.emitOpError() << "the first argument of an indexed body is its index, not "
                             << body.getArgument(0).getType();
  for (auto [i, operand, mapped] : llvm::enumerate(operands, box.getMapped())) {
    RankedTensorType type = tensor(operand);
    if (mapped && type.getRank() == 0)
      return box.emitOpError() << "a scalar has no axis to map over";
    if (mapped)
      type = sliceOf(type);
    if (mlir::Type inside = body.getArgument(first + i).getType(); !agree(type, inside))
      return box.emitOpError() << "a wire of type " << type << " enters an argument of type " << inside;
  }
  return mlir::success();
}

YieldOp yieldOf(mlir::Region &body) { return mlir::dyn_cast<YieldOp>(body.front().back()); }

} // namespace

LogicalResult ConstOp::verify() {
  auto type = tensor(getResult());
  if (type.getRank() != 0 || getValue().getType() != type.getElementType())
    return emitOpError() << "a constant of type " << getValue().getType() << " cannot be " << type;
  return mlir::success();
}

LogicalResult PointwiseOp::verify() {
  auto fn = pointwiseNamed(std::string_view(getFn()));
  if (!fn)
    return emitOpError() << "there is no function '" << getFn() << "'";
  std::vector<Kind> kinds;
  for (mlir::Value arg : getArgs()) {
    if (tensor(arg).getRank() != 0)
      return emitOpError() << "acts on scalars, not on " << arg.getType();
    kinds.push_back(kindOf(tensor(arg).getElementType()));
  }
  auto kind = resultKind(*fn, kinds);
  if (!kind)
    return emitOpError() << "'" << getFn() << "' does not act on these kinds";
  auto result = tensor(getResult());
  if (result.getRank() != 0 || kindOf(result.getElementType()) != *kind)
    return emitOpError() << "'" << getFn() << "' does not give " << result;
  return mlir::success();
}

LogicalResult GatherOp::verify() {
  if (tensor(getArray()).getRank() == 0)
    return emitOpError() << "a scalar has no axis to index";
  return expectResult(*this, getResult(), sliceOf(tensor(getArray())));
}

LogicalResult ScatterOp::verify() {
  auto indices = tensor(getIndices()), array = tensor(getArray());
  if (indices.getRank() != 1 || array.getRank() == 0 || !agree(indices.getDimSize(0), array.getDimSize(0)))
    return emitOpError() << indices << " are no indices for " << array;
  if (array.getElementType().isInteger(1))
    return emitOpError() << "adds numbers, not bools";
  return expectResult(*this, getResult(), over(sliceOf(array), ShapedType::kDynamic));
}

LogicalResult TopKOp::verify() {
  auto array = tensor(getArray());
  int64_t rows = getRows();
  if (rows < 0 || array.getRank() != rows + 1 || array.getElementType().isInteger(1))
    return emitOpError() << "orders numbers along one axis, not " << array;
  llvm::SmallVector<int64_t> shape(array.getShape().take_front(rows));
  shape.push_back(ShapedType::kDynamic);
  auto values = RankedTensorType::get(shape, array.getElementType());
  if (failed(expectResult(*this, getValues(), values)))
    return mlir::failure();
  return expectResult(*this, getIndices(), values.clone(mlir::IntegerType::get(getContext(), 64)));
}

LogicalResult SoftmaxOp::verify() {
  auto array = tensor(getArray());
  int64_t rows = getRows();
  if (rows < 0 || array.getRank() <= rows || kindOf(array.getElementType()) != Kind::Real)
    return emitOpError() << "normalises reals over axes, not " << array;
  if (getSink() &&
      !agree(getSink().getType(), RankedTensorType::get(array.getShape().take_front(rows), array.getElementType())))
    return emitOpError() << "the sink is a logit, not " << getSink().getType();
  return expectResult(*this, getResult(), array);
}

LogicalResult TransposeOp::verify() {
  auto array = tensor(getArray());
  if (array.getRank() < 2)
    return emitOpError() << "swaps two axes, and " << array << " has fewer";
  llvm::SmallVector<int64_t> shape(array.getShape());
  std::swap(shape[0], shape[1]);
  return expectResult(*this, getResult(), RankedTensorType::get(shape, array.getElementType()));
}

LogicalResult ReshapeOp::verify() {
  auto array = tensor(getArray()), result = tensor(getResult());
  if (result.getElementType() != array.getElementType() || result.getRank() != int64_t(getAxes().size()))
    return emitOpError() << getAxes().size() << " axes of " << array << " cannot give " << result;
  if (array.hasStaticShape() && result.hasStaticShape() && array.getNumElements() != result.getNumElements())
    return emitOpError() << array << " has not as many elements as " << result;
  return mlir::success();
}

LogicalResult BoxOp::verify() {
  if (!llvm::is_contained({"simd", "sum", "prod", "max", "min", "any", "all"}, getCap()))
    return emitOpError() << "there is no cap '" << getCap() << "'";
  if (failed(enter(*this, getIndexed(), 0)))
    return mlir::failure();
  YieldOp yield = yieldOf(getBody());
  if (!yield || yield.getResults().size() != getNumResults())
    return emitOpError() << "the body does not yield " << getNumResults() << " results";
  bool folds = getCap() != "simd", logical = getCap() == "any" || getCap() == "all";
  for (auto [inside, outside] : llvm::zip(yield.getResults(), getResults())) {
    auto type = tensor(inside);
    if (folds && logical != type.getElementType().isInteger(1))
      return emitOpError() << "'" << getCap() << "' does not fold " << type;
    if (failed(expectResult(*this, outside, folds ? type : over(type, ShapedType::kDynamic))))
      return mlir::failure();
  }
  return mlir::success();
}

LogicalResult ScanOp::verify() {
  unsigned states = getStates(), first = getIndexed();
  if (getArgs().size() < states || getBody().front().getNumArguments() < first + states)
    return emitOpError() << "has fewer wires than states";
  if (failed(enter(*this, first + states, states)))
    return mlir::failure();
  YieldOp yield = yieldOf(getBody());
  if (!yield || yield.getResults().size() != getNumResults() || getNumResults() < states)
    return emitOpError() << "the body does not yield " << getNumResults() << " results";
  unsigned steps = getNumResults() - states;
  for (unsigned i = 0; i < states; ++i) {
    mlir::Type type = getArgs()[i].getType();
    if (!agree(type, getBody().getArgument(first + i).getType()) || !agree(type, yield.getResults()[i].getType()) ||
        !agree(type, getResult(steps + i).getType()))
      return emitOpError() << "a state that starts as " << type << " changes its type";
  }
  for (unsigned i = 0; i < steps; ++i)
    if (failed(expectResult(*this, getResult(i), over(tensor(yield.getResults()[states + i]), ShapedType::kDynamic))))
      return mlir::failure();
  return mlir::success();
}

LogicalResult CallOp::verify() {
  YieldOp yield = yieldOf(getBody());
  auto same = [](mlir::TypeRange a, mlir::TypeRange b) {
    return a.size() == b.size() &&
           llvm::all_of(llvm::zip(a, b), [](auto pair) { return agree(std::get<0>(pair), std::get<1>(pair)); });
  };
  if (!yield || !same(getArgs().getTypes(), getBody().front().getArgumentTypes()) ||
      !same(yield.getResults().getTypes(), getResultTypes()))
    return emitOpError() << "operands and results are not those of the body";
  return mlir::success();
}

LogicalResult ApplyOp::verify() {
  size_t inputs = getArgs().size();
  auto wanted = llvm::StringSwitch<std::optional<size_t>>(getKind())
                    .Case("linear", inputs)
                    .Case("affine", inputs + 1)
                    .Case("param", 1)
                    .Case("universal", inputs + 3)
                    .Default(std::nullopt);
  if (!wanted)
    return emitOpError() << "there is no learner of kind '" << getKind() << "'";
  if (getParameters().size() != *wanted)
    return emitOpError() << "has " << getParameters().size() << " parameters, not " << *wanted;
  unsigned boxes = 0;
  for (mlir::Operation *parent = (*this)->getParentOp(); parent; parent = parent->getParentOp())
    boxes += mlir::isa<BoxOp, ScanOp>(parent);
  for (int64_t per : getPer())
    if (per < 0 || per >= boxes)
      return emitOpError() << "its parameters vary along no box around it";
  int64_t leading = getPer().size(), codomain = tensor(getResult()).getRank();
  bool universal = getKind() == "universal";
  for (auto [arg, parameter] : llvm::zip(getArgs(), getParameters()))
    if (tensor(parameter).getRank() != leading + tensor(arg).getRank() + (universal ? 1 : codomain))
      return emitOpError() << parameter.getType() << " is no weight for " << arg.getType();
  if (getKind() != "linear" && tensor(getParameters().back()).getRank() != leading + codomain)
    return emitOpError() << getParameters().back().getType() << " does not fit the result";
  return mlir::success();
}

mlir::MutableOperandRange StreamOp::getDpsInitsMutable() { return getOutputsMutable(); }
ScoreOp StreamOp::scoreOp() { return mlir::cast<ScoreOp>(getScore().front().getTerminator()); }
static int64_t knownExtent(mlir::ValueRange arrays, mlir::ArrayAttr maps, unsigned loop) {
  for (auto [array, map] : llvm::zip(arrays, maps.getAsValueRange<mlir::AffineMapAttr>()))
    for (auto [axis, extent] : llvm::enumerate(mlir::cast<ShapedType>(array.getType()).getShape()))
      if (map.getDimPosition(axis) == loop && !ShapedType::isDynamic(extent))
        return extent;
  return ShapedType::kDynamic;
}
int64_t StreamOp::extentOf(unsigned loop) { return knownExtent(arrays(), getMaps(), loop); }
int64_t ChunksOp::extentOf(unsigned loop) { return knownExtent(getOperands(), getMaps(), loop); }

bool StreamOp::runsAlong(unsigned loop) {
  return llvm::any_of(getMaps().getAsValueRange<mlir::AffineMapAttr>(),
                      [&](mlir::AffineMap map) { return map.isFunctionOfDim(loop); });
}

bool StreamOp::hasOwnRows() {
  for (unsigned i = 0; i < getContraction().size() + getValue().size(); ++i)
    for (unsigned axis = 0; axis < mapOf(i).getNumResults(); ++axis)
      if (mapOf(i).getDimPosition(axis) >= loopCount())
        return true;
  return false;
}

LogicalResult StreamOp::verifyTerm() {
  mlir::Block &block = getTerms()[0].front();
  if (getTerms().size() > 1 || !mlir::isa<TermOp>(block.back()))
    return emitOpError() << "has one region of terms, which gives a term";
  llvm::SmallVector<mlir::Type> wanted;
  for (auto [i, array] : llvm::enumerate(getContraction())) {
    wanted.push_back(mlir::getElementTypeOrSelf(array));
    if (mapOf(i).isFunctionOfDim(queryLoop()) && mapOf(i).isFunctionOfDim(keyLoop()))
      return emitOpError() << "an array of terms runs along queries and keys";
  }
  if (wanted.empty() || block.getArgumentTypes() != mlir::TypeRange(wanted))
    return emitOpError() << "the region of terms takes an element of each array of the contraction";
  return mlir::success();
}

LogicalResult StreamOp::verify() {
  if (getValue().size() > 2)
    return emitOpError() << "has an array of values at most, or two of pairs";
  if (isTermed() && failed(verifyTerm()))
    return mlir::failure();
  if (isJoint() ? getContraction().size() != 3
                : !isTermed() && getContraction().size() != 0 && getContraction().size() != 2)
    return emitOpError() << "a contraction is of queries and keys, of two keys where there are two values";
  unsigned count = getNumOperands() - (getKeys() ? 1 : 0) - (getQueries() ? 1 : 0);
  if (getMaps().size() != count)
    return emitOpError() << count << " arrays run along " << getMaps().size() << " maps";
  if (!mlir::isa<ScoreOp>(getScore().front().back()))
    return emitOpError() << "the region gives a score";
  unsigned placed = loopCount() + scoreOp().getPlaces().size();
  for (auto [i, operand] : llvm::enumerate(arrays())) {
    mlir::AffineMap map = mapOf(i);
    unsigned contracted = getContraction().size(), outputs = arrays().size() - getOutputs().size();
    bool isRows = (!isTermed() && i > 0 && i < contracted) || (i >= contracted && i < outputs);
    bool inside = llvm::all_of(map.getResults(), [&](mlir::AffineExpr axis) {
      auto dim = mlir::dyn_cast<mlir::AffineDimExpr>(axis);
      return dim && (isRows || dim.getPosition() < loopCount());
    });
    if (map.getNumDims() != placed || !map.isProjectedPermutation() || !inside ||
        map.getNumResults() != unsigned(mlir::cast<ShapedType>(operand.getType()).getRank()))
      return emitOpError() << operand.getType() << " cannot run along " << mlir::AffineMapAttr::get(map);
  }
  llvm::SmallVector<mlir::Type> wanted(getBatch() + 2, mlir::IndexType::get(getContext()));
  if (isContracted())
    wanted.push_back(mlir::Float32Type::get(getContext()));
  for (mlir::Value other : getOthers())
    wanted.push_back(mlir::getElementTypeOrSelf(other));
  if (getScore().getArgumentTypes() != mlir::TypeRange(wanted))
    return emitOpError() << "the region takes the indices, the contraction and an element of each other array";
  unsigned output = getContraction().size() + getValue().size() + getOthers().size();
  if (isJoint() && (scoreOp().getMeasure() || mapOf(output).isFunctionOfDim(queryLoop())))
    return emitOpError() << "a fold over pairs of keys has no measure, and a result without their axes";
  if (isRanked() && isValued())
    return emitOpError() << "what is ranked has no values";
  if (getOutputs().size() != (isRanked() || scoreOp().getMeasure() ? 2 : 1))
    return emitOpError() << "writes a result, and another where the region gives a measure, or keys of ranks";
  return mlir::success();
}

mlir::MutableOperandRange ChunksOp::getDpsInitsMutable() { return getOutputsMutable(); }

LogicalResult ChunksOp::verify() {
  if (getGate().size() > 1)
    return emitOpError() << "has one array of gates at most";
  if (getStates().empty() || getStates().size() > 2 || getOutputs().size() != 2 * getStates().size())
    return emitOpError() << "has a state and perhaps a normaliser, and two arrays to write for each";
  if (getMaps().size() != getNumOperands())
    return emitOpError() << getNumOperands() << " arrays run along " << getMaps().size() << " maps";
  for (auto [i, operand] : llvm::enumerate(getOperands())) {
    mlir::AffineMap map = mapOf(i);
    auto type = mlir::cast<ShapedType>(operand.getType());
    if (map.getNumDims() != loopCount() || !map.isProjectedPermutation() ||
        map.getNumResults() != unsigned(type.getRank()) ||
        !(type.getElementType().isF32() || (i < 3 + getGate().size() && type.getElementType().isBF16())))
      return emitOpError() << type << " cannot run along " << mlir::AffineMapAttr::get(map);
  }
  return mlir::success();
}

mlir::MutableOperandRange ProductOp::getDpsInitsMutable() { return getOutputsMutable(); }
mlir::Value ProductOp::finished() { return mlir::cast<FinishOp>(getFinish().front().getTerminator()).getElement(); }
bool ProductOp::isPlain() { return finished() == getFinish().getArgument(0); }

LogicalResult ProductOp::verify() {
  if (getFolded() > getBatch())
    return emitOpError() << "folds " << getFolded() << " of " << getBatch() << " outer loops";
  if (getMaps().size() != getNumOperands() || getOutputs().size() != 1)
    return emitOpError() << getNumOperands() << " arrays, one of them written, run along " << getMaps().size()
                         << " maps";
  for (auto [i, operand] : llvm::enumerate(getOperands())) {
    mlir::AffineMap map = mapOf(i);
    bool isFactor = i < 2;
    auto along = [&](unsigned first, unsigned end) {
      return llvm::any_of(llvm::seq(first, end), [&](unsigned loop) { return map.isFunctionOfDim(loop); });
    };
    bool folds = along(getBatch() - getFolded(), getBatch()) || along(depthLoop(), loopCount());
    if (map.getNumDims() != loopCount() || !map.isProjectedPermutation() ||
        map.getNumResults() != unsigned(mlir::cast<ShapedType>(operand.getType()).getRank()) || (folds && !isFactor))
      return emitOpError() << operand.getType() << " cannot run along " << mlir::AffineMapAttr::get(map);
  }
  mlir::AffineMap output = mapOf(getNumOperands() - 1);
  if (output.getNumResults() == 0 || output.getDimPosition(output.getNumResults() - 1) != columnLoop())
    return emitOpError() << "columns do not run along the last axis of what is written";
  llvm::SmallVector<mlir::Type> wanted{mlir::Float32Type::get(getContext())};
  for (mlir::Value other : getOthers())
    wanted.push_back(mlir::getElementTypeOrSelf(other));
  if (getFinish().getArgumentTypes() != mlir::TypeRange(wanted) || !mlir::isa<FinishOp>(getFinish().front().back()))
    return emitOpError() << "the region takes the sum and an element of each other array, and finishes";
  return mlir::success();
}

} // namespace attnc::dialect
