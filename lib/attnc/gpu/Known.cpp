#include "attnc/dialect/AttncDialect.h"
#include "attnc/gpu/Host.h"
#include "attnc/gpu/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"

namespace attnc {

namespace {

namespace arith = mlir::arith;
namespace memref = mlir::memref;
using mlir::Value;

/// The host keeps no arrays: what it knows (extents, shapes, the step of a scan, arithmetic of sizes) are values, which
/// launches take as they are.
struct Known : mlir::PassWrapper<Known, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Known)
  llvm::StringRef getArgument() const final { return "attnc-known"; }
  llvm::StringRef getDescription() const final { return "what the host knows becomes values"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::affine::AffineDialect, arith::ArithDialect, memref::MemRefDialect>();
  }

  void runOnOperation() final {
    mlir::IRRewriter rewriter(&getContext());
    getOperation()->walk([&](memref::DimOp dim) { extent(rewriter, dim); });
    getOperation()->walk([&](memref::LoadOp load) { constant(rewriter, load); });
    getOperation()->walk([&](mlir::linalg::GenericOp nest) {
      for (mlir::OpOperand *input : nest.getDpsInputOperands())
        if (Value value = constant(rewriter, input->get(), nest))
          input->set(value);
    });
    llvm::SmallVector<memref::AllocOp> arrays;
    getOperation()->walk([&](memref::AllocOp array) {
      if (array.getType().hasStaticShape() && array.getType().getNumElements() <= 32)
        arrays.push_back(array);
    });
    for (memref::AllocOp array : arrays)
      forward(rewriter, array);
  }

private:
  void extent(mlir::IRRewriter &rewriter, memref::DimOp dim) {
    std::optional<int64_t> axis = dim.getConstantIndex();
    rewriter.setInsertionPoint(dim);
    if (Value value = axis ? extentOf(rewriter, dim.getLoc(), dim.getSource(), unsigned(*axis)) : Value())
      rewriter.replaceOp(dim, value);
  }

