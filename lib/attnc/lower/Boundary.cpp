#include "attnc/dialect/AttncDialect.h"
#include "attnc/lower/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

// The two steps from a function on tensors to the C interface of Lower.h.
namespace attnc {

namespace {

using mlir::Value;

mlir::MemRefType arrayOf(mlir::Type tensor) {
  auto type = mlir::cast<mlir::RankedTensorType>(tensor);
  return mlir::MemRefType::get(type.getShape(), type.getElementType());
}

struct Destinations : mlir::PassWrapper<Destinations, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Destinations)
  llvm::StringRef getArgument() const final { return "attnc-destinations"; }
  llvm::StringRef getDescription() const final { return "results of tensors become arrays that the caller gives"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::arith::ArithDialect, mlir::bufferization::BufferizationDialect>();
  }

  void runOnOperation() final {
    mlir::func::FuncOp function = getOperation();
    mlir::Block &entry = function.getBody().front();
    mlir::OpBuilder builder(&getContext());
    llvm::SmallVector<mlir::DictionaryAttr> notes;
    function.getAllArgAttrs(notes);
    unsigned arrays = llvm::count_if(entry.getArgumentTypes(),
                                     [](mlir::Type type) { return mlir::isa<mlir::RankedTensorType>(type); });

    builder.setInsertionPointToStart(&entry);
    for (unsigned i = 0; i < arrays; ++i) {
      mlir::BlockArgument argument = entry.getArgument(i);
      mlir::Type tensor = argument.getType();
      argument.setType(arrayOf(tensor));
      auto read =
          mlir::bufferization::ToTensorOp::create(builder, function.getLoc(), tensor, argument, /*restrict=*/true);
      argument.replaceAllUsesExcept(read, read);
    }
    auto end = mlir::cast<mlir::func::ReturnOp>(entry.getTerminator());
    builder.setInsertionPoint(end);
    for (auto [i, output] : llvm::enumerate(end.getOperands())) {
      mlir::BlockArgument array = entry.insertArgument(arrays + i, arrayOf(output.getType()), function.getLoc());
      notes.insert(notes.begin() + arrays + i, function.getResultAttrDict(i));
      auto write = mlir::bufferization::MaterializeInDestinationOp::create(builder, function.getLoc(), output, array);
      write.setRestrict(true);
      write.setWritable(true);
    }
    Value zero = mlir::arith::ConstantIntOp::create(builder, function.getLoc(), builder.getI32Type(), 0);
    mlir::func::ReturnOp::create(builder, end.getLoc(), zero);
    end.erase();
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      function.setResultAttrs(i, builder.getDictionaryAttr({}));
    function.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), builder.getI32Type()));
    for (mlir::DictionaryAttr &note : notes)
      if (!note)
        note = builder.getDictionaryAttr({});
    function.setAllArgAttrs(notes);
  }
};

struct Pointers : mlir::PassWrapper<Pointers, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(Pointers)
  llvm::StringRef getArgument() const final { return "attnc-pointers"; }
  llvm::StringRef getDescription() const final { return "arrays of the interface become bare pointers, sizes int64_t"; }
  void getDependentDialects(mlir::DialectRegistry &registry) const final {
    registry.insert<mlir::LLVM::LLVMDialect, mlir::arith::ArithDialect>();
  }

  void runOnOperation() final {
    mlir::func::FuncOp function = getOperation();
    if (function.isPrivate()) // called from here alone
      return;
    mlir::Block &entry = function.getBody().front();
    mlir::Location location = function.getLoc();
    mlir::OpBuilder builder(&getContext());
    builder.setInsertionPointToStart(&entry);
    mlir::LLVMTypeConverter converter(&getContext());

    // First the sizes, from which the extents of the arrays are computed.
    llvm::SmallVector<Value> sizes;
    for (mlir::BlockArgument argument : entry.getArguments())
      if (argument.getType().isIndex()) {
        argument.setType(builder.getI64Type());
        auto size = mlir::arith::IndexCastOp::create(builder, location, builder.getIndexType(), argument);
        argument.replaceAllUsesExcept(size, size);
        sizes.push_back(size);
      }
    llvm::SmallVector<mlir::DictionaryAttr> notes;
    for (mlir::BlockArgument argument : entry.getArguments()) {
      auto type = mlir::dyn_cast<mlir::MemRefType>(argument.getType());
      notes.push_back(builder.getDictionaryAttr({}));
      if (!type) {
        if (mlir::isa<mlir::LLVM::LLVMPointerType>(argument.getType()))
          notes.back() = mlir::function_interface_impl::getArgAttrDict(function, argument.getArgNumber());
        continue;
      }
      auto shape = function.getArgAttrOfType<mlir::AffineMapAttr>(argument.getArgNumber(), dialect::shapeAttribute);
      if (!type.hasStaticShape() && !shape) {
        function.emitError() << "argument " << argument.getArgNumber() << " of type " << type << " has no '"
                             << dialect::shapeAttribute << "'";
        return signalPassFailure();
      }
      argument.setType(mlir::LLVM::LLVMPointerType::get(&getContext()));
      auto [array, first] = described(builder, location, converter, type, argument, shape, sizes);
      argument.replaceAllUsesExcept(array, first);
      notes.back() = builder.getDictionaryAttr(
          builder.getNamedAttr(mlir::LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr()));
    }
    function.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), function.getResultTypes()));
    function.setAllArgAttrs(notes);
  }

private:
  /// The array behind a pointer as a memref, and the operations that use the pointer.
  static std::pair<Value, llvm::SmallPtrSet<mlir::Operation *, 2>>
  described(mlir::OpBuilder &builder, mlir::Location location, mlir::LLVMTypeConverter &converter,
            mlir::MemRefType type, Value pointer, mlir::AffineMapAttr shape, llvm::ArrayRef<Value> sizes) {
    auto number = [&](Value index) -> Value {
      return mlir::arith::IndexCastOp::create(builder, location, builder.getI64Type(), index);
    };
    auto descriptor = mlir::MemRefDescriptor::poison(builder, location, converter.convertType(type));
    descriptor.setAllocatedPtr(builder, location, pointer);
    llvm::SmallPtrSet<mlir::Operation *, 2> users{Value(descriptor).getDefiningOp()};
    descriptor.setAlignedPtr(builder, location, pointer);
    users.insert(Value(descriptor).getDefiningOp());
    descriptor.setConstantOffset(builder, location, 0);
    Value stride = mlir::arith::ConstantIndexOp::create(builder, location, 1);
    for (int64_t axis = type.getRank(); axis-- > 0;) {
      Value extent =
          type.isDynamicDim(axis)
              ? mlir::affine::expandAffineExpr(builder, location, shape.getValue().getResult(axis), {}, sizes)
              : mlir::arith::ConstantIndexOp::create(builder, location, type.getDimSize(axis)).getResult();
      descriptor.setSize(builder, location, axis, number(extent));
      descriptor.setStride(builder, location, axis, number(stride));
      stride = mlir::arith::MulIOp::create(builder, location, stride, extent);
    }
    auto cast = mlir::UnrealizedConversionCastOp::create(builder, location, type, Value(descriptor));
    return {cast.getResult(0), users};
  }
};

} // namespace

std::unique_ptr<mlir::Pass> createDestinationsPass() { return std::make_unique<Destinations>(); }
std::unique_ptr<mlir::Pass> createPointersPass() { return std::make_unique<Pointers>(); }

} // namespace attnc
