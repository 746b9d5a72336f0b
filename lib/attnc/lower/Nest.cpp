#include "attnc/lower/Nest.h"

#include "attnc/lower/Parallel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace attnc {

using mlir::Value;

mlir::Type stored(mlir::Type scalar) {
  return scalar.isInteger(1) ? mlir::Type(mlir::IntegerType::get(scalar.getContext(), 8)) : scalar;
}

Value loadedScalar(mlir::OpBuilder &builder, mlir::Location location, Value element) {
  if (!element.getType().isInteger(8))
    return element;
  Value zero = mlir::arith::ConstantOp::create(builder, location, builder.getI8IntegerAttr(0));
  return mlir::arith::CmpIOp::create(builder, location, mlir::arith::CmpIPredicate::ne, element, zero);
}

Value storedScalar(mlir::OpBuilder &builder, mlir::Location location, Value scalar) {
  if (!scalar.getType().isInteger(1))
    return scalar;
  return mlir::arith::ExtUIOp::create(builder, location, builder.getI8Type(), scalar);
}

Value emptyTensor(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<mlir::OpFoldResult> extents,
                  mlir::Type scalar) {
  return mlir::tensor::EmptyOp::create(builder, location, extents, stored(scalar));
}

Value filledTensor(mlir::OpBuilder &builder, mlir::Location location, llvm::ArrayRef<mlir::OpFoldResult> extents,
                   mlir::TypedAttr value) {
  Value scalar = storedScalar(builder, location, mlir::arith::ConstantOp::create(builder, location, value));
  Value empty = emptyTensor(builder, location, extents, value.getType());
  return mlir::linalg::FillOp::create(builder, location, scalar, empty).getResult(0);
}

Value Nest::map(mlir::Type scalar, Payload payload) {
  llvm::SmallVector<mlir::utils::IteratorType> iterators(extents.size(), mlir::utils::IteratorType::parallel);
  return generic(emptyTensor(builder, location, extents, scalar), builder.getMultiDimIdentityMap(extents.size()),
                 iterators, false, payload);
}

Value Nest::fold(llvm::ArrayRef<bool> folded, Value initial, Payload payload) {
  llvm::SmallVector<mlir::utils::IteratorType> iterators;
  llvm::SmallVector<mlir::AffineExpr> kept;
  llvm::SmallVector<bool> covered(extents.size());
  for (const Access &read : reads)
    for (unsigned loop : read.loops)
      covered[loop] = true;
  for (unsigned loop = 0; loop < extents.size(); ++loop) {
    iterators.push_back(folded[loop] ? mlir::utils::IteratorType::reduction : mlir::utils::IteratorType::parallel);
    if (!folded[loop])
      kept.push_back(builder.getAffineDimExpr(loop));
    else if (!covered[loop]) // the extent of a loop shows only in what is read along it
      reads.push_back({emptyTensor(builder, location, {extents[loop]}, builder.getI8Type()), {loop}});
  }
  return generic(initial, mlir::AffineMap::get(extents.size(), 0, kept, builder.getContext()), iterators, true,
                 payload);
}

Value Nest::generic(Value output, mlir::AffineMap outputMap, llvm::ArrayRef<mlir::utils::IteratorType> iterators,
                    bool accumulates, Payload payload) {
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<Value> inputs;
  for (const Access &read : reads) {
    llvm::SmallVector<mlir::AffineExpr> axes;
    for (unsigned loop : read.loops)
      axes.push_back(builder.getAffineDimExpr(loop));
    maps.push_back(mlir::AffineMap::get(extents.size(), 0, axes, builder.getContext()));
    inputs.push_back(read.tensor);
  }
  maps.push_back(outputMap);
  auto body = [&](mlir::OpBuilder &inside, mlir::Location where, mlir::ValueRange elements) {
    llvm::SmallVector<Value> scalars;
    for (Value element : accumulates ? elements : elements.drop_back())
      scalars.push_back(loadedScalar(inside, where, element));
    mlir::linalg::YieldOp::create(inside, where, storedScalar(inside, where, payload(inside, where, scalars)));
  };
  return mlir::linalg::GenericOp::create(builder, location, mlir::TypeRange{output.getType()}, inputs,
                                         mlir::ValueRange{output}, maps, iterators, body)
      .getResult(0);
}

mlir::scf::LoopNest loopNest(mlir::OpBuilder &builder, mlir::Location location,
                             llvm::ArrayRef<mlir::OpFoldResult> extents, mlir::ValueRange carried,
                             llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location,
                                                                               mlir::ValueRange, mlir::ValueRange)>
                                 body) {
  auto number = [&](int64_t value) { return mlir::arith::ConstantIndexOp::create(builder, location, value); };
  llvm::SmallVector<mlir::Value> lows(extents.size(), number(0)), steps(extents.size(), number(1)), highs;
  for (mlir::OpFoldResult extent : extents)
    highs.push_back(mlir::getValueOrCreateConstantIndexOp(builder, location, extent));
  return mlir::scf::buildLoopNest(builder, location, lows, highs, steps, carried,
                                  [&](mlir::OpBuilder &inside, mlir::Location where, mlir::ValueRange indices,
                                      mlir::ValueRange arrays) -> mlir::scf::ValueVector {
                                    auto results = body(inside, where, indices, arrays);
                                    return {results.begin(), results.end()};
                                  });
}

void markParallel(llvm::ArrayRef<mlir::scf::ForOp> loops) {
  for (mlir::scf::ForOp loop : loops)
    loop->setAttr(parallelAttribute, mlir::UnitAttr::get(loop.getContext()));
}

} // namespace attnc