  /// The extent of an array: of an argument from the sizes, as its shape attribute says; of a view from what it views.
  /// Null where it is not known.
  Value extentOf(mlir::IRRewriter &rewriter, mlir::Location location, Value array, unsigned axis) {
    auto type = mlir::cast<mlir::MemRefType>(array.getType());
    auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(rewriter, location, value); };
    if (!type.isDynamicDim(axis))
      return constant(type.getDimSize(axis));
    if (auto scratch = array.getDefiningOp<memref::AllocOp>())
      return scratch.getDynamicSizes()[type.getDynamicDimIndex(axis)];
    if (auto cast = array.getDefiningOp<memref::CastOp>())
      return extentOf(rewriter, location, cast.getSource(), axis);
    if (auto view = array.getDefiningOp<mlir::OffsetSizeAndStrideOpInterface>();
        view && int64_t(view.getMixedSizes().size()) == type.getRank())
      return mlir::getValueOrCreateConstantIndexOp(rewriter, location, view.getMixedSizes()[axis]);
    if (auto view = array.getDefiningOp<memref::CollapseShapeOp>()) {
      Value product;
      const mlir::ReassociationIndices folded = view.getReassociationIndices()[axis];
      for (int64_t inside : folded) {
        Value extent = extentOf(rewriter, location, view.getSrc(), unsigned(inside));
        if (!extent)
          return nullptr;
        product = product ? arith::MulIOp::create(rewriter, location, product, extent).getResult() : extent;
      }
      return product;
    }
    mlir::func::FuncOp function = getOperation();
    auto argument = mlir::dyn_cast<mlir::BlockArgument>(array);
    if (!argument || argument.getOwner() != &function.getBody().front())
      return nullptr;
    auto shape = function.getArgAttrOfType<mlir::AffineMapAttr>(argument.getArgNumber(), dialect::shapeAttribute);
    if (!shape)
      return nullptr;
    llvm::SmallVector<Value> sizes;
    for (mlir::BlockArgument other : argument.getOwner()->getArguments())
      if (other.getType().isIndex())
        sizes.push_back(other);
    return mlir::affine::expandAffineExpr(rewriter, location, shape.getValue().getResult(axis), {}, sizes);
  }

  /// The element of a constant array of one element, or null.
  static Value constant(mlir::IRRewriter &rewriter, Value array, mlir::Operation *user) {
    auto type = mlir::dyn_cast<mlir::MemRefType>(array.getType());
    auto global = array.getDefiningOp<memref::GetGlobalOp>();
    if (!global || type.getRank() != 0)
      return nullptr;
    auto symbol = mlir::SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(user, global.getNameAttr());
    auto dense = symbol ? mlir::dyn_cast_or_null<mlir::DenseElementsAttr>(symbol.getConstantInitValue()) : nullptr;
    if (!dense)
      return nullptr;
    rewriter.setInsertionPoint(user);
    return arith::ConstantOp::create(rewriter, user->getLoc(), dense.getSplatValue<mlir::TypedAttr>());
  }
  static void constant(mlir::IRRewriter &rewriter, memref::LoadOp load) {
    if (Value value = constant(rewriter, load.getMemRef(), load))
      rewriter.replaceOp(load, value);
  }

  using Elements = llvm::SmallDenseMap<int64_t, Value>;

  /// The place of an element among all, where its coordinates are known.
  static std::optional<int64_t> place(mlir::MemRefType type, mlir::ValueRange coordinates) {
    int64_t result = 0;
    for (auto [coordinate, extent] : llvm::zip(coordinates, type.getShape())) {
      auto value = mlir::getConstantIntValue(coordinate);
      if (!value)
        return std::nullopt;
      result = result * extent + *value;
    }
    return result;
  }

  /// An array in which the host stores each element once, before it is read: its readers take the values.
  static void forward(mlir::IRRewriter &rewriter, memref::AllocOp array) {
    mlir::MemRefType type = array.getType();
    Elements elements;
    mlir::Operation *last = nullptr;
    llvm::SmallVector<mlir::Operation *> readers, others;
    for (mlir::Operation *user : array->getUsers()) {
      if (auto store = mlir::dyn_cast<memref::StoreOp>(user)) {
        auto at = place(type, store.getIndices());
        if (!at || store->getBlock() != array->getBlock() || !elements.try_emplace(*at, store.getValue()).second)
          return;
        others.push_back(store);
        if (!last || last->isBeforeInBlock(store))
          last = store;
      } else if (mlir::isa<memref::DeallocOp>(user)) {
        others.push_back(user);
      } else {
        readers.push_back(user);
      }
    }
    auto known = [&](mlir::Operation *reader) {
      mlir::Operation *ancestor = array->getBlock()->findAncestorOpInBlock(*reader);
      if (!last || !ancestor || !last->isBeforeInBlock(ancestor))
        return false;
      if (auto load = mlir::dyn_cast<memref::LoadOp>(reader)) {
        auto at = place(type, load.getIndices());
        return at && elements.contains(*at);
      }
      if (auto reshape = mlir::dyn_cast<memref::ReshapeOp>(reader))
        return reshape.getShape() == array && int64_t(elements.size()) == type.getNumElements() &&
               mlir::cast<mlir::MemRefType>(reshape.getSource().getType()).getLayout().isIdentity();
      auto nest = mlir::dyn_cast<mlir::linalg::GenericOp>(reader);
      return nest && type.getRank() == 0 && !llvm::is_contained(nest.getOutputs(), array.getResult());
    };
    if (!llvm::all_of(readers, known))
      return;
    for (mlir::Operation *reader : readers) {
      rewriter.setInsertionPoint(reader);
      if (auto load = mlir::dyn_cast<memref::LoadOp>(reader))
        rewriter.replaceOp(load, elements.at(*place(type, load.getIndices())));
      else if (auto reshape = mlir::dyn_cast<memref::ReshapeOp>(reader))
        view(rewriter, reshape, elements);
      else
        reader->replaceUsesOfWith(array, elements.at(0));
    }
    for (mlir::Operation *other : others)
      rewriter.eraseOp(other);
    rewriter.eraseOp(array);
  }

  /// A dense array under other extents.
  static void view(mlir::IRRewriter &rewriter, memref::ReshapeOp reshape, const Elements &extents) {
    auto type = mlir::cast<mlir::MemRefType>(reshape.getType());
    llvm::SmallVector<mlir::OpFoldResult> sizes;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      sizes.push_back(type.isDynamicDim(axis) ? mlir::OpFoldResult(extents.at(axis))
                                              : mlir::OpFoldResult(rewriter.getIndexAttr(type.getDimSize(axis))));
    rewriter.replaceOp(reshape, denseView(rewriter, reshape.getLoc(), type, reshape.getSource(), sizes));
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createKnownPass() { return std::make_unique<Known>(); }

} // namespace attnc
